"""Real-time recurrent learning of a diagonal recurrence, exact in O(P).

Where unit i of s' depends on unit i of s alone, a parameter reaches no unit but its own, and the
influence M = ds/dw has K numbers for each parameter, one for each block of s (a unit has K entries
in the state, one in each block).

    M_k ← Σ_j J_kj M_j + D_k        dL_t/dw = Σ_k c_k M_k        K, j: blocks of s, by w's unit

A run of T steps does this at once. Its own losses go back through its steps, and what arrives at
its start is multiplied by M. To move M on, a row of ones over each block is sent back from the last
step; since J is diagonal by unit, this yields Π J and Σ (Π J) D of all units together:

    dL/dw = Σ u_t ⊗ [x, 1]_t + Σ_k v_k M_k        M_k ← Σ_j (Π J)_kj M_j + Σ_t u_t^k ⊗ [x, 1]_t

O(K P) a step and O(K P) memory, constant in time. At a stream's start a copy of the cell with
random weights is tested for units that depend on others; such a recurrence is refused.

References:
    Mozer (1989), A focused backpropagation algorithm for temporal pattern recognition, Complex
        Systems 3(4).
    Zucchet, Meier, Schug, Mujika & Sacramento (2023), Online learning of long-range dependencies,
        NeurIPS, arXiv:2305.15947.
    Irie, Gopalakrishnan & Schmidhuber (2024), Exploring the promise and limits of real-time
        recurrent learning, ICLR, arXiv:2305.19044.
"""

import copy
from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._resets import forget, stretches
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run, Trajectory


@final
class DiagonalRTRL(Algorithm):
    """The exact gradient of a diagonal recurrence, forwards."""

    claim = Claim.EXACT

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Tensor | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Read the steps' gradient, then move M, (B, K, P), on; ValueError if units mix."""
        if memory is None and not _is_diagonal(cell):
            raise ValueError(
                f"{type(cell).__name__} mixes its units, which diagonal_rtrl cannot follow: take "
                f"rtrl or blocked_rtrl, or a cell without recurrent weights between units"
            )
        path, H = cell.follow(x_TBI, s_BS, resets_TB), cell.hidden_size
        u_TBZ, total_TBS = path.sweep(credits_of(credit, path.states_TBS))
        total_P = path.gradient(u_TBZ)
        for first, stretch in stretches(path):
            if memory is not None:
                forget(stretch, 0, memory)
                if first == 0:
                    v_BKH = total_TBS[0].unflatten(-1, (-1, H))
                    for of, m_BKGHA in _by_unit(cell, memory):
                        total_P[of] += torch.einsum("bkh,bkgha->gha", v_BKH, m_BKGHA).flatten()
            memory = _moved_on(cell, stretch, s_BS, memory)
        return Run(total_P, path.states_TBS[-1].clone(), memory, path, total_TBS)


def _moved_on(cell: Cell, path: Trajectory, like_BS: Tensor, memory: Tensor | None) -> Tensor:
    """Return M after some steps, (B, K, P), from that before them; None is zero."""
    u_KTBZ, rows_KTBS = zip(
        *(path.sweep(ones_BS.unsqueeze(0)) for ones_BS in _rows(like_BS, cell.hidden_size)),
        strict=True,
    )
    next_BKP = like_BS.new_zeros(len(like_BS), len(u_KTBZ), path.parameters)
    path.accumulate(torch.stack(u_KTBZ, dim=2), 0, next_BKP)
    if memory is not None:
        before_KBS = [rows_TBS[0] for rows_TBS in rows_KTBS]
        psi_BKKH = torch.stack(before_KBS, dim=1).unflatten(-1, (-1, cell.hidden_size))
        both = zip(_by_unit(cell, memory), _by_unit(cell, next_BKP), strict=True)
        for (_, m_BKGHA), (_, next_BKGHA) in both:
            for j, m_BGHA in enumerate(m_BKGHA.unbind(1)):
                next_BKGHA.addcmul_(psi_BKKH[:, :, j, None, :, None], m_BGHA.unsqueeze(1))
    return next_BKP


def _rows(s_BS: Tensor, H: int) -> Iterator[Tensor]:
    """Iterate over rows, (B, S), each of ones in one block of the state."""
    for first in range(0, s_BS.shape[-1], H):
        ones_BS = torch.zeros_like(s_BS)
        ones_BS[:, first : first + H] = 1
        yield ones_BS


def _by_unit(cell: Cell, m_BKP: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Iterate over each parameter's place and its influence, with an axis for the unit.

    A parameter's rows are ordered by block, then by unit, as those of z are: (G, H), then the rest.
    """
    first = 0
    for w in cell.parameters():
        of = slice(first, first + w.numel())
        first = of.stop
        if w.numel() > 0:
            shape = (w.shape[0] // cell.hidden_size, cell.hidden_size, w[0].numel())
            yield of, m_BKP[..., of].unflatten(-1, shape)


def _is_diagonal(cell: Cell) -> bool:
    """Tell whether unit i of s' depends on unit i of s alone, whatever the weights are.

    In a diagonal cell a row of random factors, one a unit, is pulled back to what ones are pulled
    back to, times the same factors. That is tested at random weights, inputs and states, so that
    the answer does not depend on the present ones. Weights near 0 keep units from saturating.
    """
    H, rows = cell.hidden_size, [len(w) for w in cell.parameters()]
    if any(size % H for size in (cell.state_size, *rows)):
        return False
    generator, probe = torch.Generator().manual_seed(0), copy.deepcopy(cell).cpu().double()
    for w in probe.parameters():
        w.copy_(torch.randn(w.shape, generator=generator) * (H + cell.input_size) ** -0.5)
    x_TBI = torch.randn(1, 8, cell.input_size, generator=generator, dtype=torch.float64)
    s_BS = torch.randn(8, cell.state_size, generator=generator, dtype=torch.float64)
    path, weigh_H = probe.follow(x_TBI, s_BS), torch.randn(H, generator=generator).double()
    for ones_BS in _rows(s_BS, H):
        _, of_ones = path.pull(ones_BS.unsqueeze(0))
        _, of_weighed = path.pull((ones_BS.unflatten(-1, (-1, H)) * weigh_H).view(1, *s_BS.shape))
        # In a diagonal cell there is no sum over units, so the two agree bit for bit.
        if not torch.equal(of_weighed, (of_ones.unflatten(-1, (-1, H)) * weigh_H).flatten(-2)):
            return False
        if not _is_by_unit(probe, path, ones_BS, weigh_H):
            return False
    return True


def _is_by_unit(cell: Cell, path: Trajectory, ones_BS: Tensor, weigh_H: Tensor) -> bool:
    """Tell whether each parameter acts on that unit alone to which ``_by_unit`` assigns it."""
    weighed_BS = (ones_BS.unflatten(-1, (-1, len(weigh_H))) * weigh_H).view_as(ones_BS)
    m_B2P = ones_BS.new_zeros(len(ones_BS), 2, path.parameters)
    path.accumulate(path.immediate(torch.stack([ones_BS, weighed_BS], 1)[None]), 0, m_B2P)
    return all(
        torch.allclose(m_B2GHA[:, 1], m_B2GHA[:, 0] * weigh_H[:, None], rtol=1e-12, atol=1e-14)
        for _, m_B2GHA in _by_unit(cell, m_B2P)
    )
