"""Energies beside other projects' own: scikit-learn's BernoulliRBM, rbms and dimod (extra dev).

What these do not have, reverse annealing and sums over Gaussian units, is held to our own
enumeration in test_partitions.
"""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neural_network import BernoulliRBM

from lightning_modules.energies.boltzmann import Boltzmann
from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.energies.hopfield import Hopfield
from lightning_modules.energies.partitions.annealed import Annealed
from lightning_modules.energies.rbm import RBM
from lightning_modules.energies.storage.hebb import Hebb
from tests.energy_cases import bits, shaken, signs, states_of
from tests.test_maps_oracles import library


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def machine(visible: int, hidden: int) -> RBM:
    net = shaken(RBM(visible, hidden, Exact())).double()
    assert isinstance(net, RBM)
    return net


def test_scikit_learn_has_the_same_free_energy() -> None:
    net, v_NV = machine(6, 4), bits(20, 6)
    theirs: Any = BernoulliRBM(4).fit(v_NV.numpy())
    with torch.no_grad():
        theirs.components_ = net.W.t().numpy()
        theirs.intercept_visible_, theirs.intercept_hidden_ = net.b.numpy(), net.c.numpy()
        ours_N = net.free_energy(v_NV).numpy()
    np.testing.assert_allclose(ours_N, theirs._free_energy(v_NV.numpy()), rtol=1e-12)


# Its module of samplers is compiled by torch.jit as it is imported.
@pytest.mark.filterwarnings("ignore:`torch.jit.script")
def test_rbms_counts_and_anneals_to_the_same_sum() -> None:
    library("rbms")
    library("h5py")
    classes = library("rbms.bernoulli_bernoulli.classes")
    counted = library("rbms.partition_function.exact").compute_partition_function
    annealed = library("rbms.partition_function.ais").compute_partition_function_ais
    net = machine(8, 5)
    with torch.no_grad():
        theirs = classes.BBRBM(net.W.clone(), net.b.clone(), net.c.clone())
        log_Z = float(net.log_partition())
        assert counted(theirs, states_of(5)) == pytest.approx(log_Z, abs=1e-10)
        assert counted(theirs, states_of(8)) == pytest.approx(log_Z, abs=1e-10)
        ours = Annealed(1000, 500).sum(net, bits(50, 8))
        assert ours.log_Z == pytest.approx(log_Z, abs=4 * ours.error)
        assert annealed(500, 1000, theirs) == pytest.approx(ours.log_Z, abs=0.1)


def test_dimod_has_the_same_energy_of_every_state_and_the_same_lowest() -> None:
    dimod, S = library("dimod"), 10
    net = Hopfield(S, Hebb()).double()
    net.store(signs(3, S))
    W = net.W.detach().numpy()
    pairs = {(i, j): -W[i, j] for i in range(S) for j in range(i)}
    _assert_same(dimod, dimod.BinaryQuadraticModel({}, pairs, 0.0, "SPIN"), net)
    machine = shaken(Boltzmann(6, 4, Exact(), [([0, 1], [2, 3])])).double()
    assert isinstance(machine, Boltzmann)
    A, b = machine.weights().detach().numpy(), machine.b.detach().numpy()
    pairs = {(i, j): -A[i, j] for i in range(S) for j in range(i)}
    alone = {i: -b[i] for i in range(S)}
    _assert_same(dimod, dimod.BinaryQuadraticModel(alone, pairs, 0.0, "BINARY"), machine)


def _assert_same(dimod: Any, model: Any, net: Any) -> None:
    found = dimod.ExactSolver().sample(model)
    order = [list(found.variables).index(i) for i in range(net.state_size)]
    s_NS = torch.from_numpy(found.record.sample[:, order].astype(float))
    with torch.no_grad():
        ours_N = net.energy(s_NS).numpy()
    np.testing.assert_allclose(ours_N, found.record.energy, atol=1e-10)
    assert len(ours_N) == 2**net.state_size
    assert ours_N.min() == pytest.approx(found.first.energy)
