"""Records are adopted under code that gives the same rows, and under no other.

Above 300 lines because one small project in git serves all cases.
"""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.running import commits
from tests.laboratory import ROOT, wait_for

HELPERS = "pipeline/measuring/helpers.py"
HELPER = '''"""A helper."""


def half(value):
    """Return the half."""
    return value / 2
'''
BRANCHES = '''"""Two methods."""


def result(method):
    """Return what a method gives."""
    return {{"plain": 1, "clever": {clever}}}[method]


def cut(number):
    """Return a number, or what it is at most."""
    return min(number, {clever})
'''
STUDY = '''"""Are records adopted that should be?"""

import time
from typing import Literal

from {home} import half
from pipeline.measuring.branches import cut, result
from pipeline.study import Needs, Part, Trial, join


class Moved(Trial):
    """Uses a helper."""

    def measure(self, given):
        """Measure."""
        return {{"value": half(self.seed), "taken": time.time()}}


class Branched(Trial):
    """Has two methods in one module, of which the second takes longer."""

    method: Literal["plain", "clever"]

    def measure(self, given):
        """Measure."""
        return {{"value": result(self.method)}}


class Counted(Trial):
    """Has a number, whose greatest value alone is cut."""

    number: int

    def measure(self, given):
        """Measure."""
        return {{"value": cut(self.number)}}


class Read(Moved):
    """Reads a data set."""

    dataset: str


class Named(Moved):
    """Was described otherwise."""

    {field}: int


class Slow(Moved):
    """Can be made to wait."""

    mark: str

    def measure(self, given):
        """Measure."""
        from pathlib import Path

        mark = Path(self.mark)
        if mark.exists():
            mark.with_suffix(".waits").touch()
            time.sleep(60)
        return {{"value": half(self.seed)}}


def expects(rows):
    """Expect nothing."""
    yield from ()


def part(kind, **more):
    """Return a part."""
    return Part(None, kind, expects, **more)


def formerly(entries):
    """Rename a field."""
    return {{"new" if name == "old" else name: value for name, value in entries.items()}}


STUDY = join(
    __doc__,
    moved=part(Moved, times=("taken",)),
    branched=part(Branched),
    counted=part(Counted),
    timing=part(Moved, needs=Needs(alone=True)),
    other=part(Moved, times=("taken",)),
    named=part(Named, times=("taken",), formerly=formerly),
    read=part(Read, times=("taken",)),
    slow=part(Slow),
)
'''
DRIVER = """
import dataclasses, json, sys
from rich.console import Console
from pipeline import params
from pipeline.running import jobs
from pipeline.running.adoption import adopt
from pipeline.running.fingerprint import versions
from pipeline.running.journal import Record
from pipeline.study import Given, datasets_of

job = jobs.job(params.load(), "toy")
what, *more = sys.argv[1:]
if what == "measure":
    for number, trial in enumerate(job.trials.values()):
        rows = job.study.run(trial, Given({}, ""))
        code = job.prints.code(trial)
        data = {name: "a digest" for name in datasets_of(trial)}
        hashed = job.prints.of(trial, data)
        seconds = 100.0 if trial["part"] == "slow" else float(number)
        record = Record(
            hashed, code, trial, rows, "finished", "", float(number), seconds, versions(), data
        )
        job.journal.append(record, {code: dict(job.prints.modules(trial))})
    done = {}
else:
    adopted = adopt(job, more[0], float(more[1]), Console(file=sys.stderr, width=1000))
    done = {**adopted._asdict(), "lines": list(adopted.lines())}
print(json.dumps(done | {"why": jobs.state(job).why}))
"""
PARTS = {
    "moved": {"seeds": 3},
    "branched": {"method": ["plain", "clever"], "seeds": 2},
    "counted": {"number": [0, 1, 2, 3], "seeds": 1},
    "timing": {"seeds": 1},
    "other": {"seeds": 2},
    "read": {"dataset": "mnist", "seeds": 1},
}


