"""Equilibrium propagation: its energy, its rests, and the gradients that it is held to."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.energies._at_rest import implicit, moves, nudged, rest, terms
from lightning_modules.energies.equilibrium import ACTIVATIONS, NUDGES, Equilibrium
from lightning_modules.norms import norm

SIZES: tuple[int, int, list[int]] = (5, 3, [6, 4])
SMOOTH = "tanh", "logistic"
ORDERS = {"one_sided": 1, "centred": 2}


def network(seed: int = 0, **options: Any) -> Equilibrium:
    torch.manual_seed(seed)
    net = Equilibrium(*SIZES, **{"activation": "tanh", "beta": 1e-4, **options}).double()
    with torch.no_grad():
        for w in (*net.W, *net.buffers()):
            w.mul_(0.5)
        for b in net.b:
            b.uniform_(0.1, 0.5)
    return net


def examples(count: int = 4) -> tuple[Tensor, Tensor]:
    torch.manual_seed(9)
    return torch.rand(count, SIZES[0]).double(), torch.rand(count, SIZES[1]).double()


def flat(parts: Any) -> Tensor:
    return torch.cat([part.flatten() for part in parts])


def off(g_P: Tensor, exact_P: Tensor) -> float:
    return float(norm(g_P - exact_P) / norm(exact_P))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_goes_down_the_energy_and_the_cost_as_automatic_differentiation_has_it(
    activation: str,
) -> None:
    net, (x_NI, t_NO) = network(activation=activation, rate=1e-3), examples()
    s_NS = torch.cat([x_NI, 0.2 + 0.6 * torch.rand(len(x_NI), sum(net.sizes)).double()], dim=1)
    s_NS.requires_grad_()
    whole = net.energy(s_NS) + 0.3 * net.cost(s_NS, t_NO)
    (slope_NS,) = torch.autograd.grad(whole.sum(), s_NS)
    moved_NS = net.relax(s_NS, 1, t_NO, 0.3) - s_NS
    own = slice(net.input_size, None)
    torch.testing.assert_close(moved_NS[:, own], -1e-3 * slope_NS[:, own], rtol=1e-9, atol=1e-15)
    assert not moved_NS[:, : net.input_size].any(), "inputs are held"
    found = net.slopes(s_NS)
    exact = torch.autograd.grad(net.energy(s_NS).mean(), list(net.parameters()))
    torch.testing.assert_close(flat(found), flat(exact))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_energy_never_rises_on_the_way_to_rest(activation: str) -> None:
    net, (x_NI, _) = network(activation=activation, rate=0.1), examples()
    states = [net.start(x_NI)]
    for _ in range(200):
        states.append(net.update(states[-1]))
    energies_TN = torch.stack([net.energy(s_NS) for s_NS in states]).detach()
    assert (energies_TN.diff(dim=0) <= 1e-12).all()
    assert (energies_TN[-1] < energies_TN[0] - 1e-3).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_implicit_gradient_is_that_of_finite_differences_of_the_cost_at_rest(
    activation: str,
) -> None:
    net, (x_NI, t_NO) = network(activation=activation), examples()
    found = flat(implicit(net, rest(net, net.start(x_NI))[0], t_NO))

    def cost(place: int, by: float) -> float:
        moved = copy.deepcopy(net)
        w_P = torch.nn.utils.parameters_to_vector(moved.parameters()).detach()
        w_P[place] += by
        torch.nn.utils.vector_to_parameters(w_P, moved.parameters())
        return float(moved.cost(rest(moved, moved.start(x_NI))[0], t_NO).mean())

    for place in range(0, len(found), 17):
        slope = (cost(place, 1e-5) - cost(place, -1e-5)) / 2e-5
        assert float(found[place]) == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("nudge", NUDGES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_error_is_of_the_order_of_its_nudge(activation: str, nudge: str) -> None:
    net, (x_NI, t_NO) = network(activation=activation, nudge=nudge), examples()
    rest_NS, _ = rest(net, net.start(x_NI))
    exact_P, errors = flat(implicit(net, rest_NS, t_NO)), []
    for net.beta in (1e-4, 1e-3):
        found, crossed = nudged(net, rest_NS, t_NO)
        assert not crossed
        errors.append(off(flat(found), exact_P))
    slope = torch.tensor(errors).log10().diff()
    assert float(slope) == pytest.approx(ORDERS[nudge], abs=0.05)
    assert errors[1] < (1e-2 if nudge == "one_sided" else 1e-5)


@pytest.mark.parametrize("nudge", NUDGES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_nudged_step_is_a_step_of_back_propagation_through_time(
    activation: str, nudge: str
) -> None:
    net, (x_NI, t_NO) = network(activation=activation, nudge=nudge), examples()
    rest_NS, settled = rest(net, net.start(x_NI))
    back = list(map(flat, terms(net, net.start(x_NI), t_NO, settled + 15, 15)))
    added = list(map(flat, moves(net, rest_NS, t_NO, 15)))
    assert len(back) == len(added) == 15
    largest = max(float(norm(term_P)) for term_P in back)
    for term_P, move_P in zip(back, added, strict=True):
        assert float(norm(move_P - term_P)) < 1e-3 * largest
    net.steps, net.nudged_steps = settled, 15
    whole_P = flat(net.learn(x_NI, t_NO).gradient)
    torch.testing.assert_close(torch.stack(added).sum(dim=0), whole_P, rtol=1e-6, atol=1e-9)


def test_terms_add_up_to_the_gradient_of_automatic_differentiation() -> None:
    net, (x_NI, t_NO) = network(), examples()
    end_NS = net.relax(net.start(x_NI), 12)
    exact = torch.autograd.grad(net.cost(end_NS, t_NO).mean(), list(net.parameters()))
    found = list(map(flat, terms(net, net.start(x_NI), t_NO, 12, 12)))
    assert len(found) == 12
    torch.testing.assert_close(torch.stack(found).sum(dim=0), flat(exact))


def test_a_relaxation_that_was_cut_short_promises_nothing() -> None:
    net, (x_NI, t_NO) = network(), examples()
    end_NS = net.relax(net.start(x_NI), 2).detach()
    back = list(map(flat, terms(net, net.start(x_NI), t_NO, 2, 2)))
    added = list(map(flat, moves(net, end_NS, t_NO, 2)))
    assert off(added[0], back[0]) > 0.05


@pytest.mark.parametrize("activation", SMOOTH)
def test_weights_back_of_their_own_bend_the_update_and_no_nudge_cures_it(activation: str) -> None:
    x_NI, t_NO = examples()
    errors = {}
    for apart in (0.0, 0.01, 0.1):
        for beta in (1e-3, 1e-4):
            net = network(activation=activation, apart=apart, beta=beta)
            rest_NS, _ = rest(net, net.start(x_NI))
            found = flat(nudged(net, rest_NS, t_NO)[0])
            errors[apart, beta] = off(found, flat(implicit(net, rest_NS, t_NO)))
    assert errors[0.0, 1e-3] < 1e-5
    assert 5 < errors[0.1, 1e-4] / errors[0.01, 1e-4] < 20
    assert errors[0.1, 1e-4] == pytest.approx(errors[0.1, 1e-3], rel=0.01)


def test_noise_in_the_weights_back_is_a_share_of_their_norm_and_does_not_train() -> None:
    net = Equilibrium(20, 30, [40], apart=0.5)
    (A_HO,) = net.buffers()
    assert A_HO.shape == (40, 30)
    assert float(norm(A_HO) / norm(net.W[1].detach())) == pytest.approx(0.5, rel=0.1)
    assert len(list(net.parameters())) == 4
    (none,) = Equilibrium(20, 30, [40]).buffers()
    assert not none.any()


def test_a_unit_that_rests_at_an_end_of_the_hard_sigmoid_can_leave_it() -> None:
    net = Equilibrium(1, 1, [1], rate=0.5).double()
    with torch.no_grad():
        net.W[0].fill_(1.0)
        net.W[1].fill_(0.0)
    low_NS = net.relax(net.start(torch.tensor([[-1.0]]).double()), 5).detach()
    assert low_NS[0, 1] == 0
    low_NS[0, 0] = 0.8
    assert net.relax(low_NS, 50).detach()[0, 1] == pytest.approx(0.8)


def test_a_relaxation_to_the_end_of_states_stays_within_the_hard_sigmoids_range() -> None:
    net, (x_NI, t_NO) = network(activation="hard_sigmoid"), examples()
    with torch.no_grad():
        net.W[0].mul_(50)
    for beta in (-1.0, 1.0):
        own_NS = net.relax(net.start(x_NI), 30, t_NO, beta)[:, net.input_size :]
        assert bool(((own_NS >= 0) & (own_NS <= 1)).all())


def test_what_never_comes_to_rest_is_said_in_a_line() -> None:
    net, (x_NI, t_NO) = network(), examples()
    start_NS = net.start(x_NI)
    with torch.no_grad():
        net.W[2].fill_(30.0)
    with pytest.raises(ValueError, match=r"^the network still moves by more than 1e-14 after"):
        rest(net, start_NS, t_NO, -3.0)


@pytest.mark.parametrize("apart", [0.0, 0.5])
def test_batches_are_means_over_examples(apart: float) -> None:
    net, (x_NI, t_NO) = network(apart=apart, steps=40), examples()
    each = [
        flat(net.learn(x_1I, t_1O).gradient)
        for x_1I, t_1O in zip(x_NI.split(1), t_NO.split(1), strict=True)
    ]
    whole_P = flat(net.learn(x_NI, t_NO).gradient)
    torch.testing.assert_close(torch.stack(each).mean(dim=0), whole_P, rtol=1e-9, atol=1e-9)
