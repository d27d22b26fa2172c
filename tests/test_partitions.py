"""Sums over all states: annealed both ways against enumeration."""

import math

import pytest
import torch

from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.energies.partitions import PARTITIONS
from lightning_modules.energies.partitions._partition import Partition, Path, mean_of
from lightning_modules.energies.partitions.annealed import Annealed
from lightning_modules.energies.partitions.reverse_annealed import ReverseAnnealed
from lightning_modules.energies.rbm import RBM
from tests.energy_cases import ENERGY_CASES, bits, shaken

WAYS: dict[str, Partition] = {
    "annealed": Annealed(500, 400),
    "enumerated": PARTITIONS["enumerated"](),
    "reverse_annealed": ReverseAnnealed(500, 400, burn_in=200),
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_every_way_is_tried_here() -> None:
    assert set(WAYS) == set(PARTITIONS)


@pytest.mark.parametrize("case", [name for name in ENERGY_CASES if name.startswith("rbm")])
@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_sum_over_all_states(way: str, case: str) -> None:
    net = ENERGY_CASES[case].build().double()
    assert isinstance(net, RBM)
    with torch.no_grad():
        net.W.mul_(0.7)  # of Gaussian units, so that variances stay near 1
    v_NV = net.seen(*ENERGY_CASES[case].examples(20))
    summed = WAYS[way].sum(net, v_NV)
    assert abs(summed.log_Z - float(net.log_partition())) < 4 * summed.error + 1e-9


def test_base_rates_are_the_datas_log_odds() -> None:
    net = shaken(RBM(4, 3, Exact())).double()
    assert isinstance(net, RBM)
    v_NV = bits(9, 4)
    path = Path(net, v_NV)
    mean_V = v_NV.mean(dim=0).clamp(1e-3, 1 - 1e-3)
    torch.testing.assert_close(path.a_V, (mean_V / (1 - mean_V)).log())
    odds = sum(math.log(1 + math.exp(a)) for a in path.a_V.tolist())
    assert path.log_Z0 == pytest.approx(odds + 3 * math.log(2))
    assert float(path.start(20_000).mean(dim=0).sub(mean_V).abs().max()) < 0.02


def test_between_the_ends_lie_the_two_machines() -> None:
    net = shaken(RBM(4, 3, Exact())).double()
    assert isinstance(net, RBM)
    path, v_NV = Path(net, bits(9, 4)), bits(6, 4)
    with torch.no_grad():
        whole_N, _ = path.rise(v_NV, 0, 1)
        parts_N = path.rise(v_NV, 0, 0.3)[0] + path.rise(v_NV, 0.3, 1)[0]
        base_N = v_NV @ path.a_V + 3 * math.log(2)
        torch.testing.assert_close(base_N + whole_N, -net.free_energy(v_NV))
    torch.testing.assert_close(parts_N, whole_N)


def test_the_error_is_that_of_a_mean_of_weights() -> None:
    log_w_C = torch.tensor([1.0, 3.0]).double().log() + 700  # whose exponentials are no numbers
    log_mean, error = mean_of(log_w_C)
    assert log_mean == pytest.approx(math.log(2) + 700)
    assert error == pytest.approx(torch.tensor([0.5, 1.5]).std().item() / math.sqrt(2), rel=1e-4)


def test_too_many_states_and_too_few_chains_are_refused() -> None:
    with pytest.raises(ValueError, match="21 units have too many states"):
        WAYS["enumerated"].sum(RBM(21, 21, Exact()), torch.zeros(2, 21))
    with pytest.raises(ValueError, match="chains is 1: it must be at least 2"):
        Annealed(chains=1)
    with pytest.raises(ValueError, match="burn_in is -1"):
        ReverseAnnealed(burn_in=-1)
