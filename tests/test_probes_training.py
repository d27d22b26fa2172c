"""Probes on learners: that they see all of them, change nothing, and resume."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.srn import SRN
from lightning_modules.contracts._recall import Recall
from lightning_modules.networks.unrolled import Unrolled
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import HELD
from lightning_modules.training.adversarial import AdversarialLearner
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.by_rule import RuleLearner
from lightning_modules.training.energy import EnergyLearner
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import Learner
from lightning_modules.training.map import MapLearner
from lightning_modules.training.sequence import SequenceLearner
from tests.cases import CELL_BUILDS
from tests.probing import value
from tests.probing_learners import OF_SEQUENCES, Spy, every, perceptron
from tests.test_training import sequence_learner
from tests.test_training_runs import RUN, killed, online


def _error_by_hand(network: nn.Module, task: Recall, index: int) -> dict[str, list[float]]:
    """Return ‖∂L/∂h‖ of every call of every module without children."""
    made: dict[str, list[Tensor]] = {}
    network, batch = copy.deepcopy(network), task.batch(index)
    for name, module in network.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda _, __, output, name=name: made.setdefault(name, []).append(output)
            )
    z_TBO = network(batch.x_TBI.double())
    loss = nn.functional.cross_entropy(z_TBO[batch.mask_TB], batch.y_TB[batch.mask_TB])
    outputs = [(name, h) for name, calls in made.items() for h in calls]
    found = torch.autograd.grad(loss, [h for _, h in outputs])
    errors: dict[str, list[float]] = {name: [] for name in made}
    for (name, _), g in zip(outputs, found, strict=True):
        errors[name].append(float(g.norm()))
    return errors


@pytest.mark.parametrize("network", ["perceptron", "unrolled"])
def test_error_flow_is_that_of_every_call_of_a_network_s_layers(network: str) -> None:
    learner, task = perceptron(), Recall()
    if network == "unrolled":
        learner = BackpropLearner(Unrolled(SRN(3, 4).double(), 2), task.loss, "sgd", 0.1).double()
    expected = _error_by_hand(learner.network, task, 0)
    rows = fit(learner, task, steps=1, evaluate_every=1, seed=0, probes=[PROBES["error_flow"]()])
    assert sum(map(len, expected.values())) == sum("probe" in row for row in rows)
    for name, calls in expected.items():
        for t, norm in enumerate(calls):
            assert value(rows, module=name, t=t) == pytest.approx(norm, rel=1e-10)


@pytest.mark.parametrize("name", CELL_BUILDS)
def test_every_probe_runs_on_every_cell_and_changes_nothing(name: str) -> None:
    found = []
    for probes in ([], every()):
        torch.manual_seed(0)
        cell = CELL_BUILDS[name]().double()
        task = Recall()
        rule = ALGORITHMS["bptt"]()
        learner = SequenceLearner(cell, task.output_size, task.loss, rule, 4, "adam", 0.01).double()
        rows = fit(learner, task, steps=3, evaluate_every=2, seed=0, probes=probes)
        found.append([row for row in rows if "probe" not in row])
    assert found[0] == found[1]
    for step in (2, 3):
        told = {row["probe"] for row in rows if row["step"] == step and "probe" in row}
        assert told == set(OF_SEQUENCES)


def test_probes_leave_a_noisy_stream_as_it_is_and_see_all_of_its_updates() -> None:
    task, spy = Recall(streams=True), Spy()
    rows = fit(online(), task, **RUN, probes=[spy, *every()])
    assert [row for row in rows if "probe" not in row] == fit(online(), task, **RUN)
    counted = [task.batch(i).mask_TB[t : t + 2].any() for i in range(12) for t in range(0, 7, 2)]
    assert len(spy.seen) == sum(map(bool, counted))


def test_a_probe_looks_as_often_as_it_is_told() -> None:
    spy = Spy()
    spy.every = 5
    fit(sequence_learner(Recall()), Recall(), **RUN, probes=[spy])
    assert len(spy.seen) == 3
    with pytest.raises(ValueError, match="every is 0: it must be at least 1"):
        PROBES["gates"](every=0)


@pytest.mark.parametrize("held", [2, HELD])
def test_probes_resume_bit_for_bit(held: int, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("lightning_modules.probes._base.HELD", held)
    expected = fit(online(BPTT), Recall(streams=True), **RUN, probes=every(gates=3))
    saving = {"scratch": tmp_path, "checkpoint_every_seconds": 0}
    with killed():
        fit(online(BPTT), Recall(streams=True), **RUN, **saving, probes=every(gates=3))
    resumed = fit(
        online(BPTT), Recall(streams=True), **RUN, scratch=tmp_path, probes=every(gates=3)
    )
    assert resumed == expected


def test_a_learner_refuses_a_probe_that_sees_nothing_of_it() -> None:
    says = "horizon sees passages, but BackpropLearner shows modules, outputs, updates alone"
    with pytest.raises(ValueError, match=says):
        fit(perceptron(), Recall(), **RUN, probes=[PROBES["horizon"]()])


def test_a_module_that_is_no_learner_is_refused() -> None:
    with pytest.raises(TypeError, match="Linear is no Learner"):
        PROBES["gates"]().setup(None, nn.Linear(1, 1), "fit")


def test_means_are_of_all_measurements_where_sequences_differ_in_length() -> None:
    probe = PROBES["error_flow"]()
    for steps, size in ((3, 1.0), (3, 2.0), (5, 6.0)):
        probe.keep(flow_LT=torch.full((1, steps + 1), size))
    assert [row["value"] for row in probe.rows(0)] == [3, 3, 3, 6, 6]
    assert probe.rows(1) == []


def test_learners_say_what_they_show() -> None:
    kinds = (
        SequenceLearner,
        BackpropLearner,
        RuleLearner,
        EnergyLearner,
        MapLearner,
        AdversarialLearner,
    )
    shown = {name for kind in kinds for name in kind.shows}
    assert all(PROBES[name].sees <= shown for name in PROBES)
    assert issubclass(SequenceLearner, Learner)
