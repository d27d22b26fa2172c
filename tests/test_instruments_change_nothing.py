"""Instruments change nothing: any model, with and without each probe that can see it."""

import contextlib
import gc
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.contracts._recall import Recall
from lightning_modules.instruments import InstrumentWarning
from lightning_modules.probes import PROBES
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit
from lightning_modules.training.watch import watch
from tests import instrumented_networks
from tests.instrumented import MEETINGS, STEPS, trained
from tests.test_training_runs import RUN

OF_LAYERS = [name for name in PROBES if "passages" in PROBES[name].sees]


def _same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for what in ("losses", "modes", "hooks"):
        assert one[what] == other[what], what
    for what in ("gradients", "state"):
        assert len(one[what]) == len(other[what])
        for a, b in zip(one[what], other[what], strict=True):
            assert torch.equal(a, b), what
    assert torch.equal(one["generator"], other["generator"])


@contextlib.contextmanager
def _said(says: str) -> Any:
    """Hold what is said to one line of this beginning, or to none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InstrumentWarning)
        yield
    lines = [str(w.message) for w in caught if w.category is InstrumentWarning]
    assert len(lines) == bool(says), lines
    assert all(says in line and "\n" not in line for line in lines), lines


# Dynamo itself asks a tensor between two compiled parts for its gradient.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("name", MEETINGS)
def test_a_watched_model_trains_as_an_unwatched_one(name: str) -> None:
    meeting = MEETINGS[name]
    bare = trained(meeting, lambda model: watch(model, []))
    options = {probe: {"every": 1} for probe in OF_LAYERS}
    with _said(meeting.says):
        seen = trained(meeting, lambda model: watch(model, OF_LAYERS, **options))
    _same(bare, seen)
    record, of = seen["record"], {row["probe"] for row in seen["record"].rows}
    assert of == (set(OF_LAYERS) if meeting.rows else set())
    if meeting.rows:
        assert record.steps == STEPS * meeting.passes


def test_no_probe_keeps_a_tensor() -> None:
    def kept(*probes: str) -> tuple[int, Any]:
        options = {probe: {"every": 1} for probe in probes}
        record = trained(MEETINGS["looped LSTM"], lambda m: watch(m, probes, **options))["record"]
        gc.collect()
        return sum(issubclass(type(o), Tensor) for o in gc.get_objects()), record

    kept(*OF_LAYERS)
    (bare, _), (found, record) = kept(), kept(*OF_LAYERS)
    assert record.rows
    assert found == bare


def _fitted(meeting: Any, *probes: str) -> dict[str, Any]:
    """Fit a network and return all that an instrument may not change."""
    torch.manual_seed(0)
    network = instrumented_networks.Network(meeting.way)
    meeting.prepare(network)
    learner = BackpropLearner(meeting.wrap(network), "cross_entropy", "sgd", 0.1).to(meeting.dtype)
    looks = [PROBES[name](every=2) for name in probes]
    rows = fit(learner, Recall(), **RUN, probes=looks)
    return {
        "losses": [row for row in rows if "probe" not in row],
        "gradients": [w.grad for w in learner.parameters() if w.grad is not None],
        "modes": [m.training for m in network.modules()],
        "hooks": [bool(m._forward_hooks or m._forward_pre_hooks) for m in network.modules()],
        "state": [v.clone() for v in network.state_dict().values()],
        "generator": torch.get_rng_state(),
        "rows": [row for row in rows if "probe" in row],
        "learner": learner,
    }


OF_NETWORKS = [
    name
    for name, kind in PROBES.items()
    if kind.sees & BackpropLearner.shows and kind.needs <= BackpropLearner.shows
]


@pytest.mark.parametrize("name", instrumented_networks.MEETINGS)
def test_a_network_that_is_fitted_under_probes_learns_as_without(name: str) -> None:
    meeting = instrumented_networks.MEETINGS[name]
    bare = _fitted(meeting)
    says = [text for text in (meeting.outputs, meeting.errors) if text]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InstrumentWarning)
        seen = _fitted(meeting, *OF_NETWORKS)
    lines = sorted(str(w.message) for w in caught if w.category is InstrumentWarning)
    assert len(lines) == len(says), lines
    assert all(text in line for text, line in zip(says, lines, strict=True)), lines
    _same(bare, seen)
    blind = (
        {"activations", "error_flow"} if meeting.errors == instrumented_networks.NO_LAYER else set()
    )
    assert {row["probe"] for row in seen["rows"]} == set(OF_NETWORKS) - blind


def test_no_probe_of_a_network_keeps_a_tensor() -> None:
    def kept(*probes: str) -> tuple[int, Any]:
        learner = _fitted(instrumented_networks.MEETINGS["plain"], *probes)["learner"]
        gc.collect()
        return sum(issubclass(type(o), Tensor) for o in gc.get_objects()), learner

    kept(*OF_NETWORKS)
    bare, found = kept()[0], kept(*OF_NETWORKS)[0]
    assert found == bare


def test_error_at_an_output_that_is_written_to_is_that_before_it_was() -> None:
    way = instrumented_networks.MEETINGS["changed in place"].way
    found = []
    for meeting in (
        instrumented_networks.Meeting(way),
        instrumented_networks.Meeting(lambda n, x: n.end(nn.functional.relu(n.before(x)))),
    ):
        rows = _fitted(meeting, "error_flow")["rows"]
        found.append([row["value"] for row in rows if row["module"] == "before"])
    assert found[0] == found[1]
    assert all(value > 0 for value in found[0])
