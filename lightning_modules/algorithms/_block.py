"""The memory of blocked RTRL: the influence at a block's start, and the block's record.

Credit goes back through the steps of the open block one by one, but through steps that were there
a while ago a span at once: of ``SPAN`` steps all products of Jacobians are kept side by side, so
that a row is sent through them by one product instead of ``SPAN``.

    slot t of some rows: what is credited to the state after t steps        v_t = v_{t+1} J_t
"""

from typing import Any

import torch
from torch import Tensor

from lightning_modules.algorithms._room import SPAN, Room, Slots, flush, product
from lightning_modules.interfaces import Trajectory

_TOGETHER = 128
"""Steps whose products are held at once while M₀ moves on; a multiple of ``SPAN``."""


class Block:
    """What a stream carries on.

    Attributes:
        m_BSP: M₀; None in the first block, where it is zero.
        record: the open block's steps so far; M₀ moves on when the next step comes.
        runs: how many runs the record was made in.
    """

    def __init__(self):
        self.m_BSP: Tensor | None = None
        self.record: Trajectory | None = None
        self.runs = 0
        self._room = Room()
        self._spare: Trajectory | None = None
        self._next_BSP: Tensor | None = None
        self._spans, self._known = 0, 0

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: scratch is not."""
        return {"m_BSP": self.m_BSP, "record": self.record, "runs": self.runs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take that, and make scratch anew."""
        self.__init__()
        self.__dict__.update(state)

    def __len__(self) -> int:
        """Count the steps of the open block."""
        return 0 if self.record is None else len(self.record)

    def take(self, new: Trajectory, c_TBS: Tensor, outlives: bool, length: int) -> Tensor:
        """Record steps of the open block and return the gradient of their losses, (P,).

        ``outlives`` says that the record will be needed when the run is over; ``length`` is the
        full block's.
        """
        self.runs += 1
        if self.record is None:
            u_TBZ, v_TBS = new.sweep(c_TBS)
            v_BS = v_TBS[0]
            total_P = new.gradient(u_TBZ)
            empty = new.part(0, 0) if self._spare is None else self._spare
            self.record = empty.followed_by(new) if outlives else new
        else:
            self.record = self.record.followed_by(new)
            u_TBZ, v_BS = self._back(self.record, c_TBS, length)
            total_P = self.record.gradient(u_TBZ)
        if self.m_BSP is not None:
            total_P.unsqueeze(0).addmm_(v_BS.reshape(1, -1), self.m_BSP.flatten(0, 1))
        return total_P

    def _back(self, record: Trajectory, c_TBS: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Send credits back through the record by its Jacobians: to all z and the first state."""
        T, (given, B, S) = len(record), c_TBS.shape
        self._close_spans(T - given, c_TBS[0], length)
        j_T = self._jacobians(T, c_TBS[0], length)
        v = self._room.slots("credits", c_TBS, length + 1, B, 1, S)
        v.first_TBS[T - given + 1 : T + 1] = c_TBS
        self._descend(v, j_T, 0, T, given)
        return record.immediate(v.all_TBRS[1 : T + 1]).squeeze(2), v.first_TBS[0]

    def _jacobians(self, upto: int, like_BS: Tensor, length: int) -> list[Tensor]:
        """Return the block's Jacobians; those of steps before ``upto`` and in no span are there."""
        B, S = like_BS.shape
        j_T, all_TBSS = self._room.steps("jacobians", like_BS, length, B, S, S)
        first = max(self._known, SPAN * self._spans)
        if first < upto:
            assert self.record is not None
            self.record.jacobians(first, all_TBSS[first:upto])
            self._known = upto
        return j_T

    def _close_spans(self, upto: int, like_BS: Tensor, length: int) -> None:
        """Make the products of every whole span before ``upto``."""
        B, S = like_BS.shape
        while (first := SPAN * self._spans) + SPAN <= upto:
            j_T = self._jacobians(first + SPAN, like_BS, length)[first:]
            span = self._room.slots(f"span {self._spans}", like_BS, SPAN, B, S, S)
            span.each_T[-1].copy_(j_T[SPAN - 1])
            for t in range(SPAN - 2, -1, -1):
                product(span.each_T[t + 1], j_T[t], span.each_T[t])
            flush(span.all_TBRS)
            self._spans += 1

    def _descend(
        self, rows: Slots, j_T: list[Tensor], first: int, last: int, given: int, skipped: int = 0
    ) -> None:
        """Fill the slots from ``last`` down to ``first``, which is slot 0 of ``rows``.

        The last ``given`` slots hold what is added there; the list lacks ``skipped`` Jacobians.
        """
        t, v_T = last, rows.each_T
        while t > first:
            if t <= SPAN * self._spans:
                t -= SPAN
                products = self._room.found[f"span {t // SPAN}"].spans[0]
                product(v_T[t + SPAN - first], products, rows.spans[(t - first) // SPAN])
                flush(v_T[t - first])
                continue
            t -= 1
            v, J = v_T[t + 1 - first], j_T[t - skipped]
            if t > last - given:
                v_T[t - first] += v @ J
            else:
                product(v, J, v_T[t - first])
            if t % SPAN == 0:
                flush(v_T[t - first])

    def move_on(self, like_BS: Tensor) -> None:
        """Carry M₀ to the end of the open block, and close it."""
        assert self.record is not None
        (B, S), record, T = like_BS.shape, self.record, len(self)
        if self.runs > 1:
            self._close_spans(T, like_BS, T)
        next_BSP, room = self._next_BSP, min(_TOGETHER, T)
        if next_BSP is None:
            next_BSP = like_BS.new_empty(B, S, record.parameters)
        psi = self._room.slots("psi", like_BS, room + 1, B, S, S)
        u = self._room.slots("products", like_BS, room, B, S, record.pre_activations)
        psi_TBSS, u_TBSZ = psi.all_TBRS, u.all_TBRS
        psi_BSS = torch.eye(S).to(like_BS).expand(B, S, S)
        for first in range((T - 1) // room * room, -1, -room):
            last, begun = min(T, first + room), first + room < T
            psi_TBSS[last - first] = psi_BSS
            j_T, skipped = self._open_jacobians(first, last, like_BS, room)
            self._descend(psi, j_T, first, last, 1, skipped)
            psi_BSS = psi_TBSS[0]
            if first == 0 and self.m_BSP is not None:
                for next_SP, psi_SS, m_SP in zip(next_BSP, psi_BSS, self.m_BSP, strict=True):
                    torch.addmm(next_SP, psi_SS, m_SP, beta=begun, out=next_SP)
            elif not begun:
                next_BSP.zero_()
            record.immediate(psi_TBSS[1 : last - first + 1], first, u_TBSZ[: last - first])
            record.accumulate(u_TBSZ[: last - first], first, next_BSP)
        self.m_BSP, self._next_BSP, self._spare = next_BSP, self.m_BSP, record.part(0, 0)
        self.record, self.runs, self._spans, self._known = None, 0, 0, 0

    def _open_jacobians(
        self, first: int, last: int, like_BS: Tensor, room: int
    ) -> tuple[list[Tensor], int]:
        """Return the Jacobians of a list of steps that has all between which are in no span.

        Also the number of the list's first. They are kept where there are spans, else they are
        made for these steps alone.
        """
        if self.runs > 1:
            return self._jacobians(len(self), like_BS, len(self)), 0
        assert self.record is not None
        B, S = like_BS.shape
        j_T, all_TBSS = self._room.steps("these", like_BS, room, B, S, S)
        self.record.jacobians(first, all_TBSS[: last - first])
        return j_T, first
