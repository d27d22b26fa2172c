"""Estimates of a likelihood's gradient: what each is on average, and what it carries on."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.energies._energy import Distribution, Estimator
from lightning_modules.energies.boltzmann import Boltzmann
from lightning_modules.energies.estimators import ESTIMATORS
from lightning_modules.energies.estimators.annealed import Annealed
from lightning_modules.energies.estimators.centred import Centred
from lightning_modules.energies.estimators.contrastive_divergence import ContrastiveDivergence
from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.energies.estimators.persistent import Persistent
from lightning_modules.energies.rbm import RBM
from tests.energy_cases import bits, shaken, states_of

LEARNERS: dict[str, Callable[[], Distribution]] = {
    "annealed": lambda: Boltzmann(4, 3, Annealed()),
    "centred": lambda: RBM(4, 3, Centred(Persistent())),
    "contrastive_divergence": lambda: RBM(4, 3, ContrastiveDivergence()),
    "exact": lambda: RBM(4, 3, Exact()),
    "persistent": lambda: RBM(4, 3, Persistent()),
}
"""A network of four visible units that learns by each."""


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def machine(estimator: Estimator | None = None, visible: int = 4) -> RBM:
    net = shaken(RBM(visible, 3, estimator or Exact())).double()
    assert isinstance(net, RBM)
    return net


def flat(gradient: Any) -> Tensor:
    return torch.cat([g.flatten() for g in gradient])


def sweep_matrix(net: RBM) -> Tensor:
    """Return p(v' | v) of a sweep, over all hidden states."""
    v_NV, h_MH = states_of(net.visible_size), states_of(net.hidden_size)

    def given(p_NU: Tensor, s_MU: Tensor) -> Tensor:
        return torch.where(s_MU > 0, p_NU[:, None], 1 - p_NU[:, None]).prod(dim=2)

    with torch.no_grad():
        return given(net.hidden(v_NV), h_MH) @ given(net.visible(h_MH), v_NV)


def test_every_estimator_has_a_learner_here() -> None:
    assert set(LEARNERS) == set(ESTIMATORS)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_batch_gives_every_weight_a_gradient_and_moves_none(name: str) -> None:
    net, memory = shaken(LEARNERS[name]()).double(), None
    before = [w.detach().clone() for w in net.parameters()]
    for count in (6, 1):
        v_BV = bits(count, 4)
        learned = net.learn(v_BV, v_BV, memory)
        memory = learned.memory
        assert [g.shape for g in learned.gradient] == [w.shape for w in before]
        assert all(bool(g.isfinite().all() and g.any()) for g in learned.gradient)
    assert all(map(torch.equal, before, net.parameters()))


def test_the_exact_gradient_is_that_of_automatic_differentiation() -> None:
    net, v_BV = machine(), bits(5, 4)
    loss = net.free_energy(v_BV).mean() + (-net.free_energy(states_of(4))).logsumexp(0)
    expected = torch.autograd.grad(loss, list(net.parameters()))
    torch.testing.assert_close(list(Exact().estimate(net, v_BV).gradient), list(expected))


@pytest.mark.parametrize("sweeps", [1, 3])
def test_contrastive_divergence_is_on_average_the_gradient_of_k_transitions(sweeps: int) -> None:
    net, v_BV = machine(), bits(3, 4).repeat(20_000, 1)
    v_NV = states_of(4)
    start_N = torch.stack([(v_BV[:3] == v_V).all(dim=1).double().mean() for v_V in v_NV])
    end_N = start_N @ sweep_matrix(net).matrix_power(sweeps)
    with torch.no_grad():
        expected_P = flat(net.slopes(v_NV, start_N - end_N))
        spread = torch.stack([flat(net.slopes(v_V[None], torch.ones(1).double())) for v_V in v_NV])
    mean_P = end_N @ spread
    error_P = ((end_N @ (spread - mean_P).square()) / len(v_BV)).sqrt()
    estimate = flat(ContrastiveDivergence(sweeps).estimate(net, v_BV).gradient)
    assert float(((estimate - expected_P) / error_P).abs().max()) < 4


def test_without_weights_between_the_layers_contrastive_divergence_is_unbiased() -> None:
    net, v_BV = machine(), bits(2, 4).repeat(50_000, 1)
    net.W.data.zero_()
    exact, one = (flat(e.estimate(net, v_BV).gradient) for e in (Exact(), ContrastiveDivergence()))
    assert float((exact - one).abs().max()) < 0.02


def test_persistent_chains_come_to_the_models_own_distribution() -> None:
    net, estimator = machine(), Persistent(sweeps=10, chains=20_000)
    v_BV = bits(4, 4)
    learned = estimator.estimate(net, v_BV)
    for _ in range(4):
        learned = estimator.estimate(net, v_BV, learned.memory)
    apart = flat(learned.gradient) - flat(Exact().estimate(net, v_BV).gradient)
    assert float(apart.abs().max()) < 4 * 0.5 / 20_000**0.5


def test_chains_stay_as_many_whatever_the_batch() -> None:
    net, estimator = machine(), Persistent()
    memory = None
    for count in (6, 6, 1, 4, 6):
        learned = estimator.estimate(net, bits(count, 4), memory)
        memory = learned.memory
        assert memory.shape == (6, 3)
        assert learned.chain_CV is not None
        assert learned.chain_CV.shape == (6, 4)
        assert learned.h_BH is not None
        assert learned.h_BH.shape == (count, 3)
    assert Persistent(chains=5).estimate(net, bits(2, 4)).memory.shape == (5, 3)


def test_samples_drive_the_chains_and_means_are_counted() -> None:
    net = machine()
    for estimator in (ContrastiveDivergence(), Persistent()):
        learned = estimator.estimate(net, bits(50, 4))
        assert learned.chain_CV is not None
        assert set(learned.chain_CV.flatten().tolist()) == {0.0, 1.0}
        g_c = learned.gradient[2]
        assert learned.h_BH is not None
        with torch.no_grad():
            means_H = net.hidden(learned.chain_CV).mean(dim=0) - learned.h_BH.mean(dim=0)
        torch.testing.assert_close(g_c, means_H)


def _centred_energy(net: RBM, at: list[Tensor], mu_V: Tensor, lambda_H: Tensor) -> Tensor:
    """Return -ln p summed over all visible states, as logarithms, of the centred form."""
    W_VH, b_V, c_H = at
    v_NV, h_MH = states_of(net.visible_size) - mu_V, states_of(net.hidden_size) - lambda_H
    minus_NM = (v_NV @ b_V)[:, None] + h_MH @ c_H + v_NV @ W_VH @ h_MH.t()
    return minus_NM.logsumexp(1) - minus_NM.flatten().logsumexp(0)


def test_a_centred_step_is_that_of_the_centred_network() -> None:
    net, v_BV, rate = machine(), bits(7, 4), 0.3
    mu_V, lambda_H = v_BV.mean(dim=0), net.hidden(v_BV).mean(dim=0).detach()
    W_VH, b_V, c_H = (w.detach().clone() for w in net.parameters())
    centred = [W_VH, b_V + W_VH @ lambda_H, c_H + mu_V @ W_VH]
    centred = [w.requires_grad_() for w in centred]
    number_B = (v_BV @ torch.tensor([8.0, 4, 2, 1]).double()).long()
    loss = -_centred_energy(net, centred, mu_V, lambda_H)[number_B].mean()
    moved = [w - rate * g for w, g in zip(centred, torch.autograd.grad(loss, centred), strict=True)]
    gradient = Centred(Exact(), follow=1).estimate(net, v_BV).gradient
    with torch.no_grad():
        for w, g in zip(net.parameters(), gradient, strict=True):
            w -= rate * g
        ours_N = net.log_probability(states_of(4))
        theirs_N = _centred_energy(net, moved, mu_V, lambda_H)
    torch.testing.assert_close(ours_N, theirs_N)


@pytest.mark.parametrize("centred", [True, False])
def test_centred_an_inverted_picture_is_learned_as_the_picture(centred: bool) -> None:
    of: Estimator = Centred(Exact(), follow=1) if centred else Exact()
    net, v_BV = machine(), bits(6, 4)
    other = copy.deepcopy(net)
    with torch.no_grad():  # p of the inverted pictures
        other.c.add_(other.W.sum(dim=0))
        other.W.neg_()
        other.b.neg_()
        torch.testing.assert_close(
            other.log_probability(1 - states_of(4)), net.log_probability(states_of(4))
        )
        for one, seen in ((net, v_BV), (other, 1 - v_BV)):
            for w, g in zip(one.parameters(), of.estimate(one, seen).gradient, strict=True):
                w -= 0.5 * g
        apart = other.log_probability(1 - states_of(4)) - net.log_probability(states_of(4))
    assert (float(apart.abs().max()) < 1e-12) == centred


def test_offsets_follow_the_batches() -> None:
    net, first, then = machine(), bits(6, 4), bits(3, 4)
    of = Centred(Exact(), follow=0.25)
    _, mu_V, _ = of.estimate(net, then, of.estimate(net, first).memory).memory
    torch.testing.assert_close(mu_V, 0.75 * first.mean(dim=0) + 0.25 * then.mean(dim=0))
    with pytest.raises(ValueError, match="follow is 0"):
        Centred(Exact(), follow=0)


def test_annealing_long_enough_is_on_average_the_exact_gradient() -> None:
    net = shaken(Boltzmann(3, 2, Exact())).double()
    assert isinstance(net, Boltzmann)
    v_BV, of = bits(4, 3).repeat(5_000, 1), Annealed([(10, 2.0), (20, 1.0)], counted=2)
    learned = of.estimate(net, v_BV)
    apart = flat(learned.gradient) - flat(Exact().estimate(net, v_BV).gradient)
    assert float(apart.abs().max()) < 4 * (2 / len(v_BV)) ** 0.5 / 2
    assert learned.chain_CV is not None
    assert learned.chain_CV.shape == v_BV.shape


def test_clamped_units_stay_where_they_are_held() -> None:
    net, s_NS = shaken(Boltzmann(3, 2, Exact())).double(), bits(50, 5)
    assert isinstance(net, Boltzmann)
    swept_NS = net.sweep(s_NS, 1.0, first=3)
    assert torch.equal(swept_NS[:, :3], s_NS[:, :3])
    assert not torch.equal(swept_NS[:, 3:], s_NS[:, 3:])


def test_a_network_that_an_estimator_is_not_for_is_refused() -> None:
    fully, v_BV = Boltzmann(4, 2, Exact()), torch.zeros(2, 4)
    for estimator in (Persistent(), ContrastiveDivergence(), Centred(Exact())):
        with pytest.raises(TypeError, match="takes an RBM, not Boltzmann: use exact or annealed"):
            estimator.estimate(fully, v_BV)
    with pytest.raises(TypeError, match="takes a Boltzmann machine, not RBM: use persistent"):
        Annealed().estimate(machine(), v_BV)


def test_noise_turns_clamped_units_over_as_often_as_it_says() -> None:
    net, v_BV = Boltzmann(2, 1, Exact()).double(), torch.tensor([[1.0, 0.0]]).double()
    v_BV = v_BV.repeat(20_000, 1)
    noisy_BV = Annealed(noise=(0.3, 0.1))._noisy(v_BV)
    assert float(noisy_BV[:, 0].mean()) == pytest.approx(0.7, abs=0.02)
    assert float(noisy_BV[:, 1].mean()) == pytest.approx(0.1, abs=0.02)
    assert Annealed()._noisy(v_BV) is v_BV
    with pytest.raises(ValueError, match="on is 2"):
        Annealed(noise=(0.1, 2))
    assert Annealed(noise=(0.3, 0.1)).estimate(net, v_BV).gradient[1].shape == (3,)
