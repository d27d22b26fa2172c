"""What probes see of a passage, computed once for all of them.

A passage is one run of an algorithm through T steps of a batch. L is the loss that the update
descends: the mean over the outputs that count.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lightning_modules.instruments import Reading
from lightning_modules.interfaces import Cell, Run
from lightning_modules.norms import norm
from lightning_modules.probes._layers import layers_of


@dataclasses.dataclass
class Passage:
    """A run through T steps; the weights have not moved since.

    Attributes:
        s_BS: the state before all steps.
        counted: how many outputs L is the mean of.
        credited: the steps that have losses of their own; None where that is not known.
        gradient_P: of L, by the cell's weights and then the readout's; None if unknown.
        given_TBS: ``direct_TBS``, if it is known already.
    """

    cell: Cell
    x_TBI: Tensor
    s_BS: Tensor
    resets_TB: Tensor | None
    run: Run
    reading: Reading
    counted: int
    credited: Sequence[int] | None = None
    gradient_P: Tensor | None = None
    given_TBS: Tensor | None = None

    @functools.cached_property
    def direct_TBS(self) -> Tensor:  # noqa: N802
        """The summed losses' direct derivative by the states, later states held, (T, B, S)."""
        if self.given_TBS is not None:
            return self.given_TBS
        return self.reading.direct(slice(None), self.run.path.states_TBS)

    @functools.cached_property
    def total_TBS(self) -> Tensor:  # noqa: N802
        """Their total derivative by all states, the one before the steps first, (T + 1, B, S)."""
        return self.swept[1] if self.run.total_TBS is None else self.run.total_TBS

    @functools.cached_property
    def swept(self) -> tuple[Tensor, Tensor]:
        """The summed losses' derivative by every z and every state."""
        return self.run.path.sweep(self.direct_TBS)

    @functools.cached_property
    def flow_LT(self) -> Tensor:  # noqa: N802
        """‖∂L/∂h‖ in each layer over all samples, (layers, T + 1), from before the first step."""
        return self.norms(self.total_TBS)

    def norms(self, v_TBS: Tensor) -> Tensor:
        """Return norms over each layer's h and all samples, divided by ``counted``, (layers, T)."""
        # Not by sample first: for a batch of 32 that is 32 times as many norms of short rows.
        of_T = [norm(v_TBS[..., h], (-2, -1), over=self.counted) for h in layers_of(self.cell)]
        return of_T[0].unsqueeze(0) if len(of_T) == 1 else torch.stack(of_T)

    def few(self, samples: int) -> "Few":
        """Return the first ``samples`` samples, followed again with their Jacobians."""
        if samples not in self._few:
            self._few[samples] = Few.of(self, slice(0, min(samples, self.x_TBI.shape[1])))
        return self._few[samples]

    @functools.cached_property
    def _few(self) -> dict[int, "Few"]:
        return {}


class Few(NamedTuple):
    """Some samples of a passage with all their Jacobians."""

    samples: slice
    x_TBI: Tensor
    before_TBS: Tensor
    """The states before each step, zero after a reset."""
    keep_TB: Tensor
    """False where a sample is reset before the step."""
    states_TBS: Tensor
    jacobians_TBSS: Tensor
    """Zero where a sample is reset."""

    @classmethod
    def of(cls, seen: Passage, samples: slice) -> "Few":
        """Follow the samples."""
        x_TBI, s_BS, resets_TB = seen.x_TBI[:, samples], seen.s_BS[samples], seen.resets_TB
        resets_TB = None if resets_TB is None else resets_TB[:, samples]
        path = seen.cell.follow(x_TBI, s_BS, resets_TB)
        states_TBS, (T, B, _), S = path.states_TBS, x_TBI.shape, s_BS.shape[1]
        j_TBSS = states_TBS.new_empty(T, B, S, S)
        path.jacobians(0, j_TBSS)
        keep_TB = x_TBI.new_ones(T, B, dtype=torch.bool) if resets_TB is None else ~resets_TB
        before_TBS = torch.cat([s_BS[None], states_TBS[:-1]])
        before_TBS = before_TBS.masked_fill(~keep_TB.unsqueeze(-1), 0)
        return cls(samples, x_TBI, before_TBS, keep_TB, states_TBS, j_TBSS)
