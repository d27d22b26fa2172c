"""Slow influence matrices of the approximate algorithms: dense, with what they drop set to zero."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.contracts._streams import Problem, sample_step, step
from lightning_modules.interfaces import Cell

Jacobian = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(w_P, x_BI, s_BS) -> what carries the influence over a step, (B, S, S)."""


def owners(cell: UnitwiseCell) -> Tensor:
    """Return the unit of each parameter: blocks of z have a row a unit, in order, (P,)."""
    held = [w for w in cell.parameters() if w.numel()]
    rows = [torch.arange(w.numel()) // (w.numel() // len(w)) for w in held]
    return torch.cat(rows) % cell.hidden_size


def reach(cell: UnitwiseCell, W: Tensor, steps: int) -> Tensor:
    """Return whether a unit (column) acts on another (row) in fewer than ``steps``, by walking."""
    H = cell.hidden_size
    found = torch.zeros(H, H, dtype=torch.bool)
    W = W if W.numel() else torch.zeros(H, H)
    for start in range(H):
        front = {start}
        for _ in range(steps - 1):
            front |= {i for i in range(H) for j in front if W[i::H, j].ne(0).any()}
        found[list(front), start] = True
    return found


def snap_reference(
    p: Problem, weights_TP: Tensor, steps: int, jacobian: Jacobian | None = None
) -> Tensor:
    """Return each step's gradient, (T, P), from a dense influence masked to n steps' pattern.

    ``jacobian`` takes the place of the cell's own.
    """
    cell = p.cell
    assert isinstance(cell, UnitwiseCell)
    K, of_W = cell.state_size // cell.hidden_size, cell.U.numel()

    def keep(w_P: Tensor, m_BSP: Tensor) -> Tensor:
        W = w_P[of_W : of_W + cell.W.numel()].view(cell.W.shape)
        return m_BSP * reach(cell, W, steps)[:, owners(cell)].repeat(K, 1)

    own = vmap(jacrev(sample_step(cell), argnums=2), (None, 0, 0))
    return _dense(p, weights_TP, jacobian or own, keep)


def leak_reference(p: Problem, weights_TP: Tensor, observed: bool) -> Tensor:
    """Return each step's gradient, (T, P), where the past acts at fixed z alone.

    ``observed`` takes the credit on h alone.
    """
    return _dense(p, weights_TP, leak(p.cell), lambda w_P, m_BSP: m_BSP, observed)


def fixed_leak_reference(p: Problem, weights_TP: Tensor, rate: float) -> Tensor:
    """Return each step's gradient, (T, P), where all states keep ``rate`` of the past."""
    one_SS = torch.eye(p.cell.state_size, dtype=p.s_BS.dtype)

    def carried(w_P: Tensor, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        return rate * one_SS.expand(len(s_BS), -1, -1)

    return _dense(p, weights_TP, carried, lambda w_P, m_BSP: m_BSP)


def leak(cell: Cell) -> Jacobian:
    """Return ds'/ds at fixed z, by automatic differentiation."""
    assert isinstance(cell, UnitwiseCell)

    def held(w_P: Tensor, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        torch.nn.utils.vector_to_parameters(w_P, cell.parameters())
        z_BZ = cell._pre_activations(x_BI, s_BS).detach()
        return vmap(jacrev(cell.update, argnums=1))(z_BZ, s_BS)

    return held


def _dense(
    p: Problem,
    weights_TP: Tensor,
    jacobian: Jacobian,
    keep: Callable[[Tensor, Tensor], Tensor],
    observed: bool = False,
) -> Tensor:
    """Carry M' = keep(J M) + D with a J of one's choice."""
    immediate = vmap(jacrev(sample_step(p.cell)), (None, 0, 0))
    s_BS, shares = p.s_BS, []
    m_BSP = s_BS.new_zeros(*s_BS.shape, weights_TP.shape[1])
    for t, x_BI in enumerate(p.x_TBI):
        kept_B1 = ~p.resets_TB[t, :, None]
        s_BS, m_BSP = s_BS * kept_B1, m_BSP * kept_B1[..., None]
        j_BSS = jacobian(weights_TP[t], x_BI, s_BS).detach()
        m_BSP = keep(weights_TP[t], j_BSS @ m_BSP) + immediate(weights_TP[t], x_BI, s_BS)
        s_BS = step(p.cell, weights_TP[t], x_BI, s_BS)
        c_BS = p.credit(t, s_BS)
        if observed:
            c_BS = torch.cat([c_BS[:, : p.cell.hidden_size], 0 * c_BS[:, p.cell.hidden_size :]], 1)
        shares.append(torch.einsum("bs,bsp->p", c_BS, m_BSP))
    return torch.stack(shares)
