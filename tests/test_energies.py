"""What every symmetric network is held to, and those that give states probabilities beside."""

import copy

import pytest
import torch
from torch import Tensor

from lightning_modules.energies import ENERGIES
from lightning_modules.energies._energy import Bipartite, Distribution
from lightning_modules.energies._states import states
from lightning_modules.energies.estimators.contrastive_divergence import ContrastiveDivergence
from lightning_modules.energies.linear_rbm import LinearRBM
from tests.energy_cases import ENERGY_CASES, EnergyCase, bits, states_of

CASES = pytest.mark.parametrize("case", ENERGY_CASES.values(), ids=list(ENERGY_CASES))
DISTRIBUTIONS = {
    name: case
    for name, case in ENERGY_CASES.items()
    if issubclass(ENERGIES[name.partition(" ")[0]], Distribution)
}
OF_DISTRIBUTIONS = pytest.mark.parametrize("case", DISTRIBUTIONS.values(), ids=list(DISTRIBUTIONS))
COUNTED = {name: case for name, case in DISTRIBUTIONS.items() if case.visible_states}
OF_COUNTED = pytest.mark.parametrize("case", COUNTED.values(), ids=list(COUNTED))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def distribution(case: EnergyCase) -> Distribution:
    energy = case.build().double()
    assert isinstance(energy, Distribution)
    return energy


def visible(case: EnergyCase) -> Tensor:
    assert case.visible_states is not None
    return case.visible_states()


def with_hidden(energy: Distribution, v_V: Tensor) -> Tensor:
    """Return all states that have these visible units."""
    h_NH = states_of(energy.state_size - len(v_V))
    return torch.cat([v_V.expand(len(h_NH), -1), h_NH], dim=1)


def test_every_energy_has_a_case() -> None:
    assert {name.partition(" ")[0] for name in ENERGY_CASES} == set(ENERGIES)


@CASES
def test_it_has_as_many_parameters_as_its_equations(case: EnergyCase) -> None:
    assert sum(w.numel() for w in case.build().parameters()) == case.parameters


@CASES
def test_what_cannot_be_built_is_refused_in_a_line(case: EnergyCase) -> None:
    for build, says in case.refused:
        with pytest.raises((ValueError, KeyError), match=says) as refused:
            build()
        assert "\n" not in str(refused.value)


@CASES
def test_learning_gives_a_gradient_of_every_weight_and_moves_none(case: EnergyCase) -> None:
    energy = case.build().double()
    before = copy.deepcopy(energy.state_dict())
    memory = None
    for count in (6, 5, 1):
        learned = energy.learn(*case.examples(count), memory)
        memory = learned.memory
        shapes = [w.shape for w in energy.parameters()]
        assert [g.shape for g in learned.gradient] == shapes
        assert all(bool(g.isfinite().all()) for g in learned.gradient)
    assert all(torch.equal(before[name], w) for name, w in energy.state_dict().items())


@CASES
def test_states_are_alone_and_stay_as_they_are(case: EnergyCase) -> None:
    energy = case.build().double()
    x_NI, _ = case.examples(5)
    s_NS = torch.cat([x_NI, bits(5, energy.state_size - x_NI.shape[1])], dim=1)
    kept_NS = s_NS.clone()
    e_N = energy.energy(s_NS)
    assert e_N.shape == (5,)
    torch.testing.assert_close(energy.energy(s_NS[3:4]), e_N[3:4])
    assert energy.update(s_NS).shape == s_NS.shape
    assert torch.equal(s_NS, kept_NS)
    z_NO = energy.outputs(x_NI)
    assert z_NO.shape == (5, energy.output_size)
    torch.testing.assert_close(energy.outputs(x_NI[1:3]), z_NO[1:3])


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=n) for n, c in DISTRIBUTIONS.items() if c.hidden_states]
)
def test_the_free_energy_is_that_of_all_hidden_states(case: EnergyCase) -> None:
    energy = distribution(case)
    v_NV = energy.seen(*case.examples(4))
    summed_N = torch.stack([-(-energy.energy(with_hidden(energy, v))).logsumexp(0) for v in v_NV])
    torch.testing.assert_close(energy.free_energy(v_NV), summed_N)


@OF_DISTRIBUTIONS
def test_slopes_are_the_derivatives_of_the_free_energy(case: EnergyCase) -> None:
    energy = distribution(case)
    v_NV, weight_N = energy.seen(*case.examples(5)), torch.randn(5).double()
    expected = torch.autograd.grad(
        (weight_N * energy.free_energy(v_NV)).sum(), list(energy.parameters())
    )
    with torch.no_grad():
        torch.testing.assert_close(energy.slopes(v_NV, weight_N), list(expected))


@OF_COUNTED
def test_probabilities_sum_to_one(case: EnergyCase) -> None:
    energy = distribution(case)
    with torch.no_grad():
        assert float(energy.log_probability(visible(case)).exp().sum()) == pytest.approx(1, 1e-12)


@OF_COUNTED
def test_expected_slopes_are_those_of_all_states(case: EnergyCase) -> None:
    energy = distribution(case)
    with torch.no_grad():
        p_N = energy.log_probability(visible(case)).exp()
        torch.testing.assert_close(energy.expected_slopes(), energy.slopes(visible(case), p_N))


@OF_COUNTED
def test_sweeps_leave_the_distribution_as_it_is(case: EnergyCase) -> None:
    energy, chains = distribution(case), 40_000
    v_NV = visible(case)
    with torch.no_grad():
        p_N = energy.log_probability(v_NV).exp()
    start_CV = v_NV[torch.multinomial(p_N, chains, replacement=True)]
    hidden_CH = torch.zeros(chains, energy.state_size - v_NV.shape[1]).double()
    s_CS = torch.cat([start_CV, hidden_CH], dim=1)
    if not isinstance(energy, Bipartite):  # its sweep looks at the hidden units that it finds
        for n, v_V in enumerate(v_NV):
            at = (start_CV == v_V).all(dim=1)
            all_NS = with_hidden(energy, v_V)
            p_h = (-energy.energy(all_NS)).softmax(dim=0)
            s_CS[at] = all_NS[torch.multinomial(p_h, int(at.sum()), replacement=True)]
            assert n < len(v_NV)
    swept_CV = energy.update(s_CS)[:, : v_NV.shape[1]]
    share_N = torch.stack([(swept_CV == v_V).all(dim=1).double().mean() for v_V in v_NV])
    error_N = (p_N * (1 - p_N) / chains).sqrt()
    assert float(((share_N - p_N) / error_N).abs().max()) < 4


def test_states_are_gone_through_in_blocks_each_once_and_not_of_too_many_units() -> None:
    like = torch.zeros((), dtype=torch.float64)
    whole = torch.cat(list(states(like, 5, block=7)))
    assert torch.equal(whole, states_of(5))
    with pytest.raises(ValueError, match="21 units have too many states"):
        next(states(like, 21))


def test_the_free_energy_of_real_hidden_units_is_their_integral() -> None:
    energy = LinearRBM(3, 1, ContrastiveDivergence(), spread=0.7).double()
    h_N1 = torch.linspace(-12, 12, 4001).double()[:, None]
    with torch.no_grad():
        for v_V in states_of(3):
            e_N = energy.energy(torch.cat([v_V.expand(len(h_N1), -1), h_N1], dim=1))
            integral = torch.trapezoid((-e_N).exp(), h_N1[:, 0])
            assert float(energy.free_energy(v_V[None])) == pytest.approx(float(-integral.log()))
