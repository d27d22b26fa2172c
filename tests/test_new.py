"""`new` writes members that keep their contract as they stand, and refuses what no file can be."""

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
NAME, CLASS = "new_comer", "NewComer"
COPIED = ("lightning_modules", "pipeline", "tests", "params", "params.yaml", "pyproject.toml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with a new member of every room, and its entry in the tests."""
    made = tmp_path_factory.mktemp("project")
    for name in COPIED:
        whole = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        whole(ROOT / name, made / name)
    for kind in KINDS:
        said = given(made, "-m", "pipeline", "new", kind, NAME)
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


def enter(folder: Path, kind: str, said: str) -> None:
    """Do what `new` says of the table in the tests, word for word."""
    of = KINDS[kind]
    if not of.table:
        return
    path = folder / of.file
    text = path.read_text()
    assert f"{of.file}" in said
    *imports, entry = re.findall(r"^    (\S.*)$", said, re.MULTILINE)
    (head,) = re.findall(rf"^{of.table}\b.* = {{\n", text, re.MULTILINE)
    docstring, quotes, rest = text.partition('"""\n\n')
    rest = rest.replace(head, f"{head}    {entry}\n", 1)
    path.write_text("\n".join([docstring + quotes + "".join(f"{i}\n" for i in imports) + rest]))


def test_a_new_member_of_every_room_passes_the_tests_of_its_contract(folder: Path):
    files = {of.tests.split()[3] for of in KINDS.values() if "pytest" in of.tests}
    coverage = "a_case", "an_entry", "an_instance", "algorithm_is_tested", "claims_to_be_exact"
    wanted = " or ".join([NAME, *coverage])
    options = ("-n0", "-q", "-rA", "-p", "no:cacheprovider", "-k", wanted)
    passed = given(folder, "-m", "pytest", *options, *sorted(files))
    for file in files:
        assert re.search(rf"PASSED {file}::\S*{NAME}", passed), file
    for each in ("cell_has_a_case", "map_has_an_entry", "task_has_an_instance_here"):
        assert f"test_every_{each}" in passed


def test_a_new_study_runs_and_is_reported_as_it_stands(folder: Path):
    parameters = folder / "params.yaml"
    parameters.write_text(parameters.read_text().replace("backend: ray", "backend: inline"))
    said = given(folder, "-m", "pipeline", "run", NAME)
    assert "10/10 trials, 0 failed" in said, said
    assert (folder / "reports" / "quick" / NAME / "index.html").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_says_no_example_and_is_formatted(folder: Path, kind: str):
    path = folder / rooms()[KINDS[kind].room].folder.relative_to(ROOT) / f"{NAME}.py"
    text = path.read_text()
    assert "Example" not in text
    assert text.startswith('"""New comer: ')
    assert f"class {CLASS}(" in text
    given(folder, "-m", "ruff", "format", "--check", str(path))
    given(folder, "-m", "ruff", "check", str(path))


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
