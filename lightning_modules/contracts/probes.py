"""Checks of every probe: it reports rows, does not change the run, and resumes from a checkpoint.

Whether its values are right is for the probe's own tests.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lightning_modules.algorithms.uoro import UORO
from lightning_modules.cells.lstm import LSTM
from lightning_modules.contracts._contract import Check, Contract, check
from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Batch
from lightning_modules.probes._base import Probe
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import Learner
from lightning_modules.training.recorder import Row
from lightning_modules.training.sequence import SequenceLearner

STEPS = 6


class _KilledError(Exception):
    """Stands for whatever may end a run before its last step."""


def tells(probe: Probe) -> None:
    """It tells rows of plain values, of itself and of a quantity."""
    rows = [row for row in _run(probe, probe) if "probe" in row]
    assert rows, "it tells nothing"
    for row in rows:
        assert {"probe", "quantity", "value"} <= row.keys(), f"{row} lacks one of these"
        plain = all(v is None or isinstance(v, str | int | float) for v in row.values())
        assert plain, f"{row} holds more than words and numbers"
        assert row["probe"] == probe.name


def changes_nothing(probe: Probe) -> None:
    """A run that draws at random is under it what it is without it."""
    seen = [row for row in _run(probe, probe) if "probe" not in row]
    assert seen == _run(probe)


CHECKS: tuple[Callable[[Probe], None], ...] = (tells, changes_nothing)


def resumes(uninterrupted: Probe, killed: Probe, resumed: Probe) -> None:
    """A run that is killed and goes on from its checkpoint tells the same, bit for bit."""
    expected = _run(uninterrupted, uninterrupted)
    with tempfile.TemporaryDirectory() as folder:
        saving = {"scratch": Path(folder), "checkpoint_every_seconds": 0}
        with _killed(STEPS - 2):
            _run(killed, killed, **saving)
        assert _run(resumed, resumed, scratch=Path(folder)) == expected


@contextlib.contextmanager
def _killed(at: int) -> Iterator[None]:
    """End the block, without an error, when batch number ``at`` is asked for."""
    whole = Recall.batch

    def batch(self: Recall, index: int) -> Batch:
        if index == at:
            raise _KilledError
        return whole(self, index)

    Recall.batch = batch
    try:
        with contextlib.suppress(_KilledError):
            yield
    finally:
        Recall.batch = whole


def _checks(build: Callable[[], Probe]) -> Iterator[Check]:
    """Iterate over the checks of a probe."""
    yield from (check(each, build) for each in CHECKS)
    yield check(resumes, build, build, build)


def learner_for(probe: Probe) -> Learner:
    """Return a small learner that the probe can observe; AssertionError if there is none."""
    task = Recall()
    torch.manual_seed(0)
    for kind in (SequenceLearner, BackpropLearner):
        if probe.sees & kind.shows and probe.needs <= kind.shows:
            break
    else:
        shown = sorted(SequenceLearner.shows | BackpropLearner.shows)
        sees = ", ".join(sorted(probe.sees)) or "nothing"
        raise AssertionError(f"it sees {sees}: learners here show {', '.join(shown)}")
    if kind is SequenceLearner:
        cell = LSTM(task.input_size, 4).double()
        return kind(cell, task.output_size, task.loss, UORO(), 4, "adam", 0.01).double()
    layers = nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.3), nn.Linear(5, 2)
    return BackpropLearner(nn.Sequential(*layers).double(), task.loss, "adam", 0.01).double()


def _run(shown_to: Probe, *probes: Probe, **saving: Any) -> list[Row]:
    """Return the rows of a short run under ``probes``, with the learner for ``shown_to``."""
    run = {"steps": STEPS, "evaluate_every": 2, "seed": 3}
    learner = learner_for(shown_to)
    task = Recall(streams=isinstance(learner, SequenceLearner))
    return fit(learner, task, **run, **saving, probes=probes)


CONTRACT = Contract(Probe, {}, _checks)
