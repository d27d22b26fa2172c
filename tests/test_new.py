"""`new` writes members that keep their contract as they stand, and refuses what no file can be."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.commands.new import KINDS
from pipeline.rooms import rooms
from tests.commanded import Project

ROOT = Path(__file__).parents[1]
NAMES = {kind: f"newcomer_{kind}" for kind in KINDS}
COPIED = (
    "lightning_modules",
    "pipeline",
    "tests",
    "docs",
    "params",
    "params.yaml",
    "pyproject.toml",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with a new member of every room, and its entry in the tests."""
    made = tmp_path_factory.mktemp("project")
    for name in COPIED:
        whole = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        whole(ROOT / name, made / name)
    for kind in KINDS:
        said = given(made, "-m", "pipeline", "new", kind, NAMES[kind])
        assert "works as it stands" in said, said
        enter(made, kind, said)
    return made


def given(folder: Path, *command: str) -> str:
    """Return what a command that must go well prints."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def written_file(folder: Path, kind: str) -> Path:
    """Return the file of the new member."""
    return folder / rooms()[KINDS[kind].room].folder.relative_to(ROOT) / f"{NAMES[kind]}.py"


def enter(folder: Path, kind: str, said: str) -> None:
    """Do what `new` says of tables elsewhere, word for word."""
    lines = said.splitlines()
    for of in KINDS[kind].entries:
        at = lines.index(of.says.format(file=of.file, table=of.table)) + 1
        given = list(itertools.takewhile(lambda line: line.startswith("    "), lines[at:]))
        imports = [line.strip() for line in given if line.startswith("    from ")]
        entry = "".join(f"{line}\n" for line in given[len(imports) :])
        path = folder / of.file
        if path.suffix == ".yaml":
            entry = entry.removeprefix("  ")
        text = path.read_text()
        (head,) = re.findall(rf"^(?:{of.table}\b.* = [{{([]|  {of.table}:)\n", text, re.MULTILINE)
        text = text.replace(head, f"{head}{entry}", 1)
        if imports:
            docstring, quotes, rest = text.partition('"""\n\n')
            text = "".join([docstring, quotes, *(f"{line}\n" for line in imports), rest])
        path.write_text(text)


def test_every_room_of_methods_has_a_kind():
    assert {of.room for of in KINDS.values()} == set(rooms()) - {"contracts", "examinations"}


def test_what_is_written_is_formatted(folder: Path):
    written = [str(written_file(folder, kind)) for kind in KINDS]
    given(folder, "-m", "ruff", "format", "--check", *written)
    given(folder, "-m", "ruff", "check", *written)


def test_a_new_member_of_every_room_passes_the_tests_of_its_contract(folder: Path):
    of_kinds = {
        kind: re.findall(r"tests/test_\w+\.py", " ".join(of.tests)) for kind, of in KINDS.items()
    }
    coverage = (
        *("a_case", "an_entry", "an_instance", "algorithm_is_tested", "claims_to_be_exact"),
        *("a_learner", "way_is_tried", "start_builds", "network_in_the_table"),
        *("data_set_has_a_source", "source_is_complete", "damage_of_every_kind"),
    )
    undrawn = f"(test_docs_outlines and {NAMES['map']})"  # it has no plane and no categories
    wanted = f"({' or '.join([*NAMES.values(), *coverage])}) and not {undrawn}"
    files = {"tests/test_docs_outlines.py", *itertools.chain(*of_kinds.values())}
    options = ("-n0", "-q", "-rA", "-p", "no:cacheprovider", "-k", wanted)
    passed = given(folder, "-m", "pytest", *options, *sorted(files))
    for kind, of in of_kinds.items():
        tested = [file for file in of if re.search(rf"PASSED {file}::\S*{NAMES[kind]}", passed)]
        assert tested or kind == "study", kind
    for kind in ("network", "energy", "machine", "adversary"):
        assert re.search(rf"PASSED tests/test_docs_outlines.py::\S*{NAMES[kind]}", passed), kind
    for each in ("cell_has_a_case", "map_has_an_entry", "task_has_an_instance_here"):
        assert f"test_every_{each}" in passed


def test_a_new_study_runs_and_is_reported_as_it_stands(folder: Path):
    parameters = folder / "params.yaml"
    parameters.write_text(parameters.read_text().replace("backend: ray", "backend: inline"))
    said = given(folder, "-m", "pipeline", "run", NAMES["study"])
    assert "10/10 trials, 0 failed" in said, said
    assert (folder / "reports" / "quick" / NAMES["study"] / "index.html").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_says_no_example(folder: Path, kind: str):
    text = written_file(folder, kind).read_text()
    assert "Example" not in text
    words = f"Newcomer {kind.replace('_', ' ')}"
    assert text.startswith(f'"""{words}: ')
    assert f"class {words.title().replace(' ', '')}(" in text


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["cel", "mine"], "'cel' is no kind of file to write: did you mean 'cell'?"),
        (["cell", "gru"], "'gru' is there already among the cells: choose another name"),
        (["cell", "_gates"], "'_gates' cannot be the name of a file here: small letters"),
        (["cell", "MyCell"], "'MyCell' cannot be the name of a file here"),
        (["cell", "../mine"], "'../mine' cannot be the name of a file here"),
        (["cell", "lambda"], "no Python keyword"),
        (["cell", "x" * 41], "at most 40"),
        (["study", "cures"], "'cures' is there already among the studies"),
        (["study", "toy"], "params/toy.yaml is there already: choose another name"),
        (["cell"], "Missing argument 'name'"),
    ],
)
def test_a_kind_or_name_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], says: str
):
    project = Project(tmp_path, monkeypatch)
    done = project.run("new", *command)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1
    assert not (ROOT / "pipeline" / "studies" / "toy.py").exists()
