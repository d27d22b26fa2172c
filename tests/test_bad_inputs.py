"""Whatever is wrong with what a user gives, one line says so, and the exit code with it.

Each case gives a command something that it cannot use. What comes back is one line on stderr that
names what was given or where it stands, nothing on stdout, and 1 or 2: never a traceback.

Above 300 lines because it is one table.
"""

import contextlib
import dataclasses
import errno
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.reporting import report
from pipeline.running import cluster, journal
from pipeline.study import single
from tests import toy_study
from tests.commanded import Project
from tests.servers import black_hole, refusing, serve

COMMAND_LINE: list[tuple[list[str], str]] = [
    (["nosuch"], "No such command 'nosuch': allowed: list, fetch, run"),
    (["runn"], "No such command 'runn': did you mean 'run'?"),
    (["Run"], "No such command 'Run': did you mean 'run'?"),
    (["run", "--scal", "quick"], "No such option: --scal (Possible options: --scale)"),
    (["run", "--scale"], "Option '--scale' requires an argument"),
    (["run", "--scale", "Quick"], "'Quick' is no scale: did you mean 'quick'?"),
    (["run", "--scale", "quick "], "'quick ' is no scale: did you mean 'quick'?"),
    (["run", "--scale", ""], "'' is no scale: allowed: quick, standard, paper"),
    (["run", "--scale", "standard"], "params/toy.yaml: standard: missing; scales there are: quick"),
    (["run", "toi"], "'toi' is not a study: did you mean 'toy'?"),
    (["run", "Toy"], "'Toy' is not a study: did you mean 'toy'?"),
    (["run", "toy "], "'toy ' is not a study: did you mean 'toy'?"),
    (["run", ""], "'' is not a study: allowed: pooling, toy"),
    (["run", "../toy"], "'../toy' is not a study: did you mean 'toy'?"),
    (["run", "pipeline/studies/toy.py"], "'pipeline/studies/toy.py' is not a study: allowed"),
    (["run", "/etc/passwd"], "'/etc/passwd' is not a study: allowed"),
    (["run", "toy\nx"], r"'toy\nx' is not a study"),
    (["run", "x" * 5000], "is not a study: allowed: pooling, toy"),
    (["run", "--force=3"], "Option '--force' does not take a value"),
    (["status", "--bogus"], "No such option: --bogus"),
    (["report", "toy", "toi"], "'toi' is not a study"),
    (["track", "nosuch"], "'nosuch' is not a study"),
    (["list", "cell"], "'cell' is not a room: did you mean 'cells'?"),
    (["list", "cells", "gru"], "Got unexpected extra argument"),
    (["fetch", "mnits"], "'mnits' is not a data set: did you mean 'mnist'?"),
    (["fetch", "MNIST"], "'MNIST' is not a data set: allowed"),
    (["fetch", "../mnist"], "'../mnist' is not a data set: did you mean 'mnist'?"),
    (["fetch", "mnist", "--scale", "large"], "'large' is no scale: allowed"),
    (["adopt"], "Missing option '--from'"),
    (["adopt", "--from", "HEAD"], "no git repository"),
    (["adopt", "--from", "HEAD", "--share", "2"], "--share: a number from 0 to 1; given: 2"),
    (["adopt", "--from", "HEAD", "--share", "nan"], "--share: a number from 0 to 1; given: nan"),
    (["adopt", "--from", "HEAD", "--share", "many"], "Invalid value for '--share'"),
    (["ui", "--port", "abc"], "Invalid value for '--port'"),
    (["ui", "--port", "-1"], "Invalid value for '--port'"),
    (["ui", "--port", "70000"], "Invalid value for '--port'"),
    (["ui", "--port", "5000.5"], "Invalid value for '--port'"),
]
TYPES = "Input should be a valid"
SETTINGS: list[tuple[str, str, str]] = [
    ("scale: quick", "scale: Quick", "scale: Input should be 'quick', 'standard' or 'paper'"),
    ("scale: quick", "scale: 'quick '", "scale: Input should be 'quick', 'standard' or 'paper'"),
    ("scale: quick", "scale: true", "scale: Input should be 'quick'"),
    ("scale: quick", "scale: [quick]", "scale: Input should be 'quick'"),
    ("scale: quick", "scale:", "scale: Input should be 'quick'"),
    ("scale: quick", "scale: quick\nscale: paper", "not readable as YAML: "),
    ("scale: quick", "scale: &a quick", "not readable as YAML: line 1: anchors (&) and aliases"),
    ("scale: quick", "scale: !foo quick", "not readable as YAML: could not determine a constr"),
    ("scale: quick", "scale: !!binary abc", "not readable as YAML: "),
    ("scale: quick", "scale: !python/object:os.system x", "not readable as YAML: could not det"),
    ("studies: [toy]", "studies: toy", "studies: should be all, or a list of names"),
    ("studies: [toy]", "studies: All", "studies: should be all, or a list of names"),
    ("studies: [toy]", "studies: [../toy]", "studies.0: '../toy' is unknown: did you mean 'toy'?"),
    ("studies: [toy]", "studies: [toy, toy]", "studies: 'toy' stands there twice"),
    ("studies: [toy]", "studies: []", "studies: List should have at least 1 item"),
    ("studies: [toy]", "studies: [3]", f"studies.0: {TYPES} string; given: 3"),
    ("sets: [mnist]", "sets: mnist", f"data.sets: {TYPES} list; given: 'mnist'"),
    ("sets: [mnist]", "sets: [mnits]", "data.sets.0: 'mnits' is unknown: did you mean 'mnist'?"),
    ("quick: embedded", "quick: true", "data.offline.quick: Input should be 'embedded' or 'er"),
    ("quick: embedded", "Quick: error", "data.offline.Quick: Input should be 'quick'"),
    ("backend: inline", "backend: Ray", "dispatch.backend: Input should be 'ray' or 'inline'"),
    ("workers: 1", "workers: 0", "dispatch.workers: Input should be greater than or equal to 1"),
    ("workers: 1", "workers: many", f"dispatch.workers: {TYPES} integer, or: Input should be"),
    ("workers: 1", "workers: Auto", f"dispatch.workers: {TYPES} integer, or: Input should be"),
    ("workers: 1", "workers: 1.5", f"dispatch.workers: {TYPES} integer, or: "),
    ("workers: 1", "workers: true", f"dispatch.workers: {TYPES} integer, or: "),
    ("workers: 1", "workers: 1000000000", "dispatch.workers: Input should be less than or equal"),
    ("cpus: 1", "cpus: 0", "dispatch.cpus: Input should be greater than or equal to 1; given: 0"),
    ("cpus: 1", "cpus: -1", "dispatch.cpus: Input should be greater than or equal to 1; given: -1"),
    ("cpus: 1", "cpus: 1.5", f"dispatch.cpus: {TYPES} integer; given: 1.5"),
    ("cpus: 1", "cpus: true", f"dispatch.cpus: {TYPES} integer; given: True"),
    ("cpus: 1", "cpus: '1'", f"dispatch.cpus: {TYPES} integer; given: '1'"),
    ("cpus: 1", "cpus: 1000000000", "dispatch.cpus: Input should be less than or equal to 4096"),
    ("gpus: 0", "gpus: .inf", "dispatch.gpus: must be finite"),
    ("gpus: 0", "gpus: -.inf", "dispatch.gpus: must be finite"),
    ("gpus: 0", "gpus: .nan", "dispatch.gpus: must be finite"),
    ("gpus: 0", "gpus: -1", "dispatch.gpus: Input should be greater than or equal to 0"),
    ("gpus: 0", "gpus: 1.5", "dispatch.gpus: should be a share of one GPU, 0 to 1, or a whole"),
    ("gpus: 0", "gpus: true", f"dispatch.gpus: {TYPES} number; given: True"),
    ("gpus: 0", "gpus: 1e9", "dispatch.gpus: Input should be less than or equal to 4096"),
    ("retries: 1", "retries: -1", "dispatch.retries: Input should be greater than or equal to 0"),
    ("retries: 1", "retries: 1.0", f"dispatch.retries: {TYPES} integer; given: 1.0"),
    ("retries: 1", "retries: 1" + 30 * "0", "dispatch.retries: Input should be less than or equ"),
    ("  retries: 1\n", "", "dispatch.retries: missing; give it a value"),
    ("  retries: 1\n", "  retries: 1\n  retires: 2\n", "dispatch.retires: unknown key; did you m"),
]
KIND, SEEDS = "kind: [plain, diverges]", "seeds: 2"
PARAMETERS: list[tuple[str, str, str]] = [
    (KIND, "kind: []", "kind: empty; give at least one value, or leave it out"),
    (KIND, "kind: {}", "kind: empty; give at least one value, or leave it out"),
    (KIND, "kind:", f"kind: {TYPES} string; given: None"),
    (KIND, "kind: true", f"kind: {TYPES} string; given: True"),
    (KIND, "kind: [plain, plain]", "kind: 'plain' stands there twice"),
    (KIND, "kind: [[plain]]", "kind.0: a list holds single values; given: ['plain']"),
    (KIND, "kind: {LeNet-5: 3}", "kind.LeNet-5: what it brings is a mapping from names to values"),
    (KIND, "kind: {LeNet-5: {sedes: 3}}", "kind.LeNet-5.sedes: unknown key; did you mean 'seeds'"),
    (KIND, "kind: {LeNet-5: {seconds: a}}", f"kind.LeNet-5.seconds: {TYPES} number; given: 'a'"),
    (KIND, "kind: {plain: {kind: x}}", "kind.plain.kind: is 'plain' already; leave it out"),
    (KIND, "kind: plain\n  seconds: .nan", "seconds: must be finite"),
    (KIND, "kind: plain\n  seconds: 1:30", f"seconds: {TYPES} number; given: '1:30'"),
    (KIND, "kind: plain\n  seconds: true", f"seconds: {TYPES} number; given: True"),
    (KIND, "kind: plain\n  probes: {error_flwo: {}}", "probes: 'error_flwo' is unknown: did you"),
    (KIND, "kind: plain\n  probes: [a]", f"probes: {TYPES} dictionary; given: ['a']"),
    (KIND, "kind: plain\n  part: x", "part: unknown key; allowed: seed, kind"),
    (KIND, "kind: plain\n  1: 2", "1: unknown key; allowed: seed, kind"),
    (KIND, "kind: plain\n  marks: 2026-01-01", f"marks: {TYPES} string; given: datetime.date"),
    (KIND, "kind: &a plain\n  marks: *a", "line 2: anchors (&) and aliases (*)"),
    (
        KIND,
        "kind: plain\n  epochs: 1" + 30 * "0",
        "epochs: Input should be less than or",
    ),
    (
        KIND,
        "kind: plain\n  epochs: [1, 1000000001]",
        "epochs.1: Input should be less than",
    ),
    (KIND, "kind: plain\n  epochs: 1e30", f"epochs: {TYPES} integer; given: 1e+30"),
    (KIND, "kind: plain\n  epochs: 0", "epochs: Input should be greater than or equal to 1; given"),
    (SEEDS, "seeds: 0", "seeds: a number of seeds from 1 on, at most 100,000; given: 0"),
    (SEEDS, "seeds: 1.5", "seeds: a number of seeds from 1 on, at most 100,000; given: 1.5"),
    (SEEDS, "seeds: true", "seeds: a number of seeds from 1 on, at most 100,000; given: True"),
    (SEEDS, "seeds: two", "seeds: a number of seeds from 1 on, at most 100,000; given: 'two'"),
    (SEEDS, "seeds: 1000000000000", "seeds: a number of seeds from 1 on, at most 100,000; given"),
    (SEEDS, "seed: -1", "seed: Input should be greater than or equal to 0; given: -1"),
    (SEEDS, "seed: [0, 0]", "seed: 0 stands there twice"),
    (
        SEEDS,
        "seed: 4294967296",
        "seed: Input should be less than or equal to 4294967295; given",
    ),
    (SEEDS, "seed: 1\n  seeds: 2", "give one of seed and seeds"),
]
DEEP = "a: " + "[" * 3000 + "]" * 3000
TEXTS: list[tuple[str, str | bytes, str]] = [
    ("empty", "", ""),
    ("a number", "3", ""),
    ("a list", "- quick", ""),
    ("no UTF-8", b"quick: \xff", "not readable as YAML: 'utf-8' codec can't decode byte 0xff"),
    ("UTF-16", "quick: 1".encode("utf-16"), "not readable as YAML: 'utf-8' codec can't decode"),
    ("a NUL", "quick: \0", "not readable as YAML: "),
    ("a tab", "\tquick: 1", "not readable as YAML: "),
    ("cut short", '{"quick": ', "not readable as YAML: "),
    ("never closed", "[" * 5000, "not readable as YAML: "),
    ("too deep", DEEP, "not readable as YAML: nested too deeply"),
    ("of itself", "a: &a [*a]", "not readable as YAML: line 1: anchors"),
    ("two documents", "quick: 1\n---\nquick: 2\n", "not readable as YAML: expected a single docu"),
    ("no words", bytes(range(128, 256)), "not readable as YAML: "),
]


