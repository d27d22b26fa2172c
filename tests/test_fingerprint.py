"""An edit changes the hash of the trials whose results it can change, and of no other."""

import json
import subprocess
import sys
import time

import pytest

from pipeline.running import fingerprint, syntax
from pipeline.running.fingerprint import Fingerprints
from pipeline.study import Entries, Given, Part, Rows, Study, Trial, join, single
from tests.laboratory import Laboratory

ALPHA, BETA = {"cell": "alpha", "seed": 0}, {"cell": "beta", "seed": 0}
STUDY = '''"""Does an edit change what it should?"""

import time
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from lightning_modules.cells import CELLS
from pipeline.data.sources import SOURCES
from pipeline.measuring import toys
from pipeline.study import Claim, Figure, Given, Part, Row, Trial, named, single

if TYPE_CHECKING:
    from pathlib import Path

CAPTION = "nothing"


class Toy(Trial):
    """A cell's size."""

    cell: Annotated[str, named(CELLS)]
    dataset: Annotated[str, named(SOURCES)] | None = None

    def measure(self, given: Given) -> Row:
        """Measure."""
        from pipeline.measuring.toys import scaled

        return _row(scaled(CELLS[self.cell].size), self.seed)


def _row(size: int, seed: int) -> Row:
    return {"value": toys.moved(size) + seed / 10}


def expects(rows):
    """Expect rows."""
    yield identity("there are rows", len(rows) > 0, str(len(rows)), expected=1)


STUDY = single(Part(__doc__, Toy, expects, (Figure("f", "f", CAPTION, "x", "y"),)))
'''
HELPERS = '''"""Helpers."""

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import json

SCALE = 2


def scaled(value):
    """Return a multiple."""
    return SCALE * value


def moved(value):
    """Return the next."""
    return value + 1


def unused(value):
    """Return the root."""
    return sqrt(value)
'''
CELLS, TOY, TOYS = (
    "lightning_modules/cells",
    "pipeline/studies/toy.py",
    "pipeline/measuring/toys.py",
)
BOTH = {"alpha", "beta"}
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
    "a signature's type": (TOY, "(size: int, seed: int) -> Row", "(size, seed)", set()),
    "a caption": (TOY, '"nothing"', '"something"', set()),
    "a prediction": (TOY, "len(rows) > 0", "len(rows) > 1", set()),
    "an import of something else": (TOY, "import time\n", "import time, json\n", set()),
    "an import for types alone": (TOY, "from pathlib import Path", "import json", set()),
    "another's import for types alone": (TOYS, "    import json", "    import re", set()),
    "the vocabulary": ("pipeline/study.py", 'kind: str = "line"', 'kind: str = "bar"', set()),
    "the queue": ("pipeline/running/queue.py", "NAMED = 5", "NAMED = 6", set()),
    "where data come from": ("pipeline/data/sources.py", "count=3_120", "count=3_121", set()),
    "a helper that the trial does not use": (TOYS, "sqrt(value)", "sqrt(value + 1)", set()),
    "another contract": (
        "lightning_modules/interfaces.py",
        "streams: bool = False",
        "streams: bool = True",
        set(),
    ),
    "a cell": (f"{CELLS}/beta.py", "size = 2", "size = 3", {"beta"}),
    "what a cell imports": (f"{CELLS}/_shared.py", "SIZE = 1", "SIZE = 3", {"alpha"}),
    "the measure": (TOY, "CELLS[self.cell].size", "CELLS[self.cell].size + 1", BOTH),
    "the measure's helper": (TOY, "seed / 10", "seed / 20", BOTH),
    "a field": (TOY, "    dataset:", "    extra: int = 1\n    dataset:", BOTH),
    "a helper by its name": (TOYS, "SCALE * value", "value * SCALE", BOTH),
    "what that helper uses": (TOYS, "SCALE = 2", "SCALE = 3", BOTH),
    "a helper by its module": (TOYS, "value + 1", "value + 2", BOTH),
    "a bare call": (TOY, "\nCAPTION", "\ntime.sleep(0)\nCAPTION", BOTH),
    "a bare call elsewhere": (TOYS, "\nSCALE", "\nprint()\nSCALE", BOTH),
    "what every trial is": ("pipeline/study.py", "self.model_dump()", "dict(self)", BOTH),
    "the contract": (
        "lightning_modules/interfaces.py",
        "    hidden_size: int\n    state_size: int",
        "    state_size: int",
        BOTH,
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
    prints = fingerprint.Fingerprints(STUDIES["toy"])
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
    (laboratory.folder / TOY).write_text(STUDY)
    (laboratory.folder / TOYS).write_text(HELPERS)
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


class Toy(Trial):
    """Two data sets and what may be left out."""

    dataset: str
    held_out_dataset: str | None = None
    extra: int | None = None

    def measure(self, given: Given) -> Rows:
        """Measure nothing."""
        return {"value": self.seed}


TOY_STUDY = single(Part(None, Toy, lambda rows: iter(())))
TRIAL: Entries = {"dataset": "numbers", "held_out_dataset": None, "extra": None, "seed": 0}


def test_the_hash_covers_parameters_data_and_versions(monkeypatch: pytest.MonkeyPatch):
    prints = Fingerprints(TOY_STUDY)
    hashes = {
        prints.of(TRIAL, {"numbers": "a"}),
        prints.of(TRIAL | {"seed": 1}, {"numbers": "a"}),
        prints.of(TRIAL | {"seed": 0.0}, {"numbers": "a"}),
        prints.of(TRIAL, {"numbers": "b"}),
        prints.of(TRIAL | {"held_out_dataset": "letters"}, {"numbers": "a", "letters": "a"}),
    }
    monkeypatch.setattr(fingerprint, "versions", lambda: {"torch": "1.0"})
    hashes.add(prints.of(TRIAL, {"numbers": "a"}))
    assert len(hashes) == 6


def test_the_hash_depends_neither_on_the_order_of_entries_nor_on_those_that_say_nothing():
    prints, data = Fingerprints(TOY_STUDY), {"numbers": "a", "letters": "b"}
    hashed = prints.of(TRIAL, data)
    assert prints.of(dict(reversed(TRIAL.items())), data) == hashed
    assert prints.of({k: v for k, v in TRIAL.items() if v is not None}, data) == hashed


def test_the_codes_hash_is_the_digest_of_the_modules_which_name_the_trials_own_part():
    prints = Fingerprints(TOY_STUDY)
    modules = prints.modules(TRIAL)
    assert prints.code(TRIAL) == syntax.digest(modules)
    assert f"{__name__}:Toy" in modules
    assert "pipeline.study" in modules


def test_a_part_that_is_gone_is_a_key_error():
    study: Study = join(None, one=TOY_STUDY.parts[""])
    with pytest.raises(KeyError):
        Fingerprints(study).code({"part": "other", **TRIAL})


def test_versions_have_no_local_label():
    assert set(fingerprint.versions()) == {"torch", "numpy", "pytorch-lightning"}
    assert not any("+" in version for version in fingerprint.versions().values())


def test_fingerprints_of_many_trials_are_quick():
    start = time.perf_counter()
    prints = Fingerprints(TOY_STUDY)
    hashes = {prints.of(TRIAL | {"seed": seed}, {"numbers": "a"}) for seed in range(1000)}
    assert len(hashes) == 1000
    assert time.perf_counter() - start < 5
