"""Probes go from a section of params.yaml through flat trials to a learner, and out as rows."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pydantic
import pytest
import torch

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells import CELLS
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.measuring.probing import Attached, build, flat, metric_of
from pipeline.running.fingerprint import Fingerprints
from pipeline.study import Check, Rows, Section, Study, Trial
from tests.recall import Recall

PROBES = {
    "spectrum": {"every": 2, "lags": "1 3"},
    "error_flow": {},
    "agreement": {"algorithm": "snap1"},
}


class Params(Section):
    """A section that names probes."""

    cell: str
    probes: Attached


def trials(p: Params) -> Iterator[Trial]:
    yield {"cell": p.cell, "seed": 0, **flat(p.probes)}


def measure(cell: str, seed: int, **probes: Any) -> Rows:
    """Train a little and return all rows."""
    torch.manual_seed(seed)
    task = Recall()
    learner = SequenceLearner(CELLS[cell](3, 4), 2, task.loss, BPTT(), None, "sgd", 0.1)
    return fit(learner, task, steps=2, evaluate_every=1, seed=seed, probes=build(probes))


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    yield Check("there are rows", len(rows) > 0)


STUDY = Study(__doc__, Params, trials, measure, expects)


def test_a_section_s_probes_become_rows_of_its_trials(tmp_path: Any) -> None:
    (trial,) = trials(Params.model_validate({"cell": "srn", "probes": PROBES}))
    assert all(isinstance(value, str | int) for value in trial.values())
    rows = STUDY.run(trial, {}, tmp_path)
    assert {row["probe"] for row in rows if "probe" in row} == set(PROBES)
    assert {row["lag"] for row in rows if "lag" in row} == {1, 3}
    assert {row["algorithm"] for row in rows if "algorithm" in row} == {"snap1"}
    names = [(metric_of(row), row["step"]) for row in rows if "probe" in row]
    assert len(set(names)) == len(names), "no metric hides another"
    assert ("error_flow/norm/t 3/layer 0", 1) in names


def test_a_trial_depends_on_the_code_of_the_probes_that_it_names() -> None:
    (trial,) = trials(Params.model_validate({"cell": "srn", "probes": PROBES}))
    reached = Fingerprints(STUDY, {}).reach(trial)
    assert "lightning_modules.probes.spectrum" in reached
    assert "lightning_modules.algorithms.snap1" in reached
    assert "lightning_modules.probes.horizon" not in reached
    assert "lightning_modules.cells.stack" not in reached


@pytest.mark.parametrize(
    ("probes", "says"),
    [
        ({"eror_flow": {}}, "did you mean 'error_flow'?"),
        ({"gates": {"evry": 1}}, "gates: 'evry' is unknown: did you mean 'every'?"),
        ({"gates": {"every": 0}}, "gates: every is 0: it must be at least 1"),
        ({"agreement": {"algorithm": "rtlr"}}, "did you mean 'rtrl'?"),
        ({"spectrum": {"lags": "one"}}, "spectrum: invalid literal"),
    ],
)
def test_a_mistake_in_a_section_is_refused(probes: Any, says: str) -> None:
    with pytest.raises(pydantic.ValidationError) as refused:
        Params.model_validate({"cell": "srn", "probes": probes})
    assert says in str(refused.value)


def test_a_trial_without_probes_has_none() -> None:
    assert build({"cell": "srn", "probe": "horizon", "seed": 0}) == []
    many: Any = {f"probe_{i}": "gates" for i in range(12)} | {"probe_11_times": 3, "times": 9}
    assert [probe.times for probe in build(many)] == [8] * 11 + [3]
