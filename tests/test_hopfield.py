"""Storage rules and updates of Hopfield networks, each beside what is known of it."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.energies.hopfield import UPDATES, Hopfield, overlap
from lightning_modules.energies.storage import STORAGE
from lightning_modules.energies.storage.hebb import Hebb
from lightning_modules.energies.storage.pseudo_inverse import PseudoInverse
from lightning_modules.energies.storage.storkey import Storkey
from tests.energy_cases import signs, states_of


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def network(
    rule: str = "hebb", units: int = 60, patterns: int = 6, **how: Any
) -> tuple[Hopfield, Tensor]:
    net = Hopfield(units, STORAGE[rule](), **how).double()
    x_MS = signs(patterns, units)
    net.store(x_MS)
    return net, x_MS


def of_weights(rows: Any, **how: Any) -> Hopfield:
    net = Hopfield(len(rows), Hebb(), **how)
    net.W.data.copy_(torch.as_tensor(rows))
    return net


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("updates", UPDATES)
@pytest.mark.parametrize("rule", STORAGE)
def test_few_patterns_are_recalled_from_a_tenth_of_wrong_bits(
    rule: str, updates: str, diagonal: bool
) -> None:
    net, x_MS = network(rule, 200, 8, updates=updates, diagonal=diagonal)
    noisy_MS = torch.where(torch.rand(x_MS.shape) < 0.1, -x_MS, x_MS)
    settled = net.settle(noisy_MS)
    assert settled.period_N.tolist() == [1] * 8
    assert float(overlap(settled.states_NS, x_MS).min()) > 0.95


@pytest.mark.parametrize("rule", STORAGE)
def test_weights_are_symmetric_and_patterns_in_parts_are_stored_as_all_at_once(rule: str) -> None:
    net, x_MS = network(rule)
    torch.testing.assert_close(net.W, net.W.t())
    parts = Hopfield(60, STORAGE[rule]()).double()
    for x_1S in x_MS.split(2):
        parts.store(x_1S)
    if rule != "perceptron_rule":  # which looks at all that it is given, again and again
        torch.testing.assert_close(parts.W, net.W)
    assert float(overlap(parts.outputs(x_MS), x_MS).min()) == 1


def test_learning_at_rate_one_is_storing() -> None:
    net, x_MS = network("storkey")
    other = Hopfield(60, Storkey()).double()
    (gradient,) = other.learn(x_MS, x_MS).gradient
    torch.testing.assert_close(-gradient, net.W.detach())
    assert not other.W.any()


def test_the_projection_rule_is_the_pseudo_inverse_and_keeps_every_pattern() -> None:
    net, x_MS = network("pseudo_inverse", 40, 30)
    torch.testing.assert_close(net.W.detach(), torch.linalg.pinv(x_MS) @ x_MS)
    net.store(x_MS[:5])  # what is spanned adds nothing
    torch.testing.assert_close(net.W.detach(), torch.linalg.pinv(x_MS) @ x_MS)
    assert torch.equal(net.update(x_MS), x_MS)


def test_storkeys_rule_is_that_of_its_sums() -> None:
    S, x_MS = 6, signs(4, 6)
    w_SS = torch.zeros(S, S).double()
    for x_S in x_MS:
        old_SS = w_SS.clone()
        for i in range(S):
            for j in range(S):
                h_ij = sum(old_SS[i, k] * x_S[k] for k in range(S) if k not in (i, j))
                h_ji = sum(old_SS[j, k] * x_S[k] for k in range(S) if k not in (i, j))
                w_SS[i, j] += (x_S[i] * x_S[j] - x_S[i] * h_ji - h_ij * x_S[j]) / S
    net = Hopfield(S, Storkey()).double()
    net.store(x_MS)
    torch.testing.assert_close(net.W.detach() / S, w_SS)


def test_the_perceptron_rule_holds_more_than_hebbs_by_the_stability_that_is_asked() -> None:
    net, x_MS = network("perceptron_rule", 100, 50)
    used_SS = net.W.detach() - net.W.detach().diag().diag()
    assert float(((x_MS @ used_SS) * x_MS / used_SS.norm(dim=0)).min()) > 0.5
    hebb = Hopfield(100, Hebb()).double()
    hebb.store(x_MS)
    assert not torch.equal(hebb.update(x_MS), x_MS)


def test_a_field_of_zero_keeps_the_state() -> None:
    for updates in UPDATES:
        net = of_weights([[0.0, 1.0, -1.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], updates=updates)
        for first in (-1.0, 1.0):
            s_1S = torch.tensor([[first, 1.0, 1.0]])
            assert net.field(s_1S)[0, 0] == 0
            if updates == "synchronous":
                assert net.update(s_1S)[0, 0] == first
    ties = network("hebb", 9, 4)[0]  # fields are whole numbers: a tie is a tie in floats
    fields = ties.field(2 * states_of(9) - 1)
    assert torch.equal(fields, fields.round())
    assert bool((fields == 0).any())


@pytest.mark.parametrize("rule", ["hebb", "pseudo_inverse", "storkey"])
def test_one_unit_at_a_time_energy_never_rises(rule: str) -> None:
    net, _ = network(rule, 40, 8)
    s_NS = signs(30, 40)
    W_SS = net.W.detach() - net.W.detach().diag().diag()
    for _ in range(3):
        for i in torch.randperm(40).tolist():
            before_N = net.energy(s_NS)
            h_N = s_NS @ W_SS[i]
            s_NS[:, i] = torch.where(h_N == 0, s_NS[:, i], h_N.sign())
            assert float((net.energy(s_NS) - before_N).max()) <= 1e-9
    before_N = net.energy(s_NS)
    assert float((net.energy(net.update(s_NS)) - before_N).max()) <= 1e-9


def test_all_at_once_the_function_of_two_steps_never_rises_and_no_orbit_is_longer_than_two() -> (
    None
):
    net = of_weights((W := torch.randn(60, 60)) + W.t(), updates="synchronous").double()
    s_NS = signs(200, 60)
    last_N, energies = torch.full((200,), math.inf).double(), []
    for _ in range(60):
        next_NS = net.update(s_NS)
        now_N = -(next_NS * net.field(s_NS)).sum(dim=1)
        assert bool((now_N <= last_N).all())
        energies.append(net.energy(s_NS))
        s_NS, last_N = next_NS, now_N
    assert torch.equal(net.update(net.update(s_NS)), s_NS)
    assert float(torch.stack(energies).diff(dim=0).max()) > 0  # which energy itself does
    periods_N = net.settle(signs(200, 60)).period_N
    assert 2 in set(periods_N.tolist()) <= {1, 2}


def test_the_smallest_network_that_swings_is_flagged() -> None:
    swings = of_weights([[0.0, -1.0], [-1.0, 0.0]], updates="synchronous")
    settled = swings.settle(torch.ones(1, 2))
    assert settled.period_N.tolist() == [2]
    rests = of_weights([[0.0, -1.0], [-1.0, 0.0]]).settle(torch.ones(1, 2))
    assert rests.period_N.tolist() == [1]
    assert rests.states_NS.sum() == 0
    short = of_weights([[0.0, -1.0], [-1.0, 0.0]], updates="synchronous", sweeps=1)
    assert short.settle(torch.ones(1, 2)).period_N.tolist() == [0]


def test_a_negative_is_recalled_as_its_pattern_is() -> None:
    net, x_MS = network()
    assert torch.equal(net.outputs(-x_MS), -x_MS)
    assert overlap(-x_MS, x_MS).tolist() == [1.0] * len(x_MS)


def test_a_patterns_bits_are_wrong_as_often_as_noise_of_the_others_says() -> None:
    units, patterns = 1000, 185
    net, x_MS = network("hebb", units, patterns, updates="synchronous")
    expected = math.erfc(1 / math.sqrt(2 * patterns / units)) / 2
    wrong = float((net.update(x_MS) != x_MS).double().mean())
    error = math.sqrt(expected * (1 - expected) / (units * patterns))
    assert abs(wrong - expected) < 5 * error


def test_the_projections_diagonal_is_the_load() -> None:
    net, _ = network("pseudo_inverse", 200, 100)
    assert isinstance(net.storage, PseudoInverse)
    assert float(net.W.diagonal().mean()) == pytest.approx(0.5)
