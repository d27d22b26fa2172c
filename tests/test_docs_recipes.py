"""The recipes for adding something, followed word for word in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

from docs.__main__ import WRITTEN

ROOT = Path(__file__).parents[1]
RECIPES = sorted(page for page in (WRITTEN / "add").glob("*.md") if page.stem != "index")
COPIED = ("lightning_modules", "pipeline", "benchmarks", "tests", "params", "params.yaml",
          "pyproject.toml", "constraints.txt")  # fmt: skip
FENCE = re.compile(
    r"^(?:(?:In )?`(?P<path>[\w/.]+)`(?:, behind `(?P<behind>[^\n]*)`)?:\n\n)?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


class Step(NamedTuple):
    """One block of a recipe: a file, what goes into one, commands, or what these print."""

    kind: str
    path: str | None
    behind: str | None
    text: str


def _steps(page: Path) -> list[Step]:
    text = page.read_text(encoding="utf-8")
    found = [Step(m["kind"], m["path"], m["behind"], m["text"]) for m in FENCE.finditer(text)]
    assert len(found) == text.count("\n```") // 2, "every block is a step"
    return found


def _follow(step: Step, folder: Path, printed: str) -> str:
    """Do what a step says; return what its commands printed."""
    if step.kind == "text":
        for line in step.text.splitlines():
            assert line.strip() in printed
    elif step.kind == "sh":
        return "".join(_run(line, folder) for line in step.text.splitlines())
    else:
        assert step.path, f"no file is named for this: {step.text[:60]}"
        path = folder / step.path
        if step.behind is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        else:
            before = path.read_text(encoding="utf-8")
            assert before.count(f"{step.behind}\n") == 1, f"{step.path}: {step.behind}"
            after = before.replace(f"{step.behind}\n", f"{step.behind}\n{step.text}")
            path.write_text(after, encoding="utf-8")
    return printed


def _run(command: str, folder: Path) -> str:
    bin_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": bin_first, "COLUMNS": "200", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,  # on a busy machine
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in COPIED:
        if (ROOT / name).is_dir():
            left_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_works_as_it_stands(page: Path, project: Path):
    printed = ""
    for step in _steps(page):
        printed = _follow(step, project, printed)


@pytest.fixture
def repository(project: Path) -> Path:
    """Return the copy as a repository of git and DVC, with one data set of its ten."""
    for name in ("dvc.yaml", ".gitignore"):
        shutil.copy(ROOT / name, project / name)
    (project / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc" / "config", project / ".dvc" / "config")
    path = project / "params.yaml"
    given = YAML().load(path.read_text(encoding="utf-8"))
    given["data"]["sets"] = ["mnist"]
    YAML().dump(given, path)
    one = "git -c user.name=reader -c user.email=reader@example.org"
    _run(f"git init -q && git add -A && {one} commit -qm 'as it is'", project)
    return project


def test_a_hypothesis_is_tried_as_its_recipe_says(repository: Path):
    printed = ""
    for step in _steps(WRITTEN / "try.md"):
        printed += _follow(step, repository, "")
    lines = printed.splitlines()
    (params,) = (line for line in lines if "quick.digits.epochs" in line)
    assert params.split()[-2:] == ["6", "2"]
    metrics = [line for line in lines if "metrics.json" in line and "perceptron." in line]
    assert 0 < len(metrics) <= 10, "few numbers, and some differ"
    assert any("estimate: " in line for line in metrics)
    assert (repository / "dvc_plots" / "index.html").exists()
    assert any("two-epochs" in line for line in lines[-20:])
    given = YAML().load((repository / "params" / "perceptron.yaml").read_text(encoding="utf-8"))
    assert given["quick"]["digits"]["epochs"] == 6, "the values are back"


def test_every_recipe_is_listed():
    listed = (WRITTEN / "add" / "index.md").read_text(encoding="utf-8")
    for page in RECIPES:
        assert f"({page.name})" in listed
