"""Equilibrium propagation: a symmetric network that relaxes learns from two relaxations.

    E(s) = Σ_l ½ ‖s_l‖² - ρ(s_l)' W_l ρ(s_(l-1)) - b_l' ρ(s_l)        l from 1 on; s_0 = x, held
    C(s, t) = ½ ‖t - s_L‖²                                            s_L are the outputs
    s <- s - ε ∂(E + β C)/∂s                                          until it rests, at s^β
    g_β = (∂E/∂w at s^β - ∂E/∂w at s^0) / β                           one-sided
    g_β = (∂E/∂w at s^β - ∂E/∂w at s^-β) / 2 β                        centred

∂E/∂W_l = -ρ(s_l) ρ(s_(l-1))' is local. As β -> 0, g_β is the gradient of C(s^0, t), with an error
of the order of β one-sided, of β² centred; no second network is needed to carry errors back. Both
nudged relaxations start from s^0; as -β pushes the outputs away from the targets, centred ones need
β < 1 where s has no bounds. With tanh and the logistic the relaxation is a smooth flow of the
energy. The hard sigmoid, ρ(s) = min(1, max(0, s)), keeps s within [0, 1] and is piecewise linear,
so that the orders hold until a unit reaches an end of that range.

``apart`` adds fixed noise A to the weights back from layer l + 1 to l: they are W' + A, where the
norm of A starts as that share of W's. There is no energy then. The learning rule stays the same,
but its updates of W no longer follow the gradient of C.

Cost: O(W) a step of a relaxation; an update takes the free one and, by its nudge, one or two more.

References:
    Scellier & Bengio (2017), Equilibrium propagation: bridging the gap between energy-based models
        and backpropagation, Frontiers in Computational Neuroscience 11, arXiv:1602.05179.
    Ernoult, Grollier, Querlioz, Bengio & Scellier (2019), Updates of equilibrium prop match
        gradients of backprop through time in an RNN with static input, NeurIPS.
    Laborieux, Ernoult, Scellier, Bengio, Grollier & Querlioz (2021), Scaling equilibrium
        propagation to deep ConvNets, Frontiers in Neuroscience 15: centred nudges.
    Scellier, Goyal, Binas, Mesnard & Bengio (2018), Generalization of equilibrium propagation to
        vector field dynamics, arXiv:1808.04873: weights back that leave those forth.

Where we differ from Scellier & Bengio (2017): every relaxation of an example starts from zero, so
that an update is a function of its batch (they go on from where the example was left); the sign of
a one-sided β is fixed; x is not passed through ρ.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lightning_modules.checks import above, whole
from lightning_modules.energies._energy import Energy, Learned
from lightning_modules.registry import UnknownNameError, nearest


class Activation(NamedTuple):
    """ρ, its slope, and the range in which states are kept."""

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor | float]
    low: float = -torch.inf
    high: float = torch.inf


ACTIVATIONS: Mapping[str, Activation] = {
    # Its slope is 1 at both ends, too: otherwise a unit that rests there could never leave.
    "hard_sigmoid": Activation(lambda s: s.clamp(0, 1), lambda _: 1.0, 0.0, 1.0),
    "logistic": Activation(torch.sigmoid, lambda s: s.sigmoid() * (1 - s.sigmoid())),
    "tanh": Activation(torch.tanh, lambda s: 1 - s.tanh() ** 2),
}
NUDGES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "one_sided": ((0.0, -1.0), (1.0, 1.0)),
    "centred": ((-1.0, -0.5), (1.0, 0.5)),
}
"""For each relaxation: its nudge in units of β, and the factor of its ∂E/∂w in β g_β."""


@final
class Equilibrium(Energy):
    """Layers joined by symmetric weights; the outputs are where the last one comes to rest.

    Attributes:
        sizes: units of each layer from the first hidden one on.
        rho: the activation.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden: Sequence[int],
        activation: str = "hard_sigmoid",
        nudge: str = "centred",
        beta: float = 0.5,
        rate: float = 0.5,
        steps: int = 20,
        nudged_steps: int = 10,
        apart: float = 0.0,
    ):
        """Draw weights as Glorot & Bengio do; relax for ``steps``, then ``nudged_steps``.

        ``rate`` is ε. UnknownNameError for an unknown activation or nudge, ValueError for a number
        out of range.
        """
        super().__init__()
        _known("activations", activation, ACTIVATIONS)
        _known("nudges", nudge, NUDGES)
        above(0, rate=rate, beta=beta)
        above(0, or_equal=True, apart=apart)
        sizes = [input_size, *hidden, output_size]
        for size in sizes:
            whole(1, size=size)
        whole(1, steps=steps, nudged_steps=nudged_steps)
        self.input_size, self.output_size, self.state_size = input_size, output_size, sum(sizes)
        self.sizes, self.rho = sizes[1:], ACTIVATIONS[activation]
        self.nudge, self.beta, self.rate = nudge, beta, rate
        self.steps, self.nudged_steps, self.apart = steps, nudged_steps, apart
        self.W = nn.ParameterList(torch.empty(to, of) for of, to in pairwise(sizes))
        self.b = nn.ParameterList(torch.zeros(to) for to in self.sizes)
        for W_OI in self.W:
            nn.init.xavier_uniform_(W_OI)
        for place, W_OI in enumerate(list(self.W)[1:], start=1):
            noise_IO = torch.randn(*W_OI.shape[::-1]) if apart else torch.zeros(())
            self.register_buffer(
                f"A{place}", apart * noise_IO * W_OI.detach().square().mean().sqrt()
            )

    def start(self, x_NI: Tensor) -> Tensor:
        """Return the state that a free relaxation starts from, (N, S): the inputs, and zeros."""
        return torch.cat([x_NI, x_NI.new_zeros(len(x_NI), sum(self.sizes))], dim=1)

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return E, (N,), by the forward weights W."""
        r = self._read(s_NS)
        joined = sum(
            (linear(below, W, b) * above).sum(dim=1)
            for (below, above), W, b in zip(pairwise(r), self.W, self.b, strict=True)
        )
        own_NS = s_NS[:, self.input_size :]
        return (own_NS * own_NS).sum(dim=1) / 2 - joined

    def cost(self, s_NS: Tensor, t_NO: Tensor) -> Tensor:
        """Return C, (N,)."""
        away_NO = t_NO - s_NS[:, -self.output_size :]
        return (away_NO * away_NO).sum(dim=1) / 2

    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states one free step on."""
        return self.relax(s_NS, 1)

    def relax(
        self, s_NS: Tensor, steps: int, t_NO: Tensor | None = None, beta: float = 0.0
    ) -> Tensor:
        """Return the states after ``steps`` steps down E + β C; autograd can go through them."""
        x_NI, *s = s_NS.split([self.input_size, *self.sizes], dim=1)
        fed_NH = linear(x_NI, self.W[0], self.b[0])  # which no step changes
        back = [W.t() + A for W, A in zip(list(self.W)[1:], self.buffers(), strict=True)]
        for _ in range(steps):
            r, moved = [self.rho.value(s_NH) for s_NH in s], []
            for place, s_NH in enumerate(s):
                pull_NH = linear(r[place - 1], self.W[place], self.b[place]) if place else fed_NH
                if place < len(s) - 1:
                    pull_NH = torch.addmm(pull_NH, r[place + 1], back[place].t())
                pull_NH = pull_NH * self.rho.slope(s_NH)
                if t_NO is not None and place == len(s) - 1:
                    pull_NH = pull_NH + beta * (t_NO - s_NH)
                s_NH = torch.lerp(s_NH, pull_NH, self.rate)
                moved.append(s_NH.clamp(self.rho.low, self.rho.high))
            s = moved
        return torch.cat([x_NI, *s], dim=1)

    def slopes(self, s_NS: Tensor) -> list[Tensor]:
        """Return ∂E/∂w, the mean over states, in the order of ``parameters()``."""
        r = self._read(s_NS)
        of_W = [-above.t() @ below / len(s_NS) for below, above in pairwise(r)]
        return of_W + [-above.mean(dim=0) for above in r[1:]]

    @torch.no_grad()
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return g_β, the mean over the batch."""
        rest_BS, total = self.relax(self.start(x_BI), self.steps), None
        for times, share in NUDGES[self.nudge]:
            there_BS = rest_BS
            if times:
                there_BS = self.relax(rest_BS, self.nudged_steps, t_BO, times * self.beta)
            part = [share / self.beta * slope for slope in self.slopes(there_BS)]
            total = part if total is None else [a.add_(b) for a, b in zip(total, part, strict=True)]
        assert total is not None
        return Learned(total)

    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return s_L after a free relaxation, (N, O)."""
        return self.relax(self.start(x_NI), self.steps)[:, -self.output_size :]

    def _read(self, s_NS: Tensor) -> list[Tensor]:
        """Return x and ρ(s) of each layer."""
        x_NI, s_NS = s_NS.tensor_split([self.input_size], dim=1)
        return [x_NI, *self.rho.value(s_NS).split(self.sizes, dim=1)]


def _known(kind: str, name: str, allowed: Mapping[str, Any]) -> None:
    """Raise UnknownNameError for a name that is not allowed."""
    if name not in allowed:
        raise UnknownNameError(f"{name!r} is not one of the {kind}: {nearest(name, allowed)}")
