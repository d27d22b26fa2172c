"""The commands as a user meets them, and CONTRIBUTING's study followed word for word."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laboratory import ROOT, Laboratory

HEAVY = ("torch", "pytorch_lightning", "ray", "mlflow", "scipy", "sklearn", "statsmodels")


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    """Return a copy of the project whose only study is a toy."""
    made = Laboratory(tmp_path)
    made.declare(["alpha", "beta"], 2)
    return made


def _fails(laboratory: Laboratory, *command: str) -> tuple[int, str]:
    """Return the exit code of a command, and what it printed."""
    process = laboratory.start(*command)
    printed, _ = process.communicate(timeout=100)
    return process.returncode, printed


def test_the_study_in_contributing_runs_as_it_stands(laboratory: Laboratory):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    study, values, _ = re.findall(r"```(?:python|yaml)\n(.*?)```", text, re.DOTALL)
    (laboratory.folder / "pipeline" / "studies" / "linear_decay.py").write_text(study)
    (laboratory.folder / "params" / "linear_decay.yaml").write_text(values)
    laboratory.run("run", "linear_decay")
    laboratory.run("report", "linear_decay")
    folder = laboratory.folder / "reports" / "quick"
    summary = json.loads((folder / "linear_decay" / "summary.json").read_text())
    counts = {"identities": 1, "findings": 1, "missed": 0, "undecided": 0}
    assert summary["claims"] == counts
    assert summary["trials"]["finished"] == 18
    assert (folder / "plots" / "linear_decay" / "decay.csv").exists()
    assert "linear_decay" in json.loads((folder / "summary.json").read_text())


def test_a_broken_study_is_named_and_the_others_go_on(laboratory: Laboratory):
    (laboratory.folder / "pipeline" / "studies" / "broken.py").write_text("import nowhere\n")
    settings = json.loads((laboratory.folder / "params.yaml").read_text())
    text = json.dumps({**settings, "studies": "all"})
    (laboratory.folder / "params.yaml").write_text(text)
    named = "broken: left out: ModuleNotFoundError: No module named 'nowhere'"
    for command in ("list", "status", "run", "report"):
        code, printed = _fails(laboratory, command)
        assert code != 0, command
        assert named in printed, command
        assert "Traceback" not in printed, command
    assert len(laboratory.finished()) == 4
    assert (laboratory.folder / "reports" / "quick" / "toy" / "index.html").exists()


def test_a_damaged_journal_is_told_once_by_each_command_and_the_other_studies_go_on(
    laboratory: Laboratory,
):
    studies = laboratory.folder / "pipeline" / "studies"
    (studies / "other.py").write_text((studies / "toy.py").read_text())
    values = (laboratory.folder / "params" / "toy.yaml").read_text()
    (laboratory.folder / "params" / "other.yaml").write_text(values)
    laboratory.edit("params.yaml", '["toy"]', '["other", "toy"]')
    damaged = laboratory.folder / "rows" / "quick" / "other.jsonl"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("nonsense\n")
    said = "other: left out: rows/quick/other.jsonl, line 1, is not a record"
    for command in (["run"], ["report"], ["status"], ["track"]):
        code, printed = _fails(laboratory, *command)
        assert code == 2, printed
        assert [said in line for line in printed.splitlines() if "jsonl" in line] == [True], printed
    assert len(laboratory.finished()) == 4
    assert laboratory.runs() == {"FINISHED": 4}
    assert (laboratory.folder / "reports" / "quick" / "toy" / "index.html").exists()
    index = (laboratory.folder / "reports" / "quick" / "index.html").read_text()
    assert "rows/quick/other.jsonl, line 1" in index


def test_a_mistake_is_one_line_and_an_exit_code(laboratory: Laboratory):
    for command, said in (
        (["run", "toi"], "'toi' is not a study: did you mean 'toy'?"),
        (["status", "--scale", "standart"], "'standart' is no scale: did you mean 'standard'?"),
        (["report", "toy"], "holds no trial that is asked for"),
        (["adopt", "--from", "HEAD", "toy"], "this folder is no git repository"),
    ):
        code, printed = _fails(laboratory, *command)
        assert code == 2, printed
        assert printed.count(said) == 1
        assert "Traceback" not in printed


def test_every_command_explains_itself(laboratory: Laboratory):
    commands = re.findall(r"│ ([\w-]+) +\w", laboratory.run("--help"))
    assert {"list", "fetch", "run", "report", "track", "collect", "adopt", "status", "ui"} <= set(
        commands
    )
    for command in commands:
        assert "Usage: python -m pipeline " + command in laboratory.run(command, "--help")


def test_listing_and_counting_wait_for_no_large_library():
    code = f"""
import sys
from pipeline import params
from pipeline.running import jobs

settings, broken = params.load(), {{}}
assert len(list(jobs.asked_for(broken))) == len(settings.studies) > 9
made, _ = jobs.jobs(settings)
assert all(jobs.state(job).wanted for job in made)
print([name for name in {HEAVY} if name in sys.modules], broken)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] {}"
