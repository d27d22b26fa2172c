"""The memory of blocked RTRL: the influence M₀ at a block's start, and the block's record.

Letters and equations are those of ``blocked_rtrl``.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.linalg import vector_norm

from lightning_modules.algorithms._descent import Descent
from lightning_modules.algorithms._lifts import Lifts, band, log_norm
from lightning_modules.algorithms._panels import panels
from lightning_modules.algorithms._reach import Reach
from lightning_modules.algorithms._resets import forget, without_what_resets_hide
from lightning_modules.algorithms._room import SPAN
from lightning_modules.interfaces import Trajectory

_TOGETHER = 16 * SPAN
"""Steps whose products are held at once while M₀ moves on."""
STRETCH = 4
"""How many times as long a block may become while credit fades before it reaches the start."""
UNASKED = 7
"""Blocks that go without bounds (``_reach``) after one in which credit did reach the start."""


class Block:
    """The memory that blocked RTRL carries along a stream.

    Attributes:
        sizes: how many numbers each tensor of parameters has.
        m_BSP: M₀; None in the first block, where it is zero.
        record: the steps so far of the open block, the one being filled; once it is full, M₀ moves
            on when the next step comes.
        runs: how many runs the record was made in.
        forgets: whether the last credit became negligible on its way back to M₀.
        unasked: how many blocks, this one among them, are sent back whole without bounds.
    """

    def __init__(self, sizes: Sequence[int]):
        self.sizes = sizes
        self.m_BSP: Tensor | None = None
        self.record: Trajectory | None = None
        self.runs, self.forgets, self.unasked = 0, False, 0
        self._descent = Descent()
        self._spare: Trajectory | None = None
        self._restored = False
        self._next_BSP: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: scratch is not."""
        kept = "sizes", "m_BSP", "record", "runs", "forgets", "unasked"
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what was pickled, with new scratch."""
        self.__init__(state["sizes"])
        self.__dict__.update(state)
        self._restored = self.record is not None

    def begin(self, path: Trajectory) -> None:
        """Give an unpickled record its cell back, taken from ``path``, the steps to come."""
        if self._restored and self.record is not None:
            self.record = self.record.of_cell(path)
        self._restored = False

    def __len__(self) -> int:
        """Count the steps of the open block."""
        return 0 if self.record is None else len(self.record)

    def left(self, length: int) -> int:
        """Count the steps that still fit into the open block, of ``length`` steps at first."""
        return length * (STRETCH if self.forgets and self.runs > 1 else 1) - len(self)

    def take(self, new: Trajectory, c_TBS: Tensor, outlives: bool, length: int) -> Tensor:
        """Record steps of the open block and return the gradient of their losses, (P,).

        ``outlives`` says that the record will be needed when the run is over.
        """
        exponent = _faint(c_TBS)
        if exponent:
            return self._take(new, c_TBS * 2.0**exponent, outlives, length) * 2.0**-exponent
        return self._take(new, c_TBS, outlives, length)

    def _take(self, new: Trajectory, c_TBS: Tensor, outlives: bool, length: int) -> Tensor:
        """Do what ``take`` does, on credits scaled so that they do not underflow at once."""
        self.runs += 1
        self._forget(new)
        if self.record is None:
            total_P, v_BS = self._swept(new, c_TBS)
            empty = new.part(0, 0) if self._spare is None else self._spare
            self.record = empty.followed_by(new) if outlives else new
        else:
            self.record = self.record.followed_by(new)
            total_P, v_BS = self._sent_back(self.record, c_TBS, length)
        if self.m_BSP is not None and v_BS is not None:
            total_P.unsqueeze(0).addmm_(v_BS.reshape(1, -1), self.m_BSP.flatten(0, 1))
        if new.resets_TB is not None and new.resets_TB[1:].any():
            self._forget_within(new.resets_TB)
        return total_P

    def _forget(self, new: Trajectory) -> None:
        """Forget the samples that are reset before the first of some steps."""
        if new.resets_TB is None:
            return
        if self.m_BSP is not None:
            forget(new, 0, self.m_BSP)
        if self.record is not None:
            self.record = self.record.without(new.resets_TB[:1].expand(len(self.record), -1))
            self._descent.clear(new.resets_TB[0])

    def _forget_within(self, resets_TB: Tensor) -> None:
        """Forget what was before resets among the last steps, whose losses have been sent back."""
        assert self.record is not None
        if self.m_BSP is not None:
            self.m_BSP.masked_fill_(resets_TB.any(0)[:, None, None], 0)
        self.record = without_what_resets_hide(self.record)
        self._descent.begin()

    def _swept(self, new: Trajectory, c_TBS: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the gradient from a block's first steps, and the credit at its start.

        The credit is None where it is negligible.
        """
        u_TBZ, v_TBS = new.sweep(c_TBS)
        total_P = new.gradient(u_TBZ)
        reach = self._look(new, c_TBS[0])
        self.forgets = False
        if reach is not None:
            size, least = log_norm(v_TBS[0]), reach.least(u_TBZ)
            self.forgets = reach.may_end(size, 0, least) and reach.settled(size, 0, total_P)
        return total_P, None if self.forgets else v_TBS[0]

    def _look(self, record: Trajectory, like_BS: Tensor) -> Reach | None:
        """Return the bounds of the open block; None where they are not asked for."""
        return None if self.unasked else self._descent.look(record, like_BS, self.m_BSP, self.sizes)

    def _sent_back(
        self, record: Trajectory, c_TBS: Tensor, length: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return the same for a block with earlier steps, through whose Jacobians credit goes.

        It goes back only as far as it can add to the gradient.
        """
        T, (given, B, S), descent = len(record), c_TBS.shape, self._descent
        reach, least = self._look(record, c_TBS[0]), 0.0
        if reach is not None:
            least = reach.least(record.immediate(c_TBS.unsqueeze(2), T - given))
        descent.close_spans(record, T - given, c_TBS[0])
        j_T, skipped = descent.jacobians(record, T, c_TBS[0])
        v = descent.room.slots("credits", c_TBS, STRETCH * length + 1, B, 1, S)
        v.first_TBS[T - given + 1 : T + 1] = c_TBS
        start, added, ask, lifts = T, T - given, T - given, Lifts()
        while True:
            start, ended = descent.go(v, j_T, 0, start, lifts, added, ask, skipped, least)
            u_TBRZ = record.immediate(v.all_TBRS[start + 1 : T + 1], start)
            met = record.part(start, T) if start else record
            total_P = met.gradient(lifts.undo(u_TBRZ, start).squeeze(2))
            if not ended or reach is None:
                self.forgets = False
                return total_P, lifts.undo(v.all_TBRS[:1], -1)[0, :, 0]
            if reach.settled(lifts.size, start, total_P):
                self.forgets = True
                return total_P, None
            ask = _further(start, T)

    def move_on(self, like_BS: Tensor) -> None:
        """Carry M₀ to the end of the open block, and close it."""
        assert self.record is not None
        record, next_BSP = self.record, self._next_BSP
        self._look(record, like_BS)
        if self.runs > 1:
            self._descent.close_spans(record, len(record), like_BS)
        if next_BSP is None:
            next_BSP = like_BS.new_empty(*like_BS.shape, record.parameters)
        psi_BSS = self._gather(record, next_BSP.zero_())
        if self.m_BSP is not None and psi_BSS is not None:
            for psi_SS, *whole in zip(psi_BSS, next_BSP, self.m_BSP, strict=True):
                for next_SP, m_SP in panels(*whole):
                    next_SP.addmm_(psi_SS, m_SP)
        self.m_BSP, self._next_BSP, self._spare = next_BSP, self.m_BSP, record.part(0, 0)
        self.unasked = 0 if self.forgets else (self.unasked or UNASKED + 1) - 1
        self.record, self.runs, self.forgets = None, 0, False
        self._descent.begin()

    def _gather(self, record: Trajectory, m_BSP: Tensor) -> Tensor | None:
        """Add to m the influence of the block's own steps, the last first, and return Ψ_start.

        None if Ψ became negligible before the start.
        """
        T, (B, S, _), descent = len(record), m_BSP.shape, self._descent
        some = min(_TOGETHER, T)
        psi = descent.room.slots("psi", m_BSP, some + 1, B, S, S)
        u = descent.room.slots("products", m_BSP, some, B, S, record.pre_activations)
        psi_BSS, least = torch.eye(S, dtype=m_BSP.dtype, device=m_BSP.device).expand(B, S, S), 0.0
        if descent.reach is not None:
            least = descent.reach.least_influence(record, T - 1)
        last, ask, lifts = T, T, Lifts()
        while last > 0:
            first = (last - 1) // some * some
            psi.all_TBRS[last - first] = psi_BSS
            if self.runs > 1:
                j_T, skipped = descent.jacobians(record, T, m_BSP[..., 0])
            else:  # there are no spans, so these steps' alone are made
                j_T, these_TBSS = descent.room.steps("these", m_BSP, some, B, S, S)
                record.jacobians(first, these_TBSS[: last - first])
                skipped = first
            start, ended = descent.go(psi, j_T, first, last, lifts, last - 1, ask, skipped, least)
            psi_BSS, of_u = psi.all_TBRS[start - first], u.all_TBRS[start - first : last - first]
            record.immediate(psi.all_TBRS[start - first + 1 : last - first + 1], start, of_u)
            record.accumulate(lifts.undo(of_u, start), start, m_BSP)
            if ended and descent.reach is not None:
                if descent.reach.settled_rows(lifts.sizes(psi_BSS), start, m_BSP):
                    return None
                ask = _further(start, T)
            last = start
        return lifts.undo(psi.all_TBRS[:1], -1)[0]


def _further(start: int, T: int) -> int:
    """Return the slot to test at next, twice as far back, so that the tests cost little in all."""
    return max(0, 2 * start - T) if start else -1


def _faint(c_TBS: Tensor) -> int:
    """Return the power of two that scales small credits up into the band (``_lifts``); else 0.

    They are scaled no higher than necessary, since they may grow on their way back.
    """
    (low, _, _, reach, _), size = band(c_TBS.dtype), 0.0
    if c_TBS.is_cpu and vector_norm(c_TBS).item() < low:
        size = c_TBS.abs().max().item()
    return min(reach, math.frexp(low)[1] - math.frexp(size)[1]) if 0 < size < low else 0
