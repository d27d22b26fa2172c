"""The memory of blocked RTRL: the influence at a block's start, and the block's record."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from lightning_modules.interfaces import Trajectory

_TOGETHER = 64
"""Steps whose products are held at once while M₀ moves on."""


class _Buffer(NamedTuple):
    """Scratch for the steps of a block, and views of each step that a product takes as they are."""

    all_TBRS: Tensor
    each_T: list[Tensor]


class Block:
    """What a stream carries on.

    Attributes:
        m_BSP: M₀; None in the first block, where it is zero.
        record: the open block's steps so far; M₀ moves on when the next step comes.
    """

    def __init__(self):
        self.m_BSP: Tensor | None = None
        self.record: Trajectory | None = None
        self._room: dict[str, _Buffer] = {}
        self._next_BSP: Tensor | None = None
        self._known = 0

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: scratch is not."""
        return {"m_BSP": self.m_BSP, "record": self.record}

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
        if self.record is None:
            u_TBZ, v_BS = new.sweep(c_TBS)
            total_P = new.gradient(u_TBZ)
            self.record = new.part(0, 0).followed_by(new) if outlives else new
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
        j = self._scratch("jacobians", c_TBS, length, B, S, S)
        record.jacobians(self._known, j.all_TBRS[self._known : T])
        self._known = T
        v = self._scratch("credits", c_TBS, length + 1, B, 1, S)
        v.all_TBRS[T - given + 1 : T + 1, :, 0] = c_TBS
        _chain(v.each_T, j.each_T, T, given)
        return record.immediate(v.all_TBRS[1 : T + 1]).squeeze(2), v.all_TBRS[0]

    def move_on(self, like_BS: Tensor) -> None:
        """Carry M₀ to the end of the open block, and close it."""
        assert self.record is not None
        (B, S), record, room = like_BS.shape, self.record, min(len(self), _TOGETHER)
        next_BSP = self._next_BSP
        if next_BSP is None:
            next_BSP = like_BS.new_empty(B, S, record.parameters)
        next_BSP.zero_()
        psi = self._scratch("psi", like_BS, room + 1, B, S, S)
        u_TBSZ = self._scratch("products", like_BS, room, B, S, record.pre_activations).all_TBRS
        psi_BSS = torch.eye(S).to(like_BS).expand(B, S, S)
        for last in range(len(record), 0, -room):
            first = max(0, last - room)
            T = last - first
            psi.all_TBRS[T] = psi_BSS
            _chain(psi.each_T, self._jacobians(record, first, last), T, 1)
            record.immediate(psi.all_TBRS[1 : T + 1], first, u_TBSZ[:T])
            record.accumulate(u_TBSZ[:T], first, next_BSP)
            psi_BSS = psi.all_TBRS[0]
        if self.m_BSP is not None:
            for next_SP, psi_SS, m_SP in zip(next_BSP, psi_BSS, self.m_BSP, strict=True):
                next_SP.addmm_(psi_SS, m_SP)
        self.m_BSP, self._next_BSP, self.record, self._known = next_BSP, self.m_BSP, None, 0

    def _jacobians(self, record: Trajectory, first: int, last: int) -> list[Tensor]:
        """Return the Jacobians of some of the record's steps, from scratch where they are known."""
        if self._known >= last:
            return self._room["jacobians"].each_T[first:last]
        _, B, S, _ = self._room["psi"].all_TBRS.shape
        psi = self._room["psi"].all_TBRS
        j = self._scratch("these", psi, len(psi) - 1, B, S, S)
        record.jacobians(first, j.all_TBRS[: last - first])
        return j.each_T

    def _scratch(self, name: str, like: Tensor, *shape: int) -> _Buffer:
        """Return the scratch of that name, so that a long stream allocates nothing."""
        found = self._room.get(name)
        if found is None or found.all_TBRS.shape != shape:
            new = like.new_empty(shape)
            found = self._room[name] = _Buffer(
                new, list((new[:, 0] if shape[1] == 1 else new).unbind())
            )
        return found


def _chain(v_T: list[Tensor], j_T: list[Tensor], T: int, given: int) -> None:
    """Write v_t = v_{t+1} J_t from T down to 0; the last ``given`` slots hold what is added."""
    product = torch.mm if v_T[0].dim() == 2 else torch.bmm
    negligible = torch.finfo(v_T[0].dtype).tiny * 1e8
    for t in range(T - 1, -1, -1):
        if t > T - given:
            v_T[t] += product(v_T[t + 1], j_T[t])
        else:
            product(v_T[t + 1], j_T[t], out=v_T[t])
        if t % 8 == 0:
            # Subnormal numbers, where a forgetting cell ends up, would slow products a hundredfold.
            torch.hardshrink(v_T[t], negligible, out=v_T[t])