class Project:
    """A copy of the project in a repository of its own, with one study."""

    def __init__(self, folder: Path):
        """Commit the copy as it was before, with all trials measured."""
        self.folder, self.mark = folder, folder / "mark"
        for name in ("lightning_modules", "pipeline"):
            shutil.copytree(ROOT / name, folder / name, ignore=_left_out)
        (folder / ".gitignore").write_text("__pycache__\n")
        self._git("init", "--quiet")
        self.write("pipeline.measuring.helpers", HELPERS, field="old", clever=2)
        self.first = self.commit()
        self.drive("measure")

    def write(self, home: str, path: str, field: str, clever: int) -> None:
        """Write the study, the helper's home, and how the study's parameters are called."""
        (self.folder / path).write_text(HELPER)
        branches = BRANCHES.format(clever=clever)
        (self.folder / "pipeline/measuring/branches.py").write_text(branches)
        (self.folder / "pipeline/studies/toy.py").write_text(STUDY.format(home=home, field=field))
        named = {field: 7, "seeds": 2}
        slow = {"mark": str(self.mark), "seeds": 1}
        dispatch = {"backend": "inline", "workers": 1, "cpus": 1, "gpus": 0, "retries": 0}
        data = {"sets": [], "offline": {}}
        settings = {"scale": "quick", "studies": ["toy"], "data": data, "dispatch": dispatch}
        self._yaml("params.yaml", settings)
        (self.folder / "params").mkdir(exist_ok=True)
        self._yaml("params/toy.yaml", {"quick": {**PARTS, "named": named, "slow": slow}})

    def move(self, name: str) -> str:
        """Move the helper to another module, change one constant, and commit."""
        (self.folder / HELPERS).unlink(missing_ok=True)
        home = f"pipeline/measuring/{name}.py"
        self.write(f"pipeline.measuring.{name}", home, field="new", clever=3)
        return self.commit()

    def commit(self) -> str:
        """Commit everything and return the commit's name."""
        self._git("add", "--all")
        identity = ["-c", "user.name=Toy", "-c", "user.email=toy@example.org"]
        self._git(*identity, "commit", "--quiet", "--message", "all")
        return self._git("rev-parse", "--short", "HEAD").strip()

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start the driver."""
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, *command],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def drive(self, *command: str) -> dict[str, Any]:
        """Run the driver and return what it says, with what it told on its way."""
        process = self.start(*command)
        printed, told = process.communicate(timeout=100)
        assert process.returncode == 0, told
        return json.loads(printed) | {"told": told}

    def lines(self) -> list[dict[str, Any]]:
        """Return the journal."""
        path = self.folder / "rows/quick/toy.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def records(self, part: str) -> list[dict[str, Any]]:
        """Return a part's records."""
        return [r for r in self.lines() if r.get("trial", {}).get("part") == part]

    def forge(self, part: str, **entries: str) -> None:
        """Write something else into a part's records."""
        path = self.folder / "rows/quick/toy.jsonl"
        forged = [
            one | entries if one.get("trial", {}).get("part") == part else one
            for one in self.lines()
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in forged))

    def _yaml(self, path: str, content: dict[str, Any]) -> None:
        """Write YAML, which is what JSON is."""
        (self.folder / path).write_text(json.dumps(content))

    def _git(self, *command: str) -> str:
        git = ["git", *command]
        return subprocess.run(
            git, cwd=self.folder, capture_output=True, text=True, check=True
        ).stdout


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Name what is not copied: caches and the real studies."""
    studies = set(names) - {"__init__.py"} if Path(folder).name == "studies" else set()
    return studies | ({"__pycache__"} & set(names))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Adopt after a move and, after another move, again; return what was said and held."""
    project = Project(tmp_path_factory.mktemp("project"))
    measured = project.records("moved")
    project.forge("other", code="0000")
    between = project.move("elsewhere")
    first = project.drive("adopt", project.first, "0")
    parts = {part: project.records(part) for part in (*PARTS, "named", "slow")}
    facts = {line["fact"] for line in project.lines() if "fact" in line}
    project.move("yet_elsewhere")
    again = project.drive("adopt", between, "1")
    then = project.records("moved")
    shutil.rmtree(project.folder / ".git")
    return locals()


