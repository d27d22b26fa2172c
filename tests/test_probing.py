"""Probes go from a study's file of parameters through trials to a learner, and out as rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pytest
import torch

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells import CELLS
from lightning_modules.contracts._recall import Recall
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.errors import UserError
from pipeline.measuring.evidence import identity
from pipeline.measuring.probing import Probes, build
from pipeline.params import expand
from pipeline.running.browsing import metric_of
from pipeline.running.fingerprint import Fingerprints
from pipeline.study import Claim, Given, Part, Rows, Trial, named, single

PROBES = {
    "spectrum": {"every": 2, "lags": "1 3"},
    "error_flow": {},
    "agreement": {"algorithm": "snap1"},
}


class Probed(Trial):
    """A trial that names probes."""

    cell: Annotated[str, named(CELLS)]
    probes: Probes | None = None

    def measure(self, given: Given) -> Rows:
        """Train a little and return all rows."""
        torch.manual_seed(self.seed)
        task = Recall()
        learner = SequenceLearner(CELLS[self.cell](3, 4), 2, task.loss, BPTT(), None, "sgd", 0.1)
        probes = build(self.probes)
        return fit(learner, task, steps=2, evaluate_every=1, seed=self.seed, probes=probes)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    yield identity("there are rows", len(rows) > 0, str(len(rows)), expected=1)


STUDY = single(Part(__doc__, Probed, expects))


def _entries(probes: Any) -> dict[str, Any]:
    (trial,) = expand(Probed, {"cell": "srn", "seed": 0, "probes": probes}, "here")
    return trial.entries()


def test_a_section_s_probes_become_rows_of_its_trials(tmp_path: Path) -> None:
    entries = _entries(PROBES)
    assert all(isinstance(value, str | int) for value in entries.values())
    rows = STUDY.run(entries, Given({}, tmp_path))
    assert list(dict.fromkeys(row["probe"] for row in rows if "probe" in row)) == list(PROBES)
    assert {row["lag"] for row in rows if "lag" in row} == {1, 3}
    assert {row["algorithm"] for row in rows if "algorithm" in row} == {"snap1"}
    names = [(metric_of(row), row["step"]) for row in rows if "probe" in row]
    assert len(set(names)) == len(names), "no metric hides another"
    assert ("error_flow/norm t 3 layer 0", 1) in names


def test_a_trial_depends_on_the_code_of_the_probes_that_it_names() -> None:
    reached = Fingerprints(STUDY).modules(_entries(PROBES))
    assert "lightning_modules.probes.spectrum" in reached
    assert "lightning_modules.algorithms.snap1" in reached
    assert "lightning_modules.probes.horizon" not in reached
    assert "lightning_modules.cells.stack" not in reached


def test_a_name_that_no_probe_has_is_refused_where_it_stands() -> None:
    with pytest.raises(UserError, match=r"^here\.probes: 'eror_flow' is unknown: did you mean"):
        _entries({"eror_flow": {}})


@pytest.mark.parametrize(
    ("probes", "says"),
    [
        ({"gates": {"evry": 1}}, "probe gates: 'evry' is unknown: did you mean 'every'?"),
        ({"gates": {"every": 0}}, "probe gates: every is 0: it must be at least 1"),
        ({"agreement": {"algorithm": "rtlr"}}, "did you mean 'rtrl'?"),
        ({"spectrum": {"lags": "one"}}, "probe spectrum: invalid literal"),
    ],
)
def test_an_option_that_a_probe_does_not_take_is_refused_when_it_is_built(
    probes: Any, says: str
) -> None:
    with pytest.raises(ValueError, match=says.replace("?", r"\?")):
        build(probes)


def test_a_trial_without_probes_has_none() -> None:
    (trial,) = expand(Probed, {"cell": "srn", "seed": 0}, "here")
    assert isinstance(trial, Probed)
    assert build(trial.probes) == []
