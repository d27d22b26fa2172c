"""The curvature of the loss along the gradient that moves the weights.

    κ = gᵀ H g / gᵀ g        H: the Hessian of L, of the first ``samples`` samples

It is computed exactly, without a graph through time. Let the weights be θ + a g. With d = ds/da
along the path,

    d_t = J_t d_{t-1} + (∂F/∂θ) g        s_t = F(θ, s_{t-1}, x_t)
    λ_t = ∂L_t/∂s_t + λ_{t+1} J_{t+1}

gᵀ H g is the second derivative by a, at zero, of

    Σ_t λ_t F(θ + a g, s_{t-1} + a d_{t-1}, x_t) + L_t(s_t + a d_t, readout + a g)

where all states and λ are held fixed: a Lagrangian's second derivative along a path that satisfies
its constraints is that of L. F takes all steps as one batch, so automatic differentiation goes
twice through one call of the cell; only d and λ need a loop over time, of a small product a step
each. g is the whole gradient, of cell and readout, before clipping, of all samples.

κ beyond 2 / learning rate is where gradient descent overshoots.

References:
    Pearlmutter (1994), Fast exact multiplication by the Hessian, Neural Computation 6(1).
    Cohen, Kaur, Li, Kolter & Talwalkar (2021), Gradient descent on neural networks typically
        occurs at the edge of stability, ICLR, arXiv:2103.00065.
    Zhang, He, Sra & Jadbabaie (2020), Why gradient clipping accelerates training, ICLR,
        arXiv:1905.11881: curvature grows with the gradient's norm.
"""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor
from torch.func import functional_call

from lightning_modules.instruments import Row
from lightning_modules.interfaces import Cell
from lightning_modules.norms import scaled
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Few, Passage


@final
class Curvature(Probe):
    """gᵀHg / gᵀg."""

    sees = frozenset({"losses"})

    def __init__(self, every: int = 50, samples: int = 1):
        """Take H of the first ``samples`` samples."""
        super().__init__(every)
        if samples < 1:
            raise ValueError(f"samples is {samples}: it must be at least 1")
        self.samples = samples

    def passed(self, seen: Passage) -> None:
        """Keep the curvature."""
        few = seen.few(self.samples)
        counted, g_P = seen.reading.counted(few.samples), seen.gradient_P
        if g_P is None or not counted:
            return
        c_TBS = seen.reading.direct(few.samples, few.states_TBS)
        g_P, _ = scaled(g_P)  # κ depends on the direction of g alone
        of_cell_P, of_readout_P = g_P.split(
            [seen.run.path.parameters, len(g_P) - seen.run.path.parameters]
        )
        d_TBS = _tangents(seen.cell, few, of_cell_P)
        H = seen.cell.hidden_size
        with torch.enable_grad():
            a = g_P.new_zeros((), requires_grad=True)
            next_TBS = _step(seen.cell, of_cell_P, few, _before(few, d_TBS), a)
            at_TBH = few.states_TBS[..., :H] + a * d_TBS[..., :H]
            loss = seen.reading.loss(few.samples, at_TBH, a * of_readout_P)
            whole = (_adjoints(few, c_TBS) * next_TBS).sum() + loss
            (slope,) = torch.autograd.grad(whole, a, create_graph=True)
            (bend,) = torch.autograd.grad(slope, a)
        self.keep(along_gradient=bend / counted / torch.dot(g_P, g_P))

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return one row."""
        for row in self.defined_of("along_gradient"):
            yield {"quantity": "along_gradient", **row}


def _step(cell: Cell, g_P: Tensor, few: Few, d_TBS: Tensor, a: Tensor) -> Tensor:
    """Return F(θ + a g, s + a d, x) of all steps at once."""
    named = dict(cell.named_parameters())
    parts = g_P.split([w.numel() for w in named.values()])
    weights = {
        k: w.detach() + a * g.view_as(w) for (k, w), g in zip(named.items(), parts, strict=True)
    }
    at = few.x_TBI.flatten(0, 1), (few.before_TBS + a * d_TBS).flatten(0, 1)
    return functional_call(cell, weights, at).view_as(d_TBS)


def _tangents(cell: Cell, few: Few, g_P: Tensor) -> Tensor:
    """Return d, (T, B, S): how the states move with the weights along g."""
    still_TBS = torch.zeros_like(few.before_TBS)
    with torch.enable_grad():
        a, v_TBS = g_P.new_zeros((), requires_grad=True), still_TBS.clone().requires_grad_()
        next_TBS = _step(cell, g_P, few, still_TBS, a)
        # The derivative by a, as that of its product with v by v: reverse mode, twice.
        (product,) = torch.autograd.grad(next_TBS, a, v_TBS, create_graph=True)
        (d_TBS,) = torch.autograd.grad(product, v_TBS)
    d_TBS1 = d_TBS.contiguous().unsqueeze(-1)
    d_T, j_T = d_TBS1.unbind(), few.jacobians_TBSS.unbind()
    for t in range(1, len(d_T)):
        d_T[t].baddbmm_(j_T[t], d_T[t - 1])
    return d_TBS1.squeeze(-1)


def _before(few: Few, d_TBS: Tensor) -> Tensor:
    """Return d before each step, zero after a reset."""
    before_TBS = torch.cat([torch.zeros_like(d_TBS[:1]), d_TBS[:-1]])
    return before_TBS.masked_fill(~few.keep_TB.unsqueeze(-1), 0)


def _adjoints(few: Few, c_TBS: Tensor) -> Tensor:
    """Return λ, (T, B, S)."""
    v_TB1S = c_TBS.clone().unsqueeze(2)
    v_T, j_T = v_TB1S.unbind(), few.jacobians_TBSS.unbind()
    for t in range(len(v_T) - 2, -1, -1):
        v_T[t].baddbmm_(v_T[t + 1], j_T[t + 1])
    return v_TB1S.squeeze(2)
