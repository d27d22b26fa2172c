"""The contracts between the folders: cells, algorithms and tasks.

A cell never imports an algorithm, nor the reverse: both import this file only. Every classical
cell consists of affine maps and a unit-wise update (``cells/_unitwise.py``), so its derivatives
are known in closed form and no autograd graph is needed.

Shape letters, here and everywhere, written as a suffix on the name (``x_BI``):
    B batch   T time   I input   H hidden   S state   O output
    Z pre-activations   P parameters, flattened in the order of ``cell.parameters()``
    R rows: several vectors that are pulled back together
"""

import abc
import enum
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

Credit = Callable[[int, Tensor], Tensor]
"""``credit(t, s_BS)`` is the partial derivative of the loss at step t by the state, (B, S).

It is called once a step, in order; where it offers ``credit.sequence(s_TBS)``, that is called
instead, once for all steps. It may use autograd, and may return the same tensor each time: the
result is copied. It must not write into the states: that raises ValueError.
"""


class Claim(enum.Enum):
    """What an algorithm promises of its gradient. The tests hold it to exactly this."""

    EXACT = "equals the derivative of the whole-sequence loss"
    UNBIASED = "equals it on average over the algorithm's own noise"
    ALIGNED = "points less than 90 degrees away from it"
    ZERO = "is zero: the cell keeps its weights, and what reads its state learns alone"


