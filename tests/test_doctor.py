"""What `doctor` says of a project that is well, and of each way in which it may not be."""

import contextlib
import importlib.metadata
import json
import shutil
import sqlite3
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.health import EXAMINATIONS, Finding, versioning
from pipeline.health import environment as packages
from pipeline.health import gpu as gpus
from pipeline.running.tracking import Tracker
from tests.commanded import Project
from tests.servers import refusing

Usage = namedtuple("Usage", "total used free")
SERIES = "yearly_sunspots"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project in which all is well."""
    made = Project(tmp_path, monkeypatch)
    made.edit("params.yaml", "sets: [mnist]", f"sets: [{SERIES}]")
    made.run("fetch")
    monkeypatch.setattr(versioning, "_answer", lambda _: str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda _: str(Path(sys.executable).parent / "python"))
    monkeypatch.setattr(gpus, "_driven", lambda: [])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**50, 0, 2**50))
    monkeypatch.setattr("pipeline.health.machine._available", lambda: 2**40)
    return made


def found(name: str) -> list[Finding]:
    """Return what one examination finds."""
    return list(EXAMINATIONS[name]())


def ill(name: str) -> Finding:
    """Return the one finding of an examination that says what to do."""
    (line,) = [finding for finding in found(name) if not finding.good]
    return line


def test_where_all_is_well_each_line_says_so_and_the_exit_code_is_zero(project: Project):
    project.run("run")
    done = project.run("doctor", "--json")
    told = json.loads(done.out)
    assert [each for each in told if not each["good"]] == []
    assert done.code == 0
    assert {each["examination"] for each in told} == set(EXAMINATIONS)
    lines = project.run("doctor").out.splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith("ok ") for line in lines)


def test_what_is_wrong_is_a_line_with_what_to_do_and_the_exit_code_one(project: Project):
    shutil.rmtree("data")
    done = project.run("doctor")
    assert done.code == 1
    (line,) = [line for line in done.out.splitlines() if line.startswith("wrong")]
    assert f"{SERIES}: absent: python -m pipeline fetch {SERIES}" in line
    assert done.err == ""


def test_data_that_are_there_stand_in_or_are_damaged_are_told_apart(project: Project):
    assert "309 yearly means" in found("datasets")[0].says
    project.patch.setenv("DATA_MIRROR", str(project.folder / "params"))
    (file,) = (path for path in Path("data", SERIES).iterdir() if path.name != "provenance.json")
    file.write_text("nonsense")
    line = ill("datasets")
    assert "damaged" in line.says
    assert line.do == f"python -m pipeline fetch {SERIES}"


def test_a_stand_in_is_well_where_params_yaml_allows_it(project: Project):
    record = Path("data", SERIES, "provenance.json")
    said = json.loads(record.read_text()) | {"embedded": True, "served": "generated means"}
    record.write_text(json.dumps(said))
    assert found("datasets")[0].says.startswith(f"{SERIES}: generated means in the place of")
    assert found("datasets")[0].good
    project.edit("params.yaml", "quick: embedded", "quick: error")
    assert ill("datasets").do == f"python -m pipeline fetch {SERIES}"


def test_a_package_that_is_missing_or_another_is_named(monkeypatch: pytest.MonkeyPatch):
    assert [f.do for f in packages._compared(["torch"], {"numpy": "0.1"})] == [packages.INSTALL]
    assert "numpy" in next(packages._compared([], {"numpy": "0.1"})).says
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: iter(()))
    assert next(packages._compared(["torch"], {})).says == "not installed: torch"


def test_an_older_python_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    assert ill("environment").do == "make .venv anew by >=3.11"


@pytest.mark.parametrize(
    ("driven", "cuda", "seen", "says", "do"),
    [
        ([], None, 0, "no GPU here, none asked for", ""),
        (["H200"], None, 0, "the driver knows H200", "install the CUDA build of the torch"),
        (["H200"], "13.0", 0, "sees none of: H200", "unset CUDA_VISIBLE_DEVICES, or renew"),
    ],
)
def test_a_gpu_that_torch_cannot_use_is_told(
    project: Project, driven: list[str], cuda: str | None, seen: int, says: str, do: str
):
    import torch

    project.patch.setattr(gpus, "_driven", lambda: driven)
    project.patch.setattr(torch.version, "cuda", cuda)
    project.patch.setattr(torch.cuda, "device_count", lambda: seen)
    (line,) = found("gpu")
    assert says in line.says
    assert line.do.startswith(do)
    assert line.good == (not do)


def test_gpus_that_are_asked_for_and_are_not_there_are_told(project: Project):
    project.edit("params.yaml", "gpus: 0", "gpus: 1")
    assert "dispatch.gpus is 1" in ill("gpu").says


def test_a_machine_without_room_is_told(project: Project):
    project.patch.setattr(shutil, "disk_usage", lambda _: Usage(2**30, 2**30, 0))
    assert ill("machine").do == "make room there"
    project.patch.setattr(shutil, "disk_usage", lambda _: Usage(2**50, 0, 2**50))
    project.patch.setattr("pipeline.health.machine._available", lambda: 2**20)
    assert ill("machine").do.startswith("end what else runs here")


def test_ray_that_does_not_answer_is_told(project: Project):
    assert found("ray")[0].says == "not used: dispatch.backend is inline"
    project.edit("params.yaml", "backend: inline", "backend: ray")
    project.patch.setenv("RAY_ADDRESS", refusing().removeprefix("http://"))
    assert ill("ray").do == "start it, or unset RAY_ADDRESS"


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="there is no shared memory here")
def test_shared_memory_as_containers_have_it_is_too_small(project: Project):
    project.edit("params.yaml", "backend: inline", "backend: ray")
    project.patch.setenv("RAY_ADDRESS", refusing().removeprefix("http://"))
    project.patch.setattr(shutil, "disk_usage", lambda _: Usage(2**26, 0, 2**26))
    assert found("ray")[0].do == "enlarge it (docker run --shm-size=2g)"


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
def test_a_store_of_mlflow_is_made_by_none_but_a_run(project: Project):
    assert "none yet" in found("mlflow")[0].says
    assert not Path("mlflow.db").exists()
    project.patch.setenv("MLFLOW_TRACKING_URI", refusing())
    assert "start it, or unset MLFLOW_TRACKING_URI" in ill("mlflow").do
    project.patch.delenv("MLFLOW_TRACKING_URI")
    Tracker()
    assert "with the schema of this version" in found("mlflow")[0].says
    shutil.copy("mlflow.db", "older.db")  # MLflow looks at each address once a process
    with contextlib.closing(sqlite3.connect("older.db")) as database:
        database.execute("update alembic_version set version_num = 'older'")
        database.commit()
    project.patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path('older.db').resolve()}")
    assert "mlflow db upgrade" in ill("mlflow").do


def test_dvc_outside_of_its_repository_or_environment_is_told(project: Project):
    project.patch.setattr(versioning, "_answer", lambda _: "")
    assert ill("versioning").do == "go where params.yaml lies"
    Path(".dvc").mkdir()
    assert ill("versioning").do == "dvc config --local core.no_scm true"
    project.patch.setattr(versioning, "_answer", lambda _: "/here")
    project.patch.setattr(shutil, "which", lambda _: None)
    assert "which is not there" in ill("versioning").says


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("params.yaml", "workers: 1", "workers: 0", "params.yaml: dispatch.workers: "),
        ("params/toy.yaml", "seeds: 2", "seeds: x", "toy: params/toy.yaml: quick.seeds: "),
    ],
)
def test_a_value_that_cannot_be_is_told_and_the_rest_examined(
    project: Project, file: str, old: str, new: str, says: str
):
    project.edit(file, old, new)
    assert ill("parameters").says.startswith(says)
    done = project.run("doctor")
    assert done.code == 1
    assert "Traceback" not in done.out + done.err
    assert "environment" in done.out


def test_a_journal_that_cannot_be_read_is_told_beside_how_many_trials_count(project: Project):
    assert found("journals")[0].says == "none yet"
    project.run("run")
    assert found("journals")[0].says == "quick: 1 readable, 4 of 4 trials finished"
    project.write("rows/quick/toy.jsonl", "nonsense\n")
    line = ill("journals")
    assert line.says == (
        "toy: rows/quick/toy.jsonl, line 1, is not a record as this version writes them"
    )
    assert line.do == "delete the line; its trial will run again"


def test_an_examination_that_fails_is_a_finding(project: Project, monkeypatch: pytest.MonkeyPatch):
    def fails() -> Callable[[], list[Finding]]:
        raise ZeroDivisionError("of\nits own")

    monkeypatch.setattr("pipeline.health.machine.examine", fails)
    done = project.run("doctor")
    assert done.code == 1
    assert "machine      ZeroDivisionError: of its own: mend that" in done.out
