"""An RBM with real-valued hidden units, to initialise the code layer of an autoencoder.

    E(v, h) = -b'v - c'h - v'W h + ½ h'h          v in {0, 1}, h real
    p(h | v) = N(c + W'v, 1)                      p(v_i = 1 | h) = sigmoid(b + W h)_i
    F(v) = -b'v - ½ ‖c + W'v‖² - ½ H ln 2π
    ∂F/∂W = -v h̄'    ∂F/∂b = -v    ∂F/∂c = -h̄     h̄ = c + W'v

Chains run by samples of hidden units, gradients use their means. As h̄ has no bounds, plain
gradient descent needs a rate ten times as low as for binary units; Adam does not.

Cost: O(V H) an example and a sweep; exact Z O(2^V V H), of at most 20 visible units.

References:
    Hinton & Salakhutdinov (2006), Reducing the dimensionality of data with neural networks, Science
        313: the top of the stack, and its rate.
    Welling, Rosen-Zvi & Hinton (2005), Exponential family harmoniums, NeurIPS 17.
"""

import math
from typing import Any, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import above, whole
from lightning_modules.energies._energy import Bipartite, Estimator, Learned, drawn
from lightning_modules.energies._states import states


@final
class LinearRBM(Bipartite):
    """Real hidden units of variance 1 over binary visible ones.

    Attributes:
        W, b, c: the weights, (V, H), and the biases, (V,) and (H,).
        classes: none.
        estimator: what its gradient is estimated by.
    """

    classes = 0

    def __init__(
        self, input_size: int, hidden_size: int, estimator: Estimator, spread: float = 0.01
    ):
        """Draw W with this standard deviation; biases are zero: see ``start_from``."""
        super().__init__()
        whole(1, input_size=input_size, hidden_size=hidden_size)
        above(0, or_equal=True, spread=spread)
        self.input_size = self.output_size = input_size
        self.hidden_size, self.state_size = hidden_size, input_size + hidden_size
        self.estimator = estimator
        self.W = nn.Parameter(torch.randn(input_size, hidden_size) * spread)
        self.b = nn.Parameter(torch.zeros(input_size))
        self.c = nn.Parameter(torch.zeros(hidden_size))

    @torch.no_grad()
    def start_from(self, mean_V: Tensor) -> None:
        """Set b so that, without W, the visible units have these means: those of the data."""
        self.b.copy_(mean_V.to(self.b).clamp(1e-3, 1 - 1e-3).logit())

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return E, (N,)."""
        v_NV, h_NH = s_NS.split([self.input_size, self.hidden_size], dim=1)
        joint_N = (self.hidden(v_NV) * h_NH).sum(dim=1)
        return h_NH.square().sum(dim=1) / 2 - v_NV @ self.b - joint_N

    @torch.no_grad()
    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states after a sweep of Gibbs sampling: hidden units, then visible ones."""
        h_NH = _noisy(self.hidden(s_NS[:, : self.input_size]))
        return torch.cat([drawn(self.visible(h_NH)), h_NH], dim=1)

    @torch.no_grad()
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return the estimator's gradient of -ln p."""
        return self.estimator.estimate(self, x_BI, memory)

    @torch.no_grad()
    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return the inputs, reconstructed by means; how near they are is no likelihood."""
        return self.visible(self.hidden(x_NI))

    def free_energy(self, v_NV: Tensor) -> Tensor:
        """Return F, (N,)."""
        above_N = self.hidden(v_NV).square().sum(dim=1) / 2
        return -(v_NV @ self.b) - above_N - self.hidden_size * math.log(2 * math.pi) / 2

    def hidden(self, v_NV: Tensor) -> Tensor:
        """Return the means of the hidden units, (N, H)."""
        return torch.addmm(self.c, v_NV, self.W)

    def visible(self, h_NH: Tensor) -> Tensor:
        """Return the means of the visible units, (N, V)."""
        return torch.addmm(self.b, h_NH, self.W.t()).sigmoid()

    def sampled(self, h_NH: Tensor) -> Tensor:
        """Return visible units given a sample of hidden ones of these means."""
        return drawn(self.visible(_noisy(h_NH)))

    def slopes(self, v_NV: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return Σ_n weight_n ∂F/∂θ: of W, b and c."""
        return self.slopes_at(v_NV, self.hidden(v_NV), weight_N)

    def slopes_at(self, v_NV: Tensor, h_NH: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return the same, given the hidden means."""
        weighed_NV = v_NV * -weight_N[:, None]
        return [weighed_NV.t() @ h_NH, weighed_NV.sum(dim=0), -(weight_N @ h_NH)]

    @torch.no_grad()
    def log_partition(self) -> Tensor:
        """Return ln Z, in float64; ValueError for more than 20 visible units."""
        parts = [
            (-self.free_energy(v_NV).double()).logsumexp(dim=0)
            for v_NV in states(self.b.detach(), self.input_size)
        ]
        return torch.stack(parts).logsumexp(dim=0)

    @torch.no_grad()
    def expected_slopes(self) -> list[Tensor]:
        """Return ⟨∂F/∂θ⟩ over the model's visible states."""
        log_Z, total = self.log_partition(), [torch.zeros_like(w) for w in self.parameters()]
        for v_NV in states(self.b.detach(), self.input_size):
            p_N = (-self.free_energy(v_NV).double() - log_Z).exp().to(v_NV.dtype)
            total = [a + b for a, b in zip(total, self.slopes(v_NV, p_N), strict=True)]
        return total


def _noisy(mean_NH: Tensor) -> Tensor:
    """Return a sample of variance 1."""
    return mean_NH + torch.randn_like(mean_NH)
