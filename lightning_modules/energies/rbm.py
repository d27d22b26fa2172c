"""The restricted Boltzmann machine: a visible and a hidden layer, without weights within a layer.

    E(v, h) = base(v) - b'v - c'h - v'W h        base: 0 of binary units, ½ v² of Gaussian ones
    p(h_j = 1 | v) = sigmoid(c + W'v)_j          v given h: of its own kind, at z = b + W h
    F(v) = base(v) - b'v - Σ_j softplus(c + W'v)_j
    ∂F/∂W = -v h̄'    ∂F/∂b = -v    ∂F/∂c = -h̄     h̄ = sigmoid(c + W'v)

Chains run by samples of hidden units, gradients use their means. With ``classes`` there are K more
visible units after the input, one of which is 1; p(class | input) can then be computed exactly,

    p(k | x) ∝ exp(-F(x, k))

Cost: O(V H) an example and a sweep; exact Z O(2^U V H), U the units of the smaller layer, at most
20; visible units count as the smaller layer only if they are binary.

Where we differ from the papers: centring is an estimator's, ``centred``, and leaves E as it is.
Labels are softmax units as in Hinton, Osindero & Teh (2006), trained jointly.

References:
    Smolensky (1986), Information processing in dynamical systems: foundations of harmony theory,
        in Parallel Distributed Processing 1.
    Hinton (2002), Training products of experts by minimizing contrastive divergence, Neural
        Computation 14(8).
    Hinton (2012), A practical guide to training restricted Boltzmann machines, in Neural Networks:
        Tricks of the Trade.
    Larochelle & Bengio (2008), Classification using discriminative restricted Boltzmann machines,
        ICML: p(class | input).
"""

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from lightning_modules.checks import above, whole
from lightning_modules.energies._energy import Bipartite, Estimator, Learned, drawn
from lightning_modules.energies._states import states
from lightning_modules.energies._units import Binary, Classed, units_named


