"""Real-time recurrent learning by blocks: the same gradient as dense RTRL, in O(n³) a step.

M₀, the influence at a block's start, stays as it is while up to K steps are recorded. The losses
of the block are sent back through its record, and what arrives at its start is read against M₀:

    v_t = c_t + v_{t+1} J_{t+1}        dL/dw = Σ u_t ⊗ [x, h, 1]_t + v_start M₀

A run of one step reads its own gradient so, which makes O(K n²) + 2 n p operations; a run of
many steps sends the losses of a whole block back together. Once in K steps M₀ moves on:

    Ψ_{s-1} = Ψ_s J_s from Ψ = 1 at the block's end        M₀ ← Ψ_start M₀ + Σ_s (Ψ_s C_s) ⊗ a_s

the sum being one product of (n² × K) by (K × (n + m + 1)). Each recorded step keeps its own
weights, so nothing is approximated when they move at every step.

References:
    Williams (1989), Complexity of exact gradient computation algorithms for recurrent neural
        networks, Technical Report NU-CCS-89-27, Northeastern University.
    Schmidhuber (1992), A fixed size storage O(n³) time complexity learning algorithm for fully
        recurrent continually running networks, Neural Computation 4(2).
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run, Trajectory

_TOGETHER = 64
"""Steps whose products are held at once while M₀ moves on."""


class Memory(NamedTuple):
    """What a stream carries on."""

    influence_BSP: Tensor | None = None
    """M₀; None in the first block, where it is zero."""
    room_BSP: Tensor | None = None
    """Where the next M₀ will be written."""
    record: Trajectory | None = None
    """The open block's steps so far; the block moves on when the next step comes."""


@final
class BlockedRTRL(Algorithm):
    """The exact gradient, forwards by blocks."""

    claim = Claim.EXACT

    def __init__(self, block_length: int | None = None):
        """Move M₀ on every ``block_length`` steps; None takes the number of hidden units."""
        if block_length is not None and block_length < 1:
            raise ValueError(f"block_length is {block_length}: it must be at least 1, or None")
        self.block_length = block_length

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Memory | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Fill the open block, then one block after the other; the last may stay open."""
        path, K = cell.follow(x_TBI, s_BS, resets_TB), self.block_length or cell.hidden_size
        c_TBRS = credits_of(credit, path.states_TBS).unsqueeze(2)
        memory, total_P = memory or Memory(), x_TBI.new_zeros(_parameters(cell))
        first = 0
        while first < len(path):
            if memory.record is not None and len(memory.record) >= K:
                memory = _moved_on(memory, c_TBRS, len(total_P))
            last = min(len(path), first + K - _length(memory.record))
            memory = memory._replace(record=_extended(memory.record, path, first, last))
            total_P += _share(memory, c_TBRS[first:last])
            first = last
        return Run(total_P, path.states_TBS[-1].clone(), memory)


def _parameters(cell: Cell) -> int:
    """Count the cell's parameters."""
    return sum(w.numel() for w in cell.parameters())


def _length(record: Trajectory | None) -> int:
    """Count the steps of the open block."""
    return 0 if record is None else len(record)


def _extended(record: Trajectory | None, path: Trajectory, first: int, last: int) -> Trajectory:
    """Return the open block with some of a run's steps behind it.

    A block amid the run is a view of it; what outlives the run gets storage of its own.
    """
    new = path if last - first == len(path) else path.part(first, last)
    if record is not None:
        return record.followed_by(new)
    return new if last < len(path) else new.part(0, 0).followed_by(new)


def _share(memory: Memory, c_TBRS: Tensor) -> Tensor:
    """Return the gradient of the record's last losses, (P,)."""
    assert memory.record is not None
    if not c_TBRS.any():
        return c_TBRS.new_zeros(())
    u_TBRZ, v_BRS = memory.record.sweep(c_TBRS)
    share_P = memory.record.gradient(u_TBRZ.squeeze(2))
    if memory.influence_BSP is not None:
        m_NP = memory.influence_BSP.flatten(0, 1)
        share_P.unsqueeze(0).addmm_(v_BRS.reshape(1, -1), m_NP)
    return share_P


def _moved_on(memory: Memory, like: Tensor, parameters: int) -> Memory:
    """Return the memory with M₀ at the end of the full block and none open."""
    (m_BSP, next_BSP, record), (B, S) = memory, (like.shape[1], like.shape[-1])
    assert record is not None
    if next_BSP is None:
        next_BSP = like.new_empty(B, S, parameters)
    next_BSP.zero_()
    psi_BSS = torch.eye(S).to(like).expand(B, S, S)
    for last in range(len(record), 0, -_TOGETHER):
        part = record.part(max(0, last - _TOGETHER), last)
        u_TBSZ, psi_BSS = part.sweep(psi_BSS.unsqueeze(0))
        part.accumulate(u_TBSZ, next_BSP)
    if m_BSP is not None:
        for b, next_SP in enumerate(next_BSP):
            next_SP.addmm_(psi_BSS[b], m_BSP[b])
    return Memory(next_BSP, m_BSP)
