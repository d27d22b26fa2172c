"""The perceptron rule: weights move only on a mistake.

    z = W x + b        o = 1 where z > 0, else 0
    ΔW = η (t - o) x'        Δb = η (t - o)

Each unit learns by itself. If its examples can be separated with margin γ and have norms up to R,
where the bias counts as the weight of an input that is always 1, then from zero weights it makes at
most (R / γ)² mistakes, at any η (Novikoff). If they cannot be separated, it never settles, and
``settled_at`` stays None.

Weights do not change between mistakes, so several examples are tested at once: a pass costs one
matrix product for every few examples and every mistake.

Cost: O(I O) an example.

References:
    Rosenblatt (1958), The perceptron, Psychological Review 65(6).
    Novikoff (1962), On convergence proofs on perceptrons, Symposium on the Mathematical Theory of
        Automata 12.
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.norms import joint, norm
from lightning_modules.rules._rule import Rule, Seen

AHEAD = 16
"""How many examples are tested at once."""


@final
class PerceptronRule(Rule):
    """Rosenblatt's rule, for any number of units."""

    middle = 0.0
    has_errors = False

    def __init__(
        self,
        rate: float = 1.0,
        decay: float = 0.0,
        enough: float | None = 1.0,
        still: float | None = None,
        epoch: int | None = None,
    ):
        """By default the rule settles after an epoch without a mistake."""
        super().__init__(rate, decay, enough, still, epoch)

    def outputs(self, network: nn.Module, x_TBI: Tensor) -> Tensor:
        """Return z, (T, B, O), not o: of several units with o = 1 the greatest z is the class."""
        return _of(network).net(x_TBI)

    def loss(self, z_NO: Tensor, t_NO: Tensor) -> Tensor:
        """Return the sum of ½ (t - o)²: half the number of mistakes."""
        return ((z_NO > 0) != (t_NO > 0.5)).sum() / 2

    def sweep(
        self, network: nn.Module, x_NI: Tensor, t_NO: Tensor, rate: float, watched: bool
    ) -> Seen:
        """Go from mistake to mistake, and update the weights at each."""
        del watched
        W, b = _of(network).affine.parameters()
        moves_W, moves_b = W.requires_grad, b.requires_grad
        W_OI, b_O = W.detach(), b.detach()
        z_NO, last, n = x_NI.new_empty(t_NO.shape), 0, 0
        truth_NO = t_NO > 0.5
        while n < len(x_NI):
            of = slice(n, n + AHEAD)
            z_AO = torch.addmm(b_O, x_NI[of], W_OI.t(), out=z_NO[of])
            wrong = (z_AO > 0).ne_(truth_NO[of]).any(dim=1).tolist()
            if True not in wrong:
                n += len(wrong)
                continue
            n += wrong.index(True)
            x_I, e_O = x_NI[n], t_NO[n] - (z_NO[n] > 0).to(t_NO.dtype)
            if moves_W:
                W_OI.addcmul_(e_O.unsqueeze(1), x_I, value=rate)
            if moves_b:
                b_O.add_(e_O, alpha=rate)
            last, n = n, n + 1
        seen = self.judge(z_NO, t_NO)
        if not seen.mistakes:
            return seen
        wrong = int(((z_NO[last] > 0) != truth_NO[last]).sum())
        from_W, from_b = moves_W * norm(x_NI[last]), x_NI.new_tensor(float(moves_b))
        return seen._replace(moved=rate * wrong**0.5 * float(joint([from_W, from_b])))


def _of(network: nn.Module) -> Perceptron:
    if not isinstance(network, Perceptron):
        raise TypeError(f"the perceptron rule takes a Perceptron, not {type(network).__name__}")
    return network
