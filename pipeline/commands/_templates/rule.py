"""Example: the delta rule; your rule here.

    z = W x + b        e = (2 t - 1) - z        o = 1 where z > 0, else 0
    ΔW = η e x'        Δb = η e

Each example is a step down ½ ‖e‖²: weights move even where the answer is right.

Cost: O(I O) an example.

References:
    Widrow & Hoff (1960), Adaptive switching circuits, IRE WESCON Convention Record 4.
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.norms import joint
from lightning_modules.rules._rule import Rule, Seen


@final
class Example(Rule):
    """Widrow and Hoff's rule, for any number of units."""

    middle = 0.0
    has_errors = False

    def __init__(
        self,
        rate: float = 0.1,
        decay: float = 0.0,
        enough: float | None = 1.0,
        still: float | None = None,
        epoch: int | None = None,
    ):
        """Settle, by default, after an epoch whose answers were all right."""
        super().__init__(rate, decay, enough, still, epoch)

    def outputs(self, network: nn.Module, x_TBI: Tensor) -> Tensor:
        """Return the weighted sums z, (T, B, O)."""
        return _of(network).net(x_TBI)

    def loss(self, z_NO: Tensor, t_NO: Tensor) -> Tensor:
        """Return the sum of ½ ‖e‖²."""
        return (2 * t_NO - 1 - z_NO).square().sum() / 2

    def sweep(
        self, network: nn.Module, x_NI: Tensor, t_NO: Tensor, rate: float, watched: bool
    ) -> Seen:
        """Go from example to example; a frozen weight stays."""
        del watched
        W_OI, b_O = _of(network).affine.parameters()
        z_NO, moves = x_NI.new_empty(t_NO.shape), list[tuple[Tensor, Tensor]]()
        for z_O, x_I, t_O in zip(z_NO, x_NI, t_NO, strict=True):
            z_O.copy_(torch.addmv(b_O, W_OI, x_I))
            e_O = 2 * t_O - 1 - z_O
            each = (W_OI, torch.outer(e_O, x_I)), (b_O, e_O)
            moves = [(w, e) for w, e in each if w.requires_grad]
            for w, e in moves:
                w.add_(e, alpha=rate)
        moved = rate * float(joint([e for _, e in moves]))
        return self.judge(z_NO, t_NO)._replace(moved=moved)


def _of(network: nn.Module) -> Perceptron:
    if not isinstance(network, Perceptron):
        raise TypeError(f"this rule takes a Perceptron, not {type(network).__name__}")
    return network
