"""The contract of learning rules: epochs, a rate that may decay, and when a rule stops.

    η_e = η / (1 + decay e)        in epoch e, the first being 0

A rule goes through examples in the given order, and each moves the weights before the next is
looked at. At the end of an epoch the rule settles, and changes nothing from then on, if

    enough    at least this share of the epoch's examples was answered right, each with the
              weights at the time it was seen; 1 means an epoch without a mistake
    still     the norm of the weights' change over the epoch was below this

An answer is right if all outputs are on the same side of ``middle`` as their targets of 0 and 1.
"""

import abc
import dataclasses
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from lightning_modules.checks import above, whole
from lightning_modules.norms import joint


class Seen(NamedTuple):
    """Counts over some examples, each taken with the weights at the time it was seen."""

    examples: int = 0
    right: int = 0
    mistakes: int = 0
    """Outputs on the wrong side: an example may have several."""
    loss: float = 0.0
    """The sum over examples."""
    moved: float = 0.0
    """The norm of the last move of the weights."""
    errors: dict[str, Tensor] | None = None
    """‖∂L/∂h‖ of each layer by its name, over all examples; None if they were not asked for."""

    def followed_by(self, then: "Seen") -> "Seen":
        """Return the counts over both groups of examples."""
        errors = self.errors or {}
        both = {
            name: joint([e, errors[name]] if name in errors else [e])
            for name, e in (then.errors or {}).items()
        }
        return Seen(
            self.examples + then.examples,
            self.right + then.right,
            self.mistakes + then.mistakes,
            self.loss + then.loss,
            then.moved,
            both or self.errors,
        )


@dataclasses.dataclass
class _Course:
    """How far a rule has come in its epochs."""

    examples: int = 0
    epochs: int = 0
    of_epoch: int = 0
    right: int = 0
    """Right answers in the present epoch; ``of_epoch`` are its examples so far."""
    before: list[Tensor] | None = None
    """The weights at the start of the present epoch, where ``still`` needs them."""
    settled_at: int | None = None


class Rule(abc.ABC):
    """A rule of learning without an optimizer.

    Attributes:
        middle: an output above it means 1, others 0.
        has_errors: whether the rule can report the error that came back to each layer.
    """

    middle: ClassVar[float]
    has_errors: ClassVar[bool]

    def __init__(
        self,
        rate: float,
        decay: float,
        enough: float | None,
        still: float | None,
        epoch: int | None,
    ):
        """``epoch`` is a number of examples; None: all that one call of ``learn`` is given."""
        above(0, rate=rate)
        above(0, or_equal=True, decay=decay)
        if enough is not None:
            above(0, most=1, enough=enough)
        if still is not None:
            above(0, still=still)
        if epoch is not None:
            whole(1, "or None", epoch=epoch)
        self.rate, self.decay, self.epoch = rate, decay, epoch
        self.enough, self.still = enough, still
        self.begin()

    @abc.abstractmethod
    def outputs(self, network: nn.Module, x_TBI: Tensor) -> Tensor:
        """Return the outputs that answers are read from, (T, B, O); the greatest is the class."""

    @abc.abstractmethod
    def loss(self, z_NO: Tensor, t_NO: Tensor) -> Tensor:
        """Return the loss of these outputs for targets of 0 and 1, summed over examples."""

    @abc.abstractmethod
    def sweep(
        self, network: nn.Module, x_NI: Tensor, t_NO: Tensor, rate: float, watched: bool
    ) -> Seen:
        """Learn some examples at one rate, in place; TypeError for an unsuitable network.

        With ``watched`` the errors of layers are returned, too.
        """

    @torch.no_grad()
    def learn(self, network: nn.Module, x_NI: Tensor, t_NO: Tensor, watched: bool = False) -> Seen:
        """Learn the examples, in place, until the rule settles; return counts over those seen."""
        total, course = Seen(), self._course
        epoch = self.epoch or len(x_NI)
        while len(x_NI) and course.settled_at is None:
            if course.of_epoch == 0 and self.still is not None:
                course.before = [w.detach().clone() for w in network.parameters()]
            left = epoch - course.of_epoch
            seen = self.sweep(network, x_NI[:left], t_NO[:left], self.rate_now, watched)
            x_NI, t_NO, total = x_NI[left:], t_NO[left:], total.followed_by(seen)
            course.examples += seen.examples
            course.of_epoch += seen.examples
            course.right += seen.right
            if course.of_epoch == epoch:
                self._close(network)
        return total

    def judge(self, z_NO: Tensor, t_NO: Tensor) -> Seen:
        """Return the counts and the loss of outputs."""
        wrong_NO = (z_NO > self.middle) != (t_NO > 0.5)
        right = len(z_NO) - int(wrong_NO.any(dim=1).sum())
        return Seen(len(z_NO), right, int(wrong_NO.sum()), float(self.loss(z_NO, t_NO)))

    @property
    def rate_now(self) -> float:
        """The present epoch's rate."""
        return self.rate / (1 + self.decay * self._course.epochs)

    @property
    def epochs(self) -> int:
        """How many epochs are over."""
        return self._course.epochs

    @property
    def settled_at(self) -> int | None:
        """After how many examples the rule settled; None if it has not."""
        return self._course.settled_at

    def begin(self) -> None:
        """Forget all epochs."""
        self._course = _Course()

    def state(self) -> dict[str, Any]:
        """Return the rule's state for a checkpoint."""
        return vars(self._course).copy()

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from the state of a checkpoint."""
        self._course = _Course(**state)

    def _close(self, network: nn.Module) -> None:
        """End an epoch, and settle if ``enough`` or ``still`` says so."""
        course = self._course
        enough = self.enough is not None and course.right >= self.enough * course.of_epoch
        if enough or (self.still is not None and self._moved(network) < self.still):
            course.settled_at = course.examples
        course.epochs, course.of_epoch, course.right = course.epochs + 1, 0, 0
        course.before = None

    def _moved(self, network: nn.Module) -> float:
        """Return the norm of the weights' change since the epoch began."""
        before = self._course.before
        assert before is not None
        pairs = zip(network.parameters(), before, strict=True)
        return float(joint([w.detach() - b for w, b in pairs]))
