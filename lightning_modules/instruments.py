"""The contract where learners and probes meet.

A learner shows itself to the instruments that are attached to it and knows no more of them than
this, so that who changes a probe changes nothing of what is trained without it. An instrument
changes nothing: no weight, gradient, mode or random generator, no memory kept. What it cannot see,
and that it failed, it says in one line, an ``InstrumentWarning``; training goes on.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from lightning_modules.interfaces import Credit


class InstrumentWarning(UserWarning):
    """What an instrument cannot see, or why it stands aside."""


class Reading(Protocol):
    """The losses of a passage's steps, summed over counted outputs."""

    def direct(self, samples: slice, states_TBS: Tensor) -> Tensor:
        """Return their derivative by the states of some samples at fixed later states."""
        ...

    def credit(self, samples: slice) -> Credit:
        """Return the same as a credit of its own, for an algorithm to run on."""
        ...

    def counted(self, samples: slice) -> int:
        """Count the outputs."""
        ...

    def loss(self, samples: slice, h_TBH: Tensor, shift_P: Tensor) -> Tensor:
        """Return the losses with the readout's weights shifted, for autograd to go through."""
        ...


class Update(NamedTuple):
    """An update of the weights that train, tensor by tensor: a frozen one is in none of these."""

    names: Sequence[str]
    before: Sequence[Tensor]
    after: Sequence[Tensor]
    raw: Sequence[Tensor]
    """The gradient as it was found, cut in any way."""
    clipped: Sequence[Tensor]
    """What the weights moved by; ``raw`` itself where nothing clips."""
    threshold: float | None


Outputs = dict[str, list[Tensor]]
"""‖∂L/∂h‖ of each call of each layer of a feed-forward network, by name, in order of the calls."""


class Estimated(NamedTuple):
    """A batch that a network of the contract of energies looked at, before its weights move."""

    energy: Any
    """The network."""
    x_BI: Tensor
    t_BO: Tensor
    learned: Any
    """What it is to go against, and what its model was sampled by."""


Row = dict[str, str | int | float | None]
"""A row of what an instrument measured."""


class Instrument(Protocol):
    """What a learner knows of a probe.

    Attributes:
        name: what it is called.
        sees: what it can measure: passages, updates, or the outputs of a network's layers.
        needs: what of these it cannot do without.
        passage: makes what all instruments see of a passage out of its facts.
    """

    sees: frozenset[str]
    needs: frozenset[str]
    passage: Callable[..., Any]

    @property
    def name(self) -> str:
        """The name of its file."""
        ...

    def due(self, batch: int) -> bool:
        """Tell whether it looks at this batch."""
        ...

    def passed(self, seen: Any) -> None:
        """Look at a passage before its gradient moves the weights."""
        ...

    def updated(self, seen: Update) -> None:
        """Look at an update once it is done."""
        ...

    def gone_back(self, seen: Outputs) -> None:
        """Look at what came back to a network's layers."""
        ...

    def remark(self, what: str) -> None:
        """Say in one line, once, what it cannot see."""
        ...

    def rows(self, step: int) -> list[Row]:
        """Return rows of all that was measured since the last ones, and start anew."""
        ...
