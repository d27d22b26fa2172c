"""The contract between learners and probes.

A learner calls the instruments that are attached to it through this interface alone, so a change
to a probe cannot change what is trained without it. An instrument changes nothing: no weight,
gradient, mode or random generator, and it keeps no memory alive. When it cannot see something, or
fails, it issues a one-line ``InstrumentWarning``, and training goes on.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from lightning_modules.interfaces import Credit


class InstrumentWarning(UserWarning):
    """What an instrument cannot see, or why it stands aside."""


class Reading(Protocol):
    """The losses of a passage (one run through T steps of a batch), summed over counted outputs."""

    def direct(self, samples: slice, states_TBS: Tensor) -> Tensor:
        """Return their partial derivative by some samples' states, later states held fixed."""
        ...

    def credit(self, samples: slice) -> Credit:
        """Return the same derivative as a ``Credit``, for an algorithm to run on."""
        ...

    def counted(self, samples: slice) -> int:
        """Count the outputs of some samples that enter the losses."""
        ...

    def loss(self, samples: slice, h_TBH: Tensor, shift_P: Tensor) -> Tensor:
        """Return the losses with ``shift_P`` added to the readout's weights, for autograd."""
        ...


class Update(NamedTuple):
    """An update of the weights, tensor by tensor; frozen weights are left out."""

    names: Sequence[str]
    before: Sequence[Tensor]
    after: Sequence[Tensor]
    raw: Sequence[Tensor]
    """The gradient before clipping; it may be split otherwise than the weights, or not at all."""
    clipped: Sequence[Tensor]
    """The gradient after clipping, split alike; ``raw`` itself where nothing clips."""
    threshold: float | None


Outputs = dict[str, list[Tensor]]
"""‖∂L/∂h‖ of each call of each layer of a feed-forward network, by name, in order of the calls."""


class Estimated(NamedTuple):
    """A batch from which a network of ``energies`` has its gradient, before its weights move."""

    energy: Any
    """The network."""
    x_BI: Tensor
    t_BO: Tensor
    learned: Any
    """The gradient, and the chains by which the model was sampled (``energies``' ``Learned``)."""


Row = dict[str, str | int | float | None]
"""A row of an instrument's measurements."""


class Instrument(Protocol):
    """What a learner knows of a probe.

    Attributes:
        name: what it is called.
        sees: what it can measure, such as passages, updates, or the outputs of a network's layers.
        needs: which of these it cannot do without.
        passage: builds the object that all instruments are shown of a passage.
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
        """Look at the norms of the errors that came back to a network's layers."""
        ...

    def remark(self, what: str) -> None:
        """Say in one line, once, what it cannot see."""
        ...

    def rows(self, step: int) -> list[Row]:
        """Return rows of all that was measured since the last call, and start anew."""
        ...
