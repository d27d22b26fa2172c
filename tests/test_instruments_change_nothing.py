"""Instruments change nothing: any model, with and without each probe that can see it."""

import contextlib
import gc
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.instruments import InstrumentWarning
from lightning_modules.probes import PROBES
from lightning_modules.training.watch import watch
from tests.instrumented import MEETINGS, STEPS, trained

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