def altered(**others: Any) -> Callable[[list[str]], str]:
    """Return what changes entries of a journal's last record."""
    return lambda lines: "".join(lines[:-1]) + json.dumps(json.loads(lines[-1]) | others) + "\n"


def replaced(line: str) -> Callable[[list[str]], str]:
    return lambda lines: "".join(lines[:-1]) + line + "\n"


JOURNALS: list[tuple[str, Callable[[list[str]], str]]] = [
    ("words", replaced("nonsense")),
    ("a list", replaced("[1]")),
    ("a number", replaced("3")),
    ("nothing", replaced("")),
    ("null", replaced("null")),
    ("an empty object", replaced("{}")),
    ("NULs", replaced("\0\0\0")),
    ("too deep", replaced("[" * 100_000)),
    ("a conflict of git", replaced("<<<<<<< HEAD")),
    ("a fact that holds nothing", replaced('{"fact": "x"}')),
    ("a fact that holds a number", replaced('{"fact": "x", "holds": 3}')),
    ("a fact without a name", replaced('{"fact": [1], "holds": {}}')),
    ("another version's record", altered(format=2)),
    ("half a record", replaced('{"hash": "a", "code": "b"}')),
    ("a trial that is a list", altered(trial=[1])),
    ("a trial of mappings", altered(trial={"kind": {"a": 1}, "seed": 0})),
    ("rows that are a number", altered(rows=3)),
    ("rows of numbers", altered(rows=[3])),
    ("another status", altered(status="done")),
    ("a start in words", altered(started="today")),
    ("a start that is no number", altered(started=float("nan"))),
    ("endless seconds", altered(seconds=float("inf"))),
    ("data that are null", altered(data=None)),
    ("data by lists", altered(data={"mnist": [1]})),
    ("versions in a list", altered(versions=[])),
    ("a hash that is a number", altered(hash=3)),
    ("an error that is null", altered(error=None)),
    ("an adoption that is none", altered(adopted={"x": 1})),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def refusal(project: Project, *command: str, lines: int = 1) -> str:
    """Return the one line that a command gives for an answer."""
    done = project.run(*command)
    assert done.code in (1, 2), done
    assert "Traceback" not in done.err
    assert done.out == ""
    said = done.err.splitlines()
    assert len(said) == lines, done.err
    return said[-1]


@pytest.mark.parametrize(("command", "says"), COMMAND_LINE, ids=lambda each: str(each)[:40])
def test_a_command_that_cannot_be_is_one_line(project: Project, command: list[str], says: str):
    assert says in refusal(project, *command)


@pytest.mark.parametrize(("old", "new", "says"), SETTINGS)
def test_a_value_that_cannot_be_is_one_line_with_its_path(
    project: Project, old: str, new: str, says: str
):
    project.edit("params.yaml", old, new)
    assert refusal(project, "run").startswith(f"params.yaml: {says}")


@pytest.mark.parametrize(("old", "new", "says"), PARAMETERS)
def test_a_parameter_that_cannot_be_is_one_line_with_its_path(
    project: Project, old: str, new: str, says: str
):
    project.edit("params/toy.yaml", old, new)
    line = refusal(project, "run")
    assert line.startswith("toy: left out: params/toy.yaml: ")
    assert says in line


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        ("[plian, diverges]", "claims look for 'plain', which is not there: is it 'plian'?"),
        ("[one, two]", "claims look for names none of which is there: plain, diverges"),
        ("[plain, diverges, plian]", ""),
        ("[plain, one]", ""),
    ],
)
def test_a_name_near_to_one_that_claims_speak_of_is_told_in_one_line_and_stops_nothing(
    project: Project, kinds: str, says: str
):
    spoken = {"kind": ("plain", "diverges")}
    part = dataclasses.replace(toy_study.STUDY.parts[""], speaks_of=spoken)
    project.patch.setattr(toy_study, "STUDY", single(part))
    project.edit("params/toy.yaml", KIND, f"kind: {kinds}")
    for command in ("status", "run"):
        done = project.run(command)
        assert done.code == 0
        told = [line for line in done.err.splitlines() if "claims look" in line]
        assert told == ([f"toy: params/toy.yaml: quick.kind: {says}"] if says else [])