@final
class RBM(Bipartite):
    """Binary hidden units over binary or Gaussian visible ones, and classes where they are given.

    Attributes:
        W, b, c: the weights, (V, H), and the biases, (V,) and (H,).
        input_size, classes: how many of the visible units are the input's, and how many behind
            them say the class.
        estimator: what its gradient is estimated by.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        estimator: Estimator,
        visible: str = "binary",
        classes: int = 0,
        spread: float = 0.01,
    ):
        """Draw W with this standard deviation; biases are zero: see ``start_from``.

        ValueError for a size that cannot be, UnknownNameError for units that there are not.
        """
        super().__init__()
        whole(1, input_size=input_size, hidden_size=hidden_size)
        whole(0, classes=classes)
        above(0, or_equal=True, spread=spread)
        self.input_size, self.hidden_size, self.classes = input_size, hidden_size, classes
        self.visible_size, self.output_size = input_size + classes, classes or input_size
        self.state_size = self.visible_size + hidden_size
        units = units_named(visible)
        self.units = Classed(units, classes) if classes else units
        self.estimator = estimator
        W_HV = torch.randn(hidden_size, self.visible_size) * spread
        self.W = nn.Parameter(W_HV.t())  # a hidden unit's weights lie together: products are faster
        self.b = nn.Parameter(torch.zeros(self.visible_size))
        self.c = nn.Parameter(torch.zeros(hidden_size))

    @torch.no_grad()
    def start_from(self, mean_V: Tensor) -> None:
        """Set b so that, without W, the visible units have these means: those of the data."""
        self.b.copy_(self.units.field(mean_V.to(self.b)))

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return E, (N,)."""
        v_NV, h_NH = s_NS.split([self.visible_size, self.hidden_size], dim=1)
        joint_N = ((v_NV @ self.W + self.c) * h_NH).sum(dim=1)
        return self.units.base(v_NV) - v_NV @ self.b - joint_N

    @torch.no_grad()
    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states after a sweep of Gibbs sampling: hidden units, then visible ones."""
        h_NH = drawn(self.hidden(s_NS[:, : self.visible_size]))
        return torch.cat([self.units.draw(self._down(h_NH)), h_NH], dim=1)

    @torch.no_grad()
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return the estimator's gradient of -ln p, of inputs and classes where it has these."""
        return self.estimator.estimate(self, self.seen(x_BI, t_BO), memory)

    def seen(self, x_NI: Tensor, t_NO: Tensor) -> Tensor:
        """Return the visible units, (N, V): the inputs, and behind them the classes."""
        return torch.cat([x_NI, t_NO], dim=1) if self.classes else x_NI

    @torch.no_grad()
    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return ln p(class | x) up to a constant; without classes the input, reconstructed.

        How near a reconstruction is says nothing of the likelihood, which may fall meanwhile.
        """
        if not self.classes:
            return self.units.mean(self._down(self.hidden(x_NI)))
        W_IH, W_KH = self.W.split([self.input_size, self.classes])
        above_NKH = (self.c + x_NI @ W_IH)[:, None] + W_KH
        return self.b[self.input_size :] + softplus(above_NKH).sum(dim=2)

    def free_energy(self, v_NV: Tensor) -> Tensor:
        """Return F, (N,)."""
        above_N = softplus(self._up(v_NV)).sum(dim=1)
        return self.units.base(v_NV) - v_NV @ self.b - above_N

    def hidden(self, v_NV: Tensor) -> Tensor:
        """Return the means of the hidden units, (N, H)."""
        return self._up(v_NV).sigmoid_()

    def visible(self, h_NH: Tensor) -> Tensor:
        """Return the means of the visible units, (N, V)."""
        return self.units.mean(self._down(h_NH))

    def sampled(self, h_NH: Tensor) -> Tensor:
        """Return visible units given a sample of hidden ones of these means."""
        return self.units.draw(self._down(drawn(h_NH)))

    def slopes(self, v_NV: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return Σ_n weight_n ∂F/∂θ: of W, b and c."""
        return self.slopes_at(v_NV, self.hidden(v_NV), weight_N)

    def slopes_at(self, v_NV: Tensor, h_NH: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return the same, given the hidden means."""
        weighed_NH = h_NH * -weight_N[:, None]
        return [(weighed_NH.t() @ v_NV).t(), -(weight_N @ v_NV), weighed_NH.sum(dim=0)]

    @torch.no_grad()
    def log_partition(self) -> Tensor:
        """Return ln Z, in float64; ValueError where both layers have more than 20 units."""
        return torch.stack([log_N.logsumexp(0) for _, _, log_N in self._counted()]).logsumexp(0)

    @torch.no_grad()
    def expected_slopes(self) -> list[Tensor]:
        """Return ⟨∂F/∂θ⟩ over the model, by one layer's states and the other's means."""
        log_Z, total = self.log_partition(), [w.new_zeros(()).double() for w in self.parameters()]
        for v_NV, h_NH, log_N in self._counted():
            part = self.slopes_at(v_NV, h_NH, (log_N - log_Z).exp())
            total = [a + b for a, b in zip(total, part, strict=True)]
        return [slope.to(self.W.dtype) for slope in total]

    def _counted(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Iterate over the smaller layer's states with the other's means: v, h and ln(p Z)."""
        W_VH, b_V, c_H = (w.detach().double() for w in (self.W, self.b, self.c))
        if isinstance(self.units, Binary) and self.visible_size < self.hidden_size:
            for v_NV in states(c_H, self.visible_size):
                z_NH = torch.addmm(c_H, v_NV, W_VH)
                yield v_NV, z_NH.sigmoid(), v_NV @ b_V + softplus(z_NH).sum(dim=1)
            return
        for h_NH in states(c_H, self.hidden_size):
            z_NV = torch.addmm(b_V, h_NH, W_VH.t())
            yield self.units.mean(z_NV), h_NH, h_NH @ c_H + self.units.log_sum(z_NV)

    def _up(self, v_NV: Tensor) -> Tensor:
        return torch.addmm(self.c, v_NV, self.W)

    def _down(self, h_NH: Tensor) -> Tensor:
        return torch.addmm(self.b, h_NH, self.W.t())