def test_a_move_is_adopted_whole_and_keeps_rows_times_and_what_measured_them(done: dict[str, Any]):
    before, now = done["measured"], done["parts"]["moved"]
    assert len(now) == 3
    for old, new in zip(before, now, strict=True):
        changed = {name for name in new if new[name] != old.get(name)}
        assert changed == {"hash", "code", "adopted"}
        assert new["adopted"]["code"] == old["code"]
        assert new["adopted"]["commit"] == done["project"].first
    assert {record["code"] for record in now} < done["facts"]
    assert [record["adopted"]["again"] for record in now] == [True, False, False]
    assert done["first"]["adopted"] == 3 + 2 + 1
    assert done["first"]["sample"] == 1 + 2 + 2 + 1 + 1


def test_a_changed_constant_that_only_one_method_meets_is_found_and_its_module_named(
    done: dict[str, Any],
):
    assert done["first"]["refused"]["rows of its group differ"] == 4 + 4
    assert not any("adopted" in record for record in done["parts"]["branched"])
    told = done["first"]["told"]
    assert """"method":"clever","part":"branched","seed":0}: row 1, column 'value': 2""" in told
    assert "2 before, 3 now; changed: pipeline.measuring.branches\n" in told


def test_a_change_that_only_the_greatest_value_of_a_number_meets_is_found(done: dict[str, Any]):
    assert not any("adopted" in record for record in done["parts"]["counted"])
    assert (
        """"number":3,"part":"counted","seed":0}: row 1, column 'value': 2"""
        in (done["first"]["told"])
    )


def test_a_trial_that_was_described_otherwise_is_adopted_as_it_is_described_now(
    done: dict[str, Any],
):
    named = done["parts"]["named"]
    assert [record["trial"]["new"] for record in named] == [7, 7]
    assert all("old" not in record["trial"] and record["adopted"] for record in named)


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("timing", "its part measures time"),
        ("other", "measured by other code than that of {first}"),
        ("read", "data set mnist is not there: python -m pipeline fetch mnist"),
    ],
)
def test_records_that_cannot_be_compared_are_refused_with_the_reason(
    part: str, reason: str, done: dict[str, Any]
):
    records = done["parts"][part]
    assert not any("adopted" in record for record in records)
    assert done["first"]["refused"][reason.format(first=done["project"].first)] == len(records)


def test_what_was_adopted_is_adopted_again_and_keeps_the_first_code(done: dict[str, Any]):
    first, then = done["parts"]["moved"], done["then"]
    assert [record["adopted"] | {"again": True} for record in first] == [
        record["adopted"] for record in then
    ]
    assert {record["code"] for record in then}.isdisjoint(record["code"] for record in first)
    assert done["again"]["sample"] == done["again"]["adopted"] == 6


def test_status_says_why_trials_are_stale_and_which_modules_changed(done: dict[str, Any]):
    why = done["first"]["why"]
    assert "8 records: code: pipeline.measuring.branches" in why
    moved = "pipeline.measuring.helpers (gone), pipeline.measuring.elsewhere (new)"
    assert f"1 record: code: pipeline.studies.toy:Moved, {moved}" in why
    assert "2 records: code: which modules is not recorded" in why


def test_an_interrupted_adoption_keeps_what_is_decided_and_goes_on_with_the_rest(tmp_path: Path):
    project = Project(tmp_path)
    project.move("elsewhere")
    project.mark.touch()
    process = project.start("adopt", project.first, "0")

    def adopted() -> int:
        records = project.records("moved") + project.records("named")
        return sum("adopted" in record for record in records)

    wait_for(lambda: adopted() == 3 + 2 and project.mark.with_suffix(".waits").exists())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert adopted() == 3 + 2
    project.mark.unlink()
    again = project.drive("adopt", project.first, "0")
    assert (again["adopted"], again["sample"]) == (1, 1 + 2 + 2)


def test_mistakes_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="is no git repository"):
        commits.changed()
    for name in commits.PACKAGES:
        (tmp_path / name).mkdir()
    subprocess.run(["git", "init", "--quiet"], check=True)
    (tmp_path / "pipeline" / "new.py").touch()
    assert commits.changed() == ["pipeline/new.py"]
    with (
        pytest.raises(UserError, match="'nonsense' is no commit here"),
        commits.code_of("nonsense"),
    ):
        pass
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="git is not installed"):
        commits.changed()