@pytest.mark.parametrize("file", ["params.yaml", "params/toy.yaml"])
@pytest.mark.parametrize(("text", "says"), [each[1:] for each in TEXTS], ids=[t[0] for t in TEXTS])
def test_a_file_of_parameters_that_is_none_is_one_line(
    project: Project, file: str, text: str | bytes, says: str
):
    project.write(file, text)
    assert f"{file}: {says}" in refusal(project, "status")


@pytest.mark.parametrize("made", [c for _, c in JOURNALS], ids=[name for name, _ in JOURNALS])
def test_a_line_of_a_journal_that_is_no_record_is_named_and_nothing_is_lost(
    project: Project, made: Callable[[list[str]], str]
):
    assert project.run("run").code == 0
    path = project.path("rows/quick/toy.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(made(lines))
    before, named = path.read_bytes(), f"rows/quick/toy.jsonl, line {len(lines)}, is not a record"
    for command in ("run", "report", "track", "collect"):
        line = refusal(project, command)
        assert line.startswith(f"toy: left out: {named}")
        assert line.endswith("delete the line; its trial will run again")
        assert path.read_bytes() == before
    path.write_text("".join(before.decode().splitlines(keepends=True)[:-1]))
    assert "1 trials to run, 3 finished before" in project.run("run").err


def test_a_torn_last_line_and_a_record_of_another_hash_cost_their_own_trial_alone(
    project: Project,
):
    assert project.run("run").code == 0
    path = project.path("rows/quick/toy.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    for text in ("".join(lines)[:-30], altered(hash="0" * 16)(lines)):
        path.write_text(text)
        assert "1 trials to run, 3 finished before" in project.run("run").err
        assert len(path.read_text().splitlines()) == len(lines)


def folder(name: str) -> Callable[[Project], None]:
    """Return what puts a folder in the place of a file."""

    def put(project: Project) -> None:
        project.path(name).unlink(missing_ok=True)
        project.path(name).mkdir()

    return put


def file(name: str) -> Callable[[Project], None]:
    """Return what puts a file in the place of a folder."""

    def put(project: Project) -> None:
        shutil.rmtree(project.folder / name, ignore_errors=True)
        project.write(name, "")

    return put


MISPLACED: list[tuple[str, Callable[[Project], None], list[str], str, int]] = [
    (
        "params.yaml",
        folder("params.yaml"),
        ["run"],
        "params.yaml: Is a directory; a folder lies",
        1,
    ),
    (
        "toy.yaml",
        folder("params/toy.yaml"),
        ["run"],
        "params/toy.yaml: Is a directory; a folder",
        1,
    ),
    ("params", file("params"), ["run"], "params/toy.yaml: Not a directory; a file lies where", 1),
    ("journal", folder("rows/quick/toy.jsonl"), ["run"], "toy.jsonl: Is a directory; a folder", 1),
    ("status", folder("rows/quick/toy.jsonl"), ["status"], "toy.jsonl: Is a directory", 1),
    ("rows", file("rows"), ["run"], "a file lies where a folder belongs: move it away", 1),
    ("rows, counted", file("rows"), ["status"], "toy.jsonl: Not a directory; a file lies", 1),
    ("scratch", file(".scratch"), ["run"], "toy-quick: Not a directory; a file lies where", 2),
    ("data", file("data"), ["fetch"], "Not a directory; make it usable, then fetch", 1),
]


@pytest.mark.parametrize(
    ("put", "command", "says", "lines"), [c[1:] for c in MISPLACED], ids=[c[0] for c in MISPLACED]
)
def test_a_file_in_a_folders_place_and_a_folder_in_a_files_are_one_line(
    project: Project, put: Callable[[Project], None], command: list[str], says: str, lines: int
):
    put(project)
    assert says in refusal(project, *command, lines=lines)


def test_files_that_are_not_there_are_one_line(project: Project):
    project.path("params/toy.yaml").unlink()
    assert "params/toy.yaml: no such file; a study's values stand" in refusal(project, "run")
    project.path("params.yaml").unlink()
    assert "params.yaml: no such file; run from the folder" in refusal(project, "run")


class _Disk(io.FileIO):
    """A file whose disk refuses to be written."""

    code = errno.ENOSPC

    def write(self, _: Any) -> int:
        raise OSError(self.code, os.strerror(self.code))


REFUSALS = {
    errno.ENOSPC: "No space left on device; make room there",
    errno.EDQUOT: "Disk quota exceeded; make room there",
    errno.EROFS: "Read-only file system; make it writable",
    errno.EACCES: "Permission denied; make it yours to read and write",
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_disk_that_refuses_stops_the_run_in_one_line_and_keeps_what_was_there(
    project: Project, monkeypatch: pytest.MonkeyPatch, code: int
):
    project.edit("params/toy.yaml", SEEDS, "seeds: 1")
    assert project.run("run").code == 0
    path = project.path("rows/quick/toy.jsonl")
    before, opened = path.read_bytes(), Path.open
    project.edit("params/toy.yaml", "seeds: 1", "seeds: 2")

    def full(self: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if self.name == path.name and "a" in mode and "+" in mode:
            if code in (errno.EROFS, errno.EACCES):
                raise OSError(code, os.strerror(code), str(self))
            _Disk.code = code
            return io.BufferedRandom(_Disk(self, mode.replace("b", "")))
        return opened(self, mode, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        line = refusal(project, "run", lines=2)
    assert line.startswith(f"rows/quick/toy.jsonl: {REFUSALS[code]}")
    assert path.read_bytes() == before
    assert "2 trials to run, 2 finished before" in project.run("run").err, "nothing has failed"


def test_a_file_system_without_locks_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch):
    def none(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(journal.fcntl, "flock", none)
    assert "its file system keeps no locks" in refusal(project, "run")


@contextlib.contextmanager
def small_disk(at: Path) -> Iterator[None]:
    """Mount a disk of 64 kB, where that is allowed."""
    at.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(at)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here; the injected errors above stand for it")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=False)


def test_a_disk_that_is_really_full_leaves_a_journal_that_goes_on(project: Project):
    with small_disk(project.folder / "rows"):
        (project.folder / "rows" / "quick").mkdir()
        ballast = project.folder / "rows" / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        line = refusal(project, "run", lines=2)
        assert line.startswith("rows/quick/toy.jsonl: No space left on device; make room there")
        ballast.unlink()
        done = project.run("run")
        assert (done.code, "failed" in done.err.replace("0 failed", "")) == (0, False), done.err


def test_a_page_is_replaced_whole_or_not_at_all_on_a_full_disk(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    from pipeline.params import load
    from pipeline.running.jobs import job

    assert project.run("run").code == 0
    page = report.build(job(load(), "toy")) / "index.html"
    before, write = page.read_bytes(), Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.suffix == ".html":
            write(self, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(report.UserError, match="No space left"):
            report.build(job(load(), "toy"))
    assert page.read_bytes() == before


class Surroundings(NamedTuple):
    """Something in the environment that cannot be used."""

    name: str
    value: str
    command: list[str]
    says: str


ENVIRONMENT = [
    Surroundings("DATA_MIRROR", "/no/where", ["fetch"], "DATA_MIRROR=/no/where: no such folder"),
    Surroundings("DATA_MIRROR", "params.yaml", ["fetch"], "DATA_MIRROR=params.yaml: no such fold"),
    Surroundings("DATA_MIRROR", "ftp://u:hunter2@x/y", ["fetch"], "DATA_MIRROR=ftp://x/y: no such"),
    Surroundings("DATA_MIRROR", "http://", ["fetch"], "DATA_MIRROR=http:: no address"),
    Surroundings("DATA_MIRROR", "http://h:99999", ["fetch"], "=http://h:99999: no address; give"),
    Surroundings("DATA_MIRROR", "http://[::1", ["fetch"], "DATA_MIRROR=http://[::1: no address"),
    Surroundings("MLFLOW_TRACKING_URI", "nosuch://x", ["collect"], "MLflow at nosuch://x: "),
    Surroundings("MLFLOW_TRACKING_URI", "http://", ["collect"], "MLflow at http://: "),
    Surroundings("MLFLOW_TRACKING_URI", "http://h:99999", ["collect"], "MLflow at http://h:99999"),
    Surroundings(
        "MLFLOW_TRACKING_URI", "sqlite:////proc/x.db", ["collect"], "unable to open database"
    ),
    Surroundings(
        "MLFLOW_TRACKING_URI", "http://u:hunter2@127.0.0.1:9", ["collect"], "at http://127.0.0.1:9"
    ),
    Surroundings(
        "MLFLOW_TRACKING_URI", "http://u:hunter2@h:1", ["ui"], "on a server: open http://h:1 in"
    ),
    Surroundings("MLFLOW_TRACKING_URI", "sqlite:///params", ["ui"], "it is a folder, not a datab"),
]


@pytest.mark.parametrize("given", ENVIRONMENT, ids=lambda given: given.value)
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
def test_an_environment_that_cannot_be_used_is_one_line_without_secrets(
    project: Project, monkeypatch: pytest.MonkeyPatch, given: Surroundings
):
    monkeypatch.setenv(given.name, given.value)
    line = refusal(project, *given.command)
    assert given.says in line
    assert "hunter2" not in line


def test_an_address_of_ray_that_is_none_is_one_line_within_seconds(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    project.edit("params.yaml", "backend: inline", "backend: ray")
    with serve(project.folder) as (other, _):
        for address, says in (
            (other.removeprefix("http://"), "who listens there is not Ray"),
            (refusing().removeprefix("http://"), "refused"),
            ("127.0.0.1:99999", "does not answer"),
        ):
            monkeypatch.setenv("RAY_ADDRESS", address)
            line = refusal(project, "run", lines=2)
            assert line.startswith(f"RAY_ADDRESS={address} does not answer (")
            assert says in line


def test_ray_is_given_a_folder_that_its_sockets_can_lie_in(monkeypatch: pytest.MonkeyPatch):
    for folder, given in (("/tmp", None), ("/tmp/" + "a" * 60, "/tmp/ray"), ("/tmp/ü", "/tmp/ray")):
        monkeypatch.setenv("RAY_TMPDIR", folder)
        assert cluster._sockets() == given


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
def test_a_port_that_is_taken_is_one_line(project: Project):
    with black_hole() as taken:
        port = taken.rpartition(":")[2]
        line = refusal(project, "ui", "--port", port)
    assert line == f"port {port} cannot be had (Address already in use): name another with --port"
