"""An edit changes the hash of the trials whose results it can change, and of no other."""

import json
import subprocess
import sys
import time

import pytest

from pipeline.running import fingerprint
from pipeline.running.fingerprint import Fingerprints, stale
from pipeline.running.journal import key
from tests import toy_study
from tests.laboratory import Laboratory

ALPHA, BETA = {"cell": "alpha", "seed": 0}, {"cell": "beta", "seed": 0}
CELLS, TOY = "lightning_modules/cells", "pipeline/studies/toy.py"
EDITS: dict[str, tuple[str, str, str, set[str]]] = {
    "a comment": (f"{CELLS}/alpha.py", "# a comment", "# another", set()),
    "a docstring": (f"{CELLS}/alpha.py", "Say nothing new.", "Be silent.", set()),
    "no docstring": (f"{CELLS}/alpha.py", '        """Say nothing new."""\n', "", set()),
    "what is said of a constant": (
        f"{CELLS}/_shared.py",
        "SIZE = 1",
        'SIZE = 1\n"""How large."""',
        set(),
    ),
    "a module's docstring": (f"{CELLS}/_shared.py", "SIZE = 1", '"""Shared."""\nSIZE = 1', set()),
    "a line break": (f"{CELLS}/alpha.py", "size = SIZE", "size = (\n        SIZE\n    )", set()),
    "a signature's type": (TOY, "seed: int, seconds: float) -> Row", "seed, seconds)", set()),
    "a caption": (TOY, '"nothing"', '"something"', set()),
    "a prediction": (TOY, "len(rows) > 0", "len(rows) > 1", set()),
    "an import of something else": (TOY, "import time\n", "import time, json\n", set()),
    "the order of trials": (TOY, "in p.cells", "in reversed(p.cells)", set()),
    "the vocabulary": ("pipeline/study.py", 'kind: str = "line"', 'kind: str = "bar"', set()),
    "the dispatcher": ("pipeline/dispatch.py", "2 * count", "3 * count", set()),
    "a cell": (f"{CELLS}/beta.py", "size = 2", "size = 3", {"beta"}),
    "what a cell imports": (f"{CELLS}/_shared.py", "SIZE = 1", "SIZE = 3", {"alpha"}),
    "the measure": (TOY, "CELLS[cell].size", "CELLS[cell].size + 1", {"alpha", "beta"}),
    "the measure's helper": (TOY, "seed / 10", "seed / 20", {"alpha", "beta"}),
    "a bare call": (TOY, "\nCAPTION", "\nos.umask(0)\nCAPTION", {"alpha", "beta"}),
    "the contract": (
        "lightning_modules/interfaces.py",
        "streams: bool = False",
        "streams: bool = True",
        {"alpha", "beta"},
    ),
}
HASHES = """
import importlib, json, sys
from pathlib import Path
from pipeline.running import fingerprint
from pipeline.running import syntax
from pipeline.studies import STUDIES

trials, edits = json.load(sys.stdin)

def codes():
    importlib.reload(syntax)
    importlib.reload(fingerprint)
    prints = fingerprint.Fingerprints(STUDIES["toy"], {})
    return {trial["cell"]: prints.code(trial) for trial in trials}

before = codes()
changed = {}
for name, (path, old, new, _) in edits.items():
    text = Path(path).read_text()
    assert text.count(old) == 1, (name, text.count(old))
    Path(path).write_text(text.replace(old, new))
    changed[name] = [cell for cell, code in codes().items() if code != before[cell]]
    Path(path).write_text(text)
assert codes() == before
print(json.dumps(changed))
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Name the trials whose code each edit changes."""
    laboratory = Laboratory(tmp_path_factory.mktemp("laboratory"))
    edits = {name: [*edit[:3], None] for name, edit in EDITS.items()}
    done = subprocess.run(
        [sys.executable, "-c", HASHES],
        cwd=laboratory.folder,
        input=json.dumps([[ALPHA, BETA], edits]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_reaches_just_the_trials_that_it_can_change(
    edit: str, changed: dict[str, list[str]]
):
    assert set(changed[edit]) == EDITS[edit][3]


TRIAL = {"kind": "plain", "seed": 0, "seconds": 0.0, "marks": ""}


def test_the_hash_covers_parameters_data_and_versions(monkeypatch: pytest.MonkeyPatch):
    study = toy_study.with_data("numbers")
    first = Fingerprints(study, {"numbers": "a"})
    hashes = {
        first.of(TRIAL),
        first.of(TRIAL | {"seed": 1}),
        first.of(TRIAL | {"seed": 0.0}),
        Fingerprints(study, {"numbers": "b"}).of(TRIAL),
    }
    monkeypatch.setattr(fingerprint, "versions", lambda: {"torch": "1.0"})
    hashes.add(Fingerprints(study, {"numbers": "a"}).of(TRIAL))
    assert len(hashes) == 5


def test_the_hash_does_not_depend_on_the_order_of_a_trials_entries():
    prints = Fingerprints(toy_study.STUDY, {})
    assert prints.of(TRIAL) == prints.of(dict(reversed(TRIAL.items())))


def test_a_trial_depends_on_the_data_sets_that_it_names_or_else_on_all():
    study = toy_study.with_data("numbers", "letters")
    assert fingerprint.needs(study, TRIAL) == ("numbers", "letters")
    assert fingerprint.needs(study, TRIAL | {"kind": "letters"}) == ("letters",)


def test_versions_have_no_local_label():
    assert set(fingerprint.versions()) == {"torch", "numpy", "pytorch-lightning"}
    assert not any("+" in version for version in fingerprint.versions().values())


def test_rows_of_other_code_and_of_trials_that_are_gone_are_counted_as_stale():
    prints = Fingerprints(toy_study.STUDY, {})
    other = TRIAL | {"seed": 1}
    assert stale(toy_study.STUDY, {key(TRIAL): prints.code(TRIAL)}) == 0
    assert stale(toy_study.STUDY, {key(TRIAL): prints.code(TRIAL), key(other): "older"}) == 1


def test_fingerprints_of_many_trials_are_quick():
    start = time.perf_counter()
    prints = Fingerprints(toy_study.STUDY, {})
    assert len({prints.of(TRIAL | {"seed": seed}) for seed in range(1000)}) == 1000
    assert time.perf_counter() - start < 5