class Trajectory(abc.ABC):
    """A cell's states along T steps and its first derivatives at each of them.

    s and s' are the states before and after a step. The trajectory keeps what it needs of the
    weights, so they may change after it was made. For a sample that was reset before a step,
    ds'/ds is zero there.

    Attributes:
        states_TBS: the state after each step; empty in a record of joined steps.
        pre_activations: Z, the number of rows of z.
        parameters: P.
    """

    states_TBS: Tensor
    pre_activations: int
    parameters: int

    @property
    @abc.abstractmethod
    def resets_TB(self) -> Tensor | None:  # noqa: N802
        """True where a sample started a step from a zero state, (T, B); None if none did."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """Count the steps."""

    @abc.abstractmethod
    def sweep(self, c_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Back-propagate: credits on every z, (T, B, Z), and on every state, (T + 1, B, S).

        The first state is the one before all steps. A state's credit is the total derivative: its
        own, what comes back from later steps, and in a stack what comes down from the layer above.
        If ``c_TBS`` has fewer steps than the trajectory, it belongs to the last ones.
        """

    @abc.abstractmethod
    def pull(self, v_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Pull each step's row v back through that step alone: v ds'/dz and v ds'/ds."""

    @abc.abstractmethod
    def jacobians(self, first: int, into_TBSS: Tensor) -> None:
        """Write ds'/ds of the steps from ``first`` on."""

    @abc.abstractmethod
    def within(self) -> tuple[Tensor, Tensor]:
        """Return ds'/ds within each unit: at fixed z, (T, B, K, K, H), and through W h, (…, K, H).

        K counts the blocks of the state. ValueError for a cell that is not made of units.
        """

    @abc.abstractmethod
    def gates(self) -> dict[str, Tensor]:
        """Return each gate's values by name, (T, B, H); no gates of steps that were joined."""

    @abc.abstractmethod
    def immediate(self, v_TBRS: Tensor, first: int = 0, into_TBRZ: Tensor | None = None) -> Tensor:
        """Return v ds'/dz, (T, B, R, Z), for R rows at each of the steps from ``first`` on."""

    @abc.abstractmethod
    def inject(self, t: int, m_BSP: Tensor) -> None:
        """Add the immediate influence of step t's parameters, ds'/dw at fixed s, to m in place."""

    @abc.abstractmethod
    def accumulate(self, u_TBRZ: Tensor, first: int, m_BRP: Tensor) -> None:
        """Add R parameter gradients, for credits on z in the steps from ``first`` on, to m."""

    @abc.abstractmethod
    def gradient(self, u_TBZ: Tensor) -> Tensor:
        """Return the parameter gradient, (P,), for credits u on the pre-activations."""

    @abc.abstractmethod
    def part(self, first: int, last: int) -> "Trajectory":
        """Return the steps from ``first`` up to ``last`` (excluded), sharing storage."""

    def of_cell(self, then: "Trajectory") -> "Trajectory":
        """Return these steps, after unpickling, as steps of the cell that ``then`` belongs to."""
        del then  # steps usually hold all that they need; those that need the cell override this
        return self

    @abc.abstractmethod
    def followed_by(self, then: "Trajectory") -> "Trajectory":
        """Return these steps and more, each with its own weights; this one's storage is reused."""

    @abc.abstractmethod
    def without(self, gone_TB: Tensor) -> "Trajectory":
        """Return these steps with zeros where ``gone_TB`` is true.

        Steps from before a reset are kept like this: no error passes a reset, but a factor of zero
        is not enough, since 0 · inf is NaN.
        """


class Cell(nn.Module, abc.ABC):
    """One step of a recurrent network whose state is one flat tensor, (B, S).

    The state begins with h, (B, H), the part that readouts and layers above see. A cell that
    defines ``forward`` alone derives from ``ForwardCell`` in ``cells/_forward.py``.
    """

    input_size: int
    hidden_size: int
    state_size: int

    @abc.abstractmethod
    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Return the next state, (B, S)."""

    @torch.no_grad()
    def follow(self, x_TBI: Tensor, s_BS: Tensor, resets_TB: Tensor | None = None) -> Trajectory:
        """Run T steps without autograd; where ``resets_TB`` is not 0, the step starts from zero.

        ValueError if there is no step, or if shapes or types do not fit.
        """
        _check(self, x_TBI, s_BS, resets_TB)
        if resets_TB is not None:
            resets_TB = resets_TB if resets_TB.dtype == torch.bool else resets_TB != 0
            resets_TB = resets_TB if resets_TB.any() else None
        return self._follow(x_TBI, s_BS, resets_TB)

    @abc.abstractmethod
    def _follow(self, x_TBI: Tensor, s_BS: Tensor, resets_TB: Tensor | None) -> Trajectory:
        """Do what ``follow`` does, on checked arguments; resets are booleans, not all false."""


def _check(cell: Cell, x_TBI: Tensor, s_BS: Tensor, resets_TB: Tensor | None) -> None:
    """Raise ValueError for arguments that the cell cannot follow."""
    shape, weights = x_TBI.shape, next(cell.parameters(), x_TBI)
    if len(shape) != 3 or shape[2] != cell.input_size:
        raise ValueError(f"x is {(*shape,)}: {_name(cell)} takes (T, B, {cell.input_size})")
    if shape[0] == 0:
        raise ValueError(f"x is {(*shape,)}: there must be at least one step, T")
    if s_BS.shape != (shape[1], cell.state_size):
        raise ValueError(
            f"the state is {(*s_BS.shape,)}: {_name(cell)} takes {(shape[1], cell.state_size)} "
            f"beside an x of {(*shape,)}"
        )
    if resets_TB is not None and resets_TB.shape != shape[:2]:
        raise ValueError(f"resets are {(*resets_TB.shape,)}: {(*shape[:2],)} fits x")
    if not x_TBI.dtype == s_BS.dtype == weights.dtype:
        raise ValueError(
            f"x is {x_TBI.dtype}, the state {s_BS.dtype}, the weights {weights.dtype}: "
            "give all the same type"
        )


def _name(cell: Cell) -> str:
    """Return the name of the cell's class."""
    return type(cell).__name__


class Run(NamedTuple):
    """What a learning algorithm hands back after some steps of a stream."""

    gradient_P: Tensor
    """The gradient of these steps' losses, summed over steps and batch."""
    state_BS: Tensor
    """The state after the last step."""
    memory: Any
    """What the next run continues from; it belongs to this stream and goes into checkpoints.

    It consists of tensors, plain data, trajectories, and records that the algorithm's module
    defines.
    """
    path: Trajectory
    total_TBS: Tensor | None = None
    """dL/ds of every state, (T + 1, B, S); None where the algorithm does not compute it."""


class Algorithm(abc.ABC):
    """A rule that turns inputs and credit into a parameter gradient, for any cell."""

    claim: ClassVar[Claim]

    @abc.abstractmethod
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Any = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Go T steps further along a stream; ``memory`` is the last run's, None at its start.

        Weights may change between runs. A memory can be given to one run only, which may reuse
        its storage.
        """

    def gradient(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        resets_TB: Tensor | None = None,
    ) -> Tensor:
        """Return the gradient of the loss summed over time and batch, (P,)."""
        return self.run(cell, x_TBI, s_BS, credit, None, resets_TB).gradient_P


class Batch(NamedTuple):
    """Sequences that are trained on together; the letters are defined above."""

    x_TBI: Tensor
    y_TB: Tensor
    """Targets: classes (integers), or values (floats, then (T, B, O))."""
    mask_TB: Tensor
    """True where the output counts in the loss."""
    resets_TB: Tensor
    """True where a sample starts from a zero state."""


class Task(abc.ABC):
    """A supply of batches, a pure function of seed and index, so that training can resume.

    Attributes:
        loss: "cross_entropy" for classes, "squared_error" for values.
        streams: True if batch i + 1 continues the sequences of batch i, so that state is carried.
    """

    input_size: int
    output_size: int
    loss: Literal["cross_entropy", "squared_error"]
    streams: bool = False

    @abc.abstractmethod
    def batch(self, index: int) -> Batch:
        """Return training batch ``index``, for any index from 0 on."""

    @abc.abstractmethod
    def held_out(self) -> Iterator[Batch]:
        """Iterate over the data that is never trained on."""
