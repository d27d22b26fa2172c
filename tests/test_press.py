"""The press: pages built beside, what they import, and which are built again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.reporting import imprint, report
from tests.reporting import NAME, SCALE, put, text_of

ROOT = Path(__file__).parents[1]
STUDY = '''"""What does a page of {name} import?

Expected: little.
"""

import sys

from pipeline.study import Part, Trial, single


class Empty(Trial):
    """Nothing."""

    def measure(self, given):
        return {{"value": 1.0}}


def expects(rows):
    from pipeline.measuring.evidence import identity

    heavy = {{"torch", "pytorch_lightning", "ray", "mlflow"}} & set(sys.modules)
    seen = ", ".join(sorted(heavy)) or "nothing heavy"
    yield identity("it imports little", not heavy, seen, expected=1)
    {more}


STUDY = single(Part(__doc__, Empty, expects))
'''
RUN = """
import sys
from rich.console import Console
from pipeline import params
from pipeline.reporting.press import Press
from pipeline.running import jobs
from pipeline.running.journal import Record
from pipeline.study import Given

if __name__ == "__main__":
    settings = params.load()
    made, broken = jobs.jobs(settings)
    for job in made if "run" in sys.argv else []:
        for trial in job.trials.values():
            rows = job.study.run(trial, Given({}, None))
            args = job.hash_of(trial), job.prints.code(trial), trial, rows, "finished", "", 1.0, 1.0
            job.journal.append(Record(*args, {}, {}), {})
    with Press(settings, Console(width=200), broken) as press:
        for job in made:
            press.print(job.name)
    print(sorted(press.errors))
    print("heavy:", {"torch", "ray", "mlflow", "pandas", "matplotlib"} & set(sys.modules))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project: of its studies one misreads its rows and one dies."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("lightning_modules", "pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    studies = folder / "pipeline" / "studies"
    for member in [*studies.iterdir()]:
        if member.is_dir():
            shutil.rmtree(member)
        elif member.name != "__init__.py":
            member.unlink()
    (folder / "params").mkdir()
    for name, more in (
        ("dies", "__import__('os').kill(__import__('os').getpid(), 9)"),
        ("one", ""),
        ("two", ""),
        ("wrong", 'rows["nothing"]'),
    ):
        (studies / f"{name}.py").write_text(STUDY.format(name=name, more=more))
        (folder / "params" / f"{name}.yaml").write_text("quick:\n  seeds: 2\n")
    (studies / "torn.py").write_text("STUDY = (")
    dispatch = {"backend": "inline", "workers": 2, "cpus": 1, "gpus": 0, "retries": 3}
    data = {"sets": [], "offline": {"quick": "embedded"}}
    said = {"scale": "quick", "studies": "all", "data": data, "dispatch": dispatch}
    (folder / "params.yaml").write_text(json.dumps(said))
    (folder / "print.py").write_text(RUN)
    return folder


def printed(project: Path, *words: str) -> str:
    """Print all pages of the project and return what was said."""
    run = [sys.executable, "print.py", *words]
    environment = os.environ | {"PYTHONPATH": str(project)}
    done = subprocess.run(run, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def edit(file: Path) -> None:
    """Add to a file what changes nothing but its text."""
    file.write_text(f"{file.read_text(encoding='utf-8')}# edited\n", encoding="utf-8")


def test_pages_are_built_beside_by_what_imports_little_and_an_error_stops_none_but_its_own(
    project: Path,
):
    said = printed(project, "run")
    assert "of 4: one: built in" in said
    assert "of 4: two: built in" in said
    line = f"of 4: wrong: KeyError: 'nothing' (pipeline{os.sep}studies{os.sep}wrong.py:"
    assert line in said
    assert "of 4: dies: the process that built its page was killed" in said
    assert "['dies', 'torn', 'wrong']" in said
    assert "heavy: set()" in said, "who waits for pages imports nothing for them"
    assert "Traceback" not in said
    for name in ("one", "two"):
        page = (project / "reports" / "quick" / name / "index.html").read_text(encoding="utf-8")
        assert "nothing heavy✓ holds" in text_of(page)
    overview = text_of((project / "reports" / "quick" / "index.html").read_text(encoding="utf-8"))
    assert "What does a page of one import?" in overview
    assert "KeyError: 'nothing'" in overview
    assert "torn ✗ SyntaxError" in overview
    edit(project / "pipeline" / "studies" / "two.py")
    said = printed(project)
    assert "one: built in" not in said, "it is up to date"
    assert "of 4: two: built in" in said


def test_a_page_is_up_to_date_until_what_it_is_made_of_or_consists_of_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    def current() -> bool:
        return imprint.is_current(NAME, SCALE, tmp_path)

    def build() -> Path:
        monkeypatch.setattr(report, "_SOURCES", imprint.sources())  # as a new process would
        folder = report.build(put(tmp_path), tmp_path)
        assert current()
        return folder

    assert not current()
    folder = build()
    edit(folder / "index.html")
    assert not current()
    build()
    (folder.parent / "plots" / folder.name / "plain.csv").unlink()
    assert not current()
    build()
    (folder / "figures" / "another.svg").touch()
    assert not current()
    build()
    put(tmp_path, ended=17)
    assert not current()
    build()
    edit(tmp_path / "params" / f"{NAME}.yaml")
    assert not current()
    build()
    (folder / imprint.FILE).write_text("{}")
    assert not current()
    build()
    read = imprint.sources()
    changed = {path: of + "0" if path.name == "study.py" else of for path, of in read.items()}
    monkeypatch.setattr(imprint, "sources", lambda: changed)
    assert not current()
