"""References for equilibrium propagation: exact gradients of C, at rest and along the relaxation.

    implicit, at s = f(s):                        a = ∂C/∂s (1 - ∂f/∂s)^-1      g = a ∂f/∂w
    BPTT, through T free steps s_(t+1) = f(s_t):  a_T = ∂C/∂s_T
        a_t = a_(t+1) ∂f/∂s at s_t                g = Σ_t a_(t+1) ∂f/∂w at s_t

If the network is at rest during the last K of the T steps, BPTT's k-th term from the end equals
what equilibrium propagation adds at its nudged step k, as β -> 0 (Ernoult et al. 2019, theorem 1).
``terms`` and ``moves`` return both, one by one.

Cost: implicit O(N S³), for small networks; the others as much as their steps.

References:
    Ernoult, Grollier, Querlioz, Bengio & Scellier (2019), Updates of equilibrium prop match
        gradients of backprop through time in an RNN with static input, NeurIPS.
    Pineda (1987), Generalization of back-propagation to recurrent neural networks, Physical Review
        Letters 59: the implicit one.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from lightning_modules.energies.equilibrium import NUDGES, Equilibrium

STILL, MOST = 1e-14, 20_000
"""The largest move of a unit that counts as rest, and the most steps taken to get there."""


@torch.no_grad()
def rest(
    network: Equilibrium, s_NS: Tensor, t_NO: Tensor | None = None, beta: float = 0.0
) -> tuple[Tensor, int]:
    """Return the states in which no unit moves any more, and the number of steps to them.

    ValueError if the network does not come to rest: weights are too large, or there is no energy.
    """
    for step in range(1, MOST + 1):
        before_NS, s_NS = s_NS, network.relax(s_NS, 1, t_NO, beta)
        if float((s_NS - before_NS).abs().max()) <= STILL:
            return s_NS, step
    raise ValueError(f"the network still moves by more than {STILL:g} after {MOST:,} steps")


@torch.no_grad()
def nudged(network: Equilibrium, s_NS: Tensor, t_NO: Tensor) -> tuple[list[Tensor], int]:
    """Return g_β of nudged relaxations that run until rest, and a count of units that saturated.

    ``s_NS`` is the state at rest without a nudge. Units are counted if they are at an end of the
    activation's range at exactly one of the free and a nudged rest.
    """
    total, crossed = [torch.zeros_like(w) for w in network.parameters()], 0
    for times, share in NUDGES[network.nudge]:
        there_NS = rest(network, s_NS, t_NO, times * network.beta)[0] if times else s_NS
        crossed += int((_at_end(network, there_NS) != _at_end(network, s_NS)).sum())
        for g, slope in zip(total, network.slopes(there_NS), strict=True):
            g.add_(slope, alpha=share / network.beta)
    return total, crossed


def implicit(network: Equilibrium, s_NS: Tensor, t_NO: Tensor) -> list[Tensor]:
    """Return dC/dw at the rest ``s_NS``, the mean over examples, by solving for a."""
    x_NI, own_NS = (part.detach() for part in s_NS.tensor_split([network.input_size], dim=1))
    own_NS.requires_grad_()
    with torch.enable_grad():
        s_NS = torch.cat([x_NI, own_NS], dim=1)
        (c_NS,) = torch.autograd.grad(network.cost(s_NS, t_NO).mean(), own_NS)
        next_NS = network.update(torch.cat([x_NI, own_NS], dim=1))[:, network.input_size :]
        rows = [
            torch.autograd.grad(next_N.sum(), own_NS, retain_graph=True)[0]
            for next_N in next_NS.unbind(dim=1)
        ]
    J_NSS = torch.stack(rows, dim=1)
    a_NS = torch.linalg.solve((torch.eye(J_NSS.shape[1]).to(J_NSS) - J_NSS).mT, c_NS)
    return list(torch.autograd.grad(next_NS, list(network.parameters()), a_NS))


def terms(
    network: Equilibrium, s_NS: Tensor, t_NO: Tensor, steps: int, last: int
) -> Iterator[list[Tensor]]:
    """Iterate over BPTT's terms through ``steps`` free steps from ``s_NS`` on, the last first.

    Only those of the ``last`` steps are given; the sum over all steps is BPTT's gradient, the mean
    over examples.
    """
    weights, states = list(network.parameters()), [s_NS]
    with torch.no_grad():
        for _ in range(steps):
            states.append(network.update(states[-1]))
    end_NS = states.pop().requires_grad_()
    with torch.enable_grad():
        (a_NS,) = torch.autograd.grad(network.cost(end_NS, t_NO).mean(), end_NS)
    for s_NS in states[: -last - 1 : -1]:
        with torch.enable_grad():
            next_NS = network.update(s_NS.requires_grad_())
        *of_weights, a_NS = torch.autograd.grad(next_NS, [*weights, s_NS], a_NS)
        a_NS[:, : network.input_size] = 0  # inputs are held fixed, so error stops there
        yield of_weights


@torch.no_grad()
def moves(network: Equilibrium, s_NS: Tensor, t_NO: Tensor, steps: int) -> Iterator[list[Tensor]]:
    """Iterate over what each nudged step from the free rest ``s_NS`` on adds to g_β."""
    states = {times: s_NS for times, _ in NUDGES[network.nudge] if times}
    for _ in range(steps):
        added = [torch.zeros_like(w) for w in network.parameters()]
        for times, share in NUDGES[network.nudge]:
            if not times:
                continue  # at rest nothing moves
            before_NS = states[times]
            states[times] = network.relax(before_NS, 1, t_NO, times * network.beta)
            ends = network.slopes(states[times]), network.slopes(before_NS)
            for g, now, then in zip(added, *ends, strict=True):
                g.add_(now - then, alpha=share / network.beta)
        yield added


def _at_end(network: Equilibrium, s_NS: Tensor) -> Tensor:
    """Return which units are at an end of the activation's range."""
    own_NS = s_NS[:, network.input_size :]
    return (own_NS <= network.rho.low) | (own_NS >= network.rho.high)
