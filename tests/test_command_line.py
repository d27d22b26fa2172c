"""What every command has: help that ends with examples, completion, and words for a machine."""

import importlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from lightning_modules.registry import Registry
from pipeline.__main__ import PROGRAM, app
from pipeline.commands import COMMANDS
from pipeline.rooms import ROOTS, rooms
from tests.commanded import Project
from tests.test_commands import HEAVY

ROOT = Path(__file__).parents[1]
SAYS = "Example: python -m pipeline "
LINE = get_command(app)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def test_every_file_of_the_room_is_a_command():
    there = {path.stem for path in (ROOT / "pipeline" / "commands").glob("[!_]*.py")}
    assert there == set(COMMANDS)
    assert len(COMMANDS) == len(there)


@pytest.mark.parametrize("name", [name.replace("_", "-") for name in COMMANDS])
def test_the_help_of_a_command_ends_with_examples_that_it_understands(project: Project, name: str):
    printed = project.run(name, "--help").out
    *_, last = (line.strip() for line in printed.splitlines() if line.strip())
    assert last.startswith(f"{SAYS}{name}")
    lines = [line.strip() for line in printed.splitlines()]
    for example in (line for line in lines if line.startswith(SAYS)):
        said, *given = shlex.split(example.removeprefix(SAYS))
        assert said == name
        LINE.commands[name].make_context(name, given)  # pyright: ignore[reportAttributeAccessIssue]


def completed(*words: str) -> list[str]:
    """Return what a shell is told that may stand in the place of the last word."""
    code = f"import sys; sys.argv[0] = {PROGRAM!r}; from pipeline.__main__ import main; main()"
    given = {
        "_GRADIENT_DYNAMICS_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join((PROGRAM, *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "", **given},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["sta"], ["status"]),
        (["run", "cure"], ["cures"]),
        (["report", "cures", "--scale", "sta"], ["standard"]),
        (["fetch", "spa"], ["spa_eng"]),
        (["list", "ce"], ["cells"]),
    ],
)
def test_a_shell_completes_commands_studies_scales_data_sets_and_rooms(
    words: list[str], first: list[str]
):
    assert completed(*words) == first


def test_completion_is_shown_for_the_program_however_it_was_called(project: Project):
    project.patch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    done = project.run("--show-completion", "bash")
    assert done.code == 0, done
    assert "_GRADIENT_DYNAMICS_COMPLETE=complete_bash" in done.out
    assert f"{PROGRAM}" in done.out


def test_a_machine_is_told_every_member_of_every_room_with_its_first_line(project: Project):
    told = json.loads(project.run("list", "--json").out)
    assert {"cells", "algorithms", "networks", "probes", "rules", "starts", "machines"} < set(told)
    assert {"tasks", "datasets", "studies"} < set(told)
    assert told["cells"]["gru"].startswith("Gated recurrent unit")
    assert told["studies"]["cures"].startswith("What do the cures of exploding gradients do")
    for room in told.values():
        assert all(room.values()), "each says what it is"
    assert json.loads(project.run("list", "cells", "--json").out) == {"cells": told["cells"]}


def test_every_registry_of_the_project_is_a_room():
    for root in ROOTS:
        for file in root.rglob("__init__.py"):
            name = ".".join(file.parent.relative_to(root.parent).parts)
            if ".studies." in name:
                continue
            made = vars(importlib.import_module(name)).items()
            for constant, held in made:
                if isinstance(held, Registry):
                    room = rooms()[constant.lower()]
                    assert room.folder == file.parent
                    assert list(room.members) == list(held)


def test_no_large_library_is_imported_to_list_what_there_is():
    code = (
        "import sys; sys.argv[1:] = ['list', '--json']; import runpy\n"
        "try: runpy.run_module('pipeline', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_a_room_is_shown_to_people_line_by_line(project: Project):
    printed = project.run("list", "rules").out
    assert "perceptron_rule" in printed
    assert "weights move only on a mistake" in printed
    assert "is not a room: allowed: " in project.run("list", "nosuch").err


def test_a_machine_is_told_how_far_studies_are_and_why_trials_are_stale(project: Project):
    assert project.run("run").code == 0
    told = json.loads(project.run("status", "--json").out)
    counts = {"wanted": 4, "finished": 4, "failed": 0, "waiting": 0, "stale": 0, "why": []}
    assert told == {"toy": counts}
    project.path("rows/quick/toy.jsonl").write_text("nonsense\n")
    done = project.run("status", "--json")
    assert (json.loads(done.out), done.code) == ({}, 2)
    assert "toy: left out" in done.err


def test_a_machine_is_told_what_was_fetched(project: Project):
    done = project.run("fetch", "yearly_sunspots", "--json")
    told = json.loads(done.out)["yearly_sunspots"]
    assert (told["count"], told["unit"], told["embedded"]) == (309, "yearly means", False)
