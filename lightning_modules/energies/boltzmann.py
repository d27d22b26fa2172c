"""The Boltzmann machine: binary units, symmetric weights, visible units and hidden ones.

    E(s) = -½ s'A s - b's        A = ½ (W + W') where units are linked, else 0; no unit to itself
    p(s_i = 1 | others) = sigmoid((A s + b)_i / T)        one at a time: Gibbs sampling, at T = 1

    ∂F/∂W = -½ ⟨s s'⟩ given v        ∂F/∂b = -⟨s⟩ given v

Weights are learned in two phases: one with data on the visible units, one with all units free. With
up to 20 units everything can be computed exactly, by enumerating the states; beyond that the
estimator ``annealed`` samples them.

Cost: O(S²) a sweep; exact O(2^S S).

References:
    Ackley, Hinton & Sejnowski (1985), A learning algorithm for Boltzmann machines, Cognitive
        Science 9.
"""

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import above, whole
from lightning_modules.energies._energy import Distribution, Estimator, Learned, drawn
from lightning_modules.energies._states import states


@final
class Boltzmann(Distribution):
    """V visible units, then H hidden ones.

    Attributes:
        W, b: weights, (S, S), of which the symmetric part counts, and biases, (S,).
        links: which units are linked, (S, S).
        estimator: estimates its gradient.
    """

    links: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        estimator: Estimator,
        unlinked: Sequence[tuple[Sequence[int], Sequence[int]]] = (),
        spread: float = 0.01,
    ):
        """Link all units but those of each pair of groups in ``unlinked``; draw W with ``spread``.

        ValueError for a size that cannot be.
        """
        super().__init__()
        whole(1, input_size=input_size)
        whole(0, hidden_size=hidden_size)
        above(0, or_equal=True, spread=spread)
        self.input_size = self.output_size = input_size
        self.hidden_size, self.state_size = hidden_size, input_size + hidden_size
        self.estimator = estimator
        S = self.state_size
        links_SS = ~torch.eye(S, dtype=torch.bool)
        for ones, others in unlinked:
            for i in ones:
                links_SS[i, list(others)] = links_SS[list(others), i] = False
        self.register_buffer("links", links_SS)
        W_SS = (torch.randn(S, S) * spread).triu(1)
        self.W = nn.Parameter((W_SS + W_SS.t()) * links_SS)
        self.b = nn.Parameter(torch.zeros(S))

    def weights(self) -> Tensor:
        """Return A, (S, S)."""
        return (self.W + self.W.t()) / 2 * self.links

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return E, (N,)."""
        return -((s_NS @ self.weights() / 2 + self.b) * s_NS).sum(dim=1)

    @torch.no_grad()
    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states after a sweep of Gibbs sampling, unit by unit, at temperature 1."""
        return self.sweep(s_NS, 1.0)

    @torch.no_grad()
    def sweep(self, s_NS: Tensor, temperature: float, first: int = 0) -> Tensor:
        """Return the states after a sweep at a temperature over the units from ``first`` on."""
        A_SS, s_SN = self.weights(), s_NS.t().contiguous()
        for i in range(first, self.state_size):
            h_N = torch.addmv(self.b[i], s_SN.t(), A_SS[i])
            s_SN[i] = drawn((h_N / temperature).sigmoid_())
        return s_SN.t().contiguous()

    @torch.no_grad()
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return the estimator's gradient of -ln p."""
        return self.estimator.estimate(self, self.seen(x_BI, t_BO), memory)

    @torch.no_grad()
    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return of each visible unit its mean given all others, (N, V); the hidden are summed."""
        told = []
        for i in range(self.input_size):
            on_NV, off_NV = x_NI.clone(), x_NI.clone()
            on_NV[:, i], off_NV[:, i] = 1, 0
            told.append((self.free_energy(off_NV) - self.free_energy(on_NV)).sigmoid())
        return torch.stack(told, dim=1)

    def free_energy(self, v_NV: Tensor) -> Tensor:
        """Return F, (N,); ValueError for more than 20 hidden units."""
        return -self._minus_energies(v_NV, self._hidden_states())[0].logsumexp(dim=1)

    def slopes(self, v_NV: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return Σ_n weight_n ∂F/∂θ, of W and b; ValueError for more than 20 hidden units."""
        h_MH = self._hidden_states()
        minus_NM, _ = self._minus_energies(v_NV, h_MH)
        p_NM = minus_NM.softmax(dim=1) * weight_N[:, None]
        vh_VH = v_NV.t() @ (p_NM @ h_MH)
        vv_VV, hh_HH = (v_NV.t() * weight_N) @ v_NV, (h_MH.t() * p_NM.sum(dim=0)) @ h_MH
        ss_SS = torch.cat([torch.cat([vv_VV, vh_VH], 1), torch.cat([vh_VH.t(), hh_HH], 1)])
        s_S = torch.cat([weight_N @ v_NV, p_NM.sum(dim=0) @ h_MH])
        return [ss_SS * self.links / -2, -s_S]

    def slopes_at(self, s_NS: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return Σ_n weight_n ∂E/∂θ at whole states."""
        return [(s_NS.t() * weight_N) @ s_NS * self.links / -2, -(weight_N @ s_NS)]

    @torch.no_grad()
    def log_partition(self) -> Tensor:
        """Return ln Z, in float64; ValueError for more than 20 units."""
        parts = [-self.energy(s_NS).double() for s_NS in states(self.b, self.state_size)]
        return torch.cat(parts).logsumexp(dim=0)

    @torch.no_grad()
    def expected_slopes(self) -> list[Tensor]:
        """Return ⟨∂F/∂θ⟩ over the model; ValueError for more than 20 units."""
        log_Z, total = self.log_partition(), [torch.zeros_like(w) for w in self.parameters()]
        for s_NS in states(self.b, self.state_size):
            p_N = (-self.energy(s_NS).double() - log_Z).exp().to(s_NS.dtype)
            total = [a + b for a, b in zip(total, self.slopes_at(s_NS, p_N), strict=True)]
        return total

    def _hidden_states(self) -> Tensor:
        return torch.cat(list(states(self.b, self.hidden_size)))

    def _minus_energies(self, v_NV: Tensor, h_MH: Tensor) -> tuple[Tensor, Tensor]:
        """Return -E of visible states with each hidden one, (N, M), and of h alone, (M,)."""
        V, A_SS = self.input_size, self.weights()
        own_N = ((v_NV @ A_SS[:V, :V] / 2 + self.b[:V]) * v_NV).sum(dim=1)
        own_M = ((h_MH @ A_SS[V:, V:] / 2 + self.b[V:]) * h_MH).sum(dim=1)
        return own_N[:, None] + own_M + v_NV @ A_SS[:V, V:] @ h_MH.t(), own_M
