"""Real-time recurrent learning by blocks: the same gradient as dense RTRL, in O(n³) a step.

M₀, the influence at a block's start, stays as it is while up to K steps are recorded. The losses
of the block are sent back through its record, and what arrives at its start is multiplied by M₀:

    v_t = c_t + v_{t+1} J_{t+1}        dL/dw = Σ u_t ⊗ [x, h, 1]_t + v_start M₀

A run of one step computes its gradient so, in O(K n²) + 2 n p operations for p parameters; a run
of many steps sends the losses of a whole block back together. Once in K steps M₀ moves on:

    Ψ_{s-1} = Ψ_s J_s from Ψ = 1 at the block's end        M₀ ← Ψ_start M₀ + Σ_s (Ψ_s C_s) ⊗ a_s

the sum being one product of (n² × K) by (K × (n + m + 1)), for m inputs. Each recorded step keeps
its own weights, so nothing is approximated when they move at every step. In a large network that
forgets, v and Ψ go back only until what they could add is below the rounding error of every
parameter tensor (``_reach``), whatever the scale of the credit (``_lifts``). Entries of M that
underflow are lost, as in dense RTRL.

References:
    Williams (1989), Complexity of exact gradient computation algorithms for recurrent neural
        networks, Technical Report NU-CCS-89-27, Northeastern University.
    Schmidhuber (1992), A fixed size storage O(n³) time complexity learning algorithm for fully
        recurrent continually running networks, Neural Computation 4(2).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms._block import Block
from lightning_modules.algorithms._credit import credits_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


@final
class BlockedRTRL(Algorithm):
    """The exact gradient, forwards by blocks."""

    claim = Claim.EXACT

    def __init__(self, block_length: int | None = None):
        """Move M₀ on every ``block_length`` steps; None takes S. ValueError below 1.

        Where a large network forgets within a block, blocks grow to four times that length.
        """
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
        memory: Block | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Fill the open block, then one block after the other; the last may stay open."""
        path, length = cell.follow(x_TBI, s_BS, resets_TB), self.block_length or cell.state_size
        c_TBS = credits_of(credit, path.states_TBS)
        block = Block([w.numel() for w in cell.parameters()]) if memory is None else memory
        block.begin(path)
        total_P, first, T = None, 0, len(path)
        while first < T:
            if block.left(length) <= 0:
                block.move_on(s_BS)
            last = min(T, first + block.left(length))
            new = path if last - first == T else path.part(first, last)
            share_P = block.take(new, c_TBS[first:last], last == T, length)
            total_P = share_P if total_P is None else total_P.add_(share_P)
            first = last
        assert total_P is not None
        return Run(total_P, path.states_TBS[-1].clone(), block, path)
