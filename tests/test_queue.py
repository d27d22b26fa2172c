"""All studies share one queue, whatever measures; what goes wrong is a trial's own affair.

Above 300 lines because one start of Ray serves many cases.
"""

import dataclasses
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.errors import UserError
from pipeline.params import Settings
from pipeline.running import cluster, fingerprint, queue
from pipeline.running.jobs import Fetched, Job
from pipeline.running.journal import Record, fact
from pipeline.running.progress import Clock, Progress, Standing, Waiting
from pipeline.running.queue import Ending
from pipeline.study import Entries, Needs, Study, key
from tests import toy_study
from tests.laboratory import Laboratory

BACKENDS = ("inline", "ray")
FAILING = {
    "raises": r"ValueError: two lines of text \(tests/toy_study\.py:\d+\)",
    "not plain": r"column 'value' holds a object: rows hold str, int, float, bool or None",
    "sneaks": r"the trial used lightning_modules\.cells\.gru without naming it.*",
}
REAL = {"requested": "numbers", "served": "Numbers", "embedded": False, "sha256": "real"}
STAND_IN = {"requested": "numbers", "served": "digits", "embedded": True, "sha256": "stand-in"}


def settings(backend: str = "inline", scale: str = "quick", **dispatch: float) -> Settings:
    given = {"backend": backend, "workers": 2, "cpus": 1, "gpus": 0.0, "retries": 1}
    offline = {"quick": "embedded", "standard": "error"}
    data = {"sets": [], "offline": offline}
    return Settings.model_validate(
        {"scale": scale, "studies": ["pooling"], "data": data, "dispatch": given | dispatch}
    )


def trial(kind: str, seed: int = 0, **others: Any) -> Entries:
    return {"kind": kind, "seed": seed, **others}


def job(*trials: Entries, name: str = "toy", study: Study = toy_study.STUDY, **data: Any) -> Job:
    """Return a study of these trials; ``data`` says what a data set's folder holds."""
    made = Job(name, study, "quick", {key(each): each for each in trials}, {})
    made.__dict__["data"] = {
        name: Fetched(name, said, said.get("sha256", ""), lambda: [20.0, 22.0])
        for name, said in data.items()
    }
    return made


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    """Start in a folder without rows, and keep what is said."""
    monkeypatch.chdir(tmp_path)
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="module")
def ray_of_two() -> Iterator[None]:
    """Start Ray once, with a GPU that is not there: a run uses a cluster that is running."""
    cluster.prepare_here()
    import ray

    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    ray.init("local", num_cpus=2, num_gpus=1, **quiet)
    yield
    ray.shutdown()


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def records(job: Job) -> dict[str, Record]:
    """Return the journal's records by kind and seed."""
    found = job.journal.read().records.values()
    return {f"{r.trial['kind']} {r.trial['seed']}": r for r in found}


def overlap(one: Record, other: Record) -> bool:
    return one.started < other.ended and other.started < one.ended


@pytest.mark.usefixtures("ray_of_two")
def test_both_backends_give_the_same_records_and_every_failure_is_its_trials_own_line(
    console: Console,
):
    kinds = ("plain", "diverges", "leaves", *FAILING)
    wrong = trial("plain", probes='{"error_flow": {"evry": 10}}')
    found = {}
    for backend in BACKENDS:
        toy = job(
            *(trial(kind, seed) for kind in kinds for seed in range(2)),
            trial("plain", 2, dataset="numbers"),
            wrong,
            name=f"toy_{backend}",
            numbers=REAL,
        )
        ending = queue.run([toy], settings(backend), console)
        standing = ending.standings[toy.name]
        assert (ending.code, standing.done, len(standing.failed), standing.left) == (1, 7, 7, 0)
        assert not toy.scratch.exists()
        held = toy.journal.read()
        found[backend] = {
            name: dataclasses.replace(record, started=0, seconds=0)
            for name, record in held.records.items()
        }
        by_name = records(toy)
        for kind, line in FAILING.items():
            assert re.fullmatch(line, by_name[f"{kind} 1"].error)
        assert by_name["plain 2"].rows[0]["loss"] == 44.0
        assert held.facts[by_name["plain 2"].data["numbers"]] == REAL
        assert "lightning_modules.cells" in held.facts[by_name["plain 1"].code]
        assert held.records[key(wrong)].error.startswith(
            "ValueError: probe error_flow: 'evry' is unknown: did you mean 'every'?"
        )
    assert found["inline"] == found["ray"]


@pytest.mark.usefixtures("ray_of_two")
def test_each_part_gets_what_it_needs_and_lost_workers_cost_their_own_trial_alone(
    console: Console, tmp_path: Path
):
    study = toy_study.needing(
        shared=Needs(),
        half=Needs(gpus=0.5),
        whole=Needs(gpus=1.0),
        alone=Needs(alone=True),
        wide=Needs(cpus=3),
    )
    marks = str(tmp_path)
    toy = job(
        *(trial("plain", seed, part="shared", seconds=0.1) for seed in range(4)),
        *(trial(kind, seed, part="shared") for kind in ("dies", "dies once") for seed in (0,)),
        *(trial("meets", seed, part="half", marks=marks) for seed in (8, 9)),
        *(trial("looks", seed, part="whole", seconds=0.3) for seed in (10, 11)),
        *(trial("looks", seed, part="alone", seconds=0.3) for seed in (12, 13)),
        trial("looks", 14, part="shared"),
        trial("plain", 15, part="wide"),
        study=study,
    )
    beside = job(trial("plain"), name="beside")
    heard: list[str] = []
    ending = queue.run(
        [toy, beside], settings("ray"), console, ended=lambda job: heard.append(job.name)
    )
    found = records(toy)
    assert sorted(heard) == ["beside", "toy"]
    assert found.pop("dies 0").error == "its worker was lost 2 times (WorkerCrashedError)"
    assert {record.error for record in found.values()} == {""}
    waiting = {
        Waiting("it needs 3 CPUs and 0 GPUs, and the largest machine here has 2 CPUs and 1 GPUs")
    }
    assert set(ending.standings["toy"].waiting.values()) == waiting
    assert ending.code == 1
    alone = [found["looks 12"], found["looks 13"]]
    others = [*(r for name, r in found.items() if name not in ("looks 12", "looks 13"))]
    others += records(beside).values()
    assert not any(overlap(one, other) for one in alone for other in others)
    assert max(r.ended for r in alone) < min(r.started for r in others), "they come first"
    assert overlap(found["meets 8"], found["meets 9"]), "halves of one GPU"
    one, other = (found[f"looks {seed}"] for seed in (10, 11))
    assert not overlap(one, other), "one GPU"
    assert one.rows == other.rows, "one process, with all that it has imported"
    assert one.rows[0]["gpus"] == "0"
    assert found["looks 14"].rows[0] == {
        "process": found["looks 14"].rows[0]["process"],
        "gpus": "",
        "threads": 1,
    }
    assert max(one.seconds, other.seconds) < 2, "imports are not the trial's"


def test_finished_trials_are_skipped_failed_ones_tried_again_and_all_run_by_force(
    console: Console, monkeypatch: pytest.MonkeyPatch
):
    def ending(*trials: Entries, force: bool = False) -> Standing:
        return queue.run([job(*trials)], settings(), console, force=force).standings["toy"]

    kinds = [trial(kind, seed) for kind in ("plain", "raises") for seed in range(2)]
    assert (ending(*kinds).finished, ending(*kinds).finished) == (2, 0)
    again = ending(*kinds)
    assert (again.before, [r.trial["seed"] for r in again.failed]) == (2, [0, 1])
    assert "toy: 2 of 4 trials failed; the next run tries them again\n" in said(console)
    assert ending(*kinds[:2], trial("plain", 2)).finished == 1
    assert "1 trials to run, 2 finished before: toy\n" in said(console)
    assert ending(*kinds[:2], force=True).finished == 2
    monkeypatch.setattr(fingerprint, "versions", lambda: {"torch": "1.0"})
    monkeypatch.setattr(queue, "versions", lambda: {"torch": "1.0"})
    assert ending(*kinds[:2]).finished == 2, "under a new version all are stale"


def test_what_took_long_starts_first_and_what_nothing_is_known_of_before_it(console: Console):
    long = {0: 0.02, 1: 0.06, 2: 0.04}
    known = [trial("plain", seed, seconds=seconds) for seed, seconds in long.items()]
    queue.run([job(*known)], settings(), console)
    toys = [job(*known), job(trial("plain", 7), name="new")]
    queue.run(toys, settings(), console, force=True)
    found = records(toys[0]) | records(toys[1])
    order = sorted(found.values(), key=lambda record: record.started)
    assert [record.trial["seed"] for record in order] == [7, 1, 2, 0]
    elsewhere = Path("rows", "standard", "other.jsonl")
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(toys[0].journal.path.read_bytes())
    other = job(trial("diverges", 5), name="other")
    held = other.journal.read()
    (expected,) = queue._expected(other, held, other.trials).values()
    assert expected == pytest.approx(0.04, abs=0.015), "its part's mean at another scale"


def test_data_that_cannot_be_had_stops_only_the_trials_that_read_it(console: Console):
    reading, other = trial("plain", 0, dataset="numbers"), trial("plain", 1)
    heard = []
    for said_of, scale in (({}, "quick"), (STAND_IN, "standard")):
        toy = job(reading, other, numbers=said_of, name=f"toy_{scale}")
        ending = queue.run([toy], settings(scale=scale), console, ended=heard.append)
        ((waiting,), standing) = (ending.standings[toy.name].waiting.values(), ending.standings)
        assert waiting.for_data
        assert "python -m pipeline fetch numbers" in waiting.reason
        assert (ending.code, standing[toy.name].finished, len(heard)) == (0, 1, 1)
        assert "data set numbers is not there" in said(console)
        heard.clear()
    toy = job(reading, other, numbers=REAL, name="damaged")

    def read() -> Any:
        raise UserError("numbers.bin: not what was fetched")

    toy.data["numbers"] = toy.data["numbers"]._replace(read=read)
    ending = queue.run([toy], settings(), console)
    assert ending.standings["damaged"].waiting == {
        key(reading): Waiting("numbers.bin: not what was fetched")
    }
    assert ending.code == 1, "it is not that it cannot be had"


def test_a_journal_that_cannot_be_read_stops_its_own_study_alone(console: Console):
    torn, whole = job(trial("plain"), name="torn"), job(trial("plain"), name="whole")
    torn.journal.path.parent.mkdir(parents=True)
    torn.journal.path.write_text("{}\nnonsense\n")
    ending = queue.run([torn, whole], settings(), console)
    assert (ending.code, ending.standings["whole"].finished) == (1, 1)
    assert "torn: 1 trials wait: " in said(console)
    assert torn.journal.path.read_text() == "{}\nnonsense\n"


def test_what_real_data_gave_is_never_done_again_on_what_stands_in_for_them(console: Console):
    reading = trial("plain", dataset="numbers")
    toy = job(reading, numbers=REAL)
    queue.run([toy], settings(), console)
    (real,) = toy.journal.read().records.values()
    for there in (STAND_IN, {}):
        for force in (False, True):
            again = job(reading, numbers=there)
            ending = queue.run([again], settings(), console, force=force)
            assert (ending.code, ending.standings["toy"].before) == (0, 1)
            assert list(again.journal.read().records.values()) == [real]
    toy.journal.path.unlink()
    earlier = dataclasses.replace(real, code="earlier", hash="earlier")
    toy.journal.append(earlier, fact(REAL))
    for _ in range(2):
        ending = queue.run([job(reading, numbers=STAND_IN)], settings(), console)
        (waiting,) = ending.standings["toy"].waiting.values()
        assert waiting.reason.startswith("earlier code measured it on numbers itself, which digits")
        assert ending.code == 0
        assert list(toy.journal.read().records.values()) == [earlier]
    newer = job(reading, numbers=REAL | {"sha256": "newer"})
    assert queue.run([newer], settings(), console).standings["toy"].finished == 1
    (record,) = newer.journal.read().records.values()
    assert record.data == {"numbers": next(iter(fact(REAL | {"sha256": "newer"})))}


def test_a_study_has_ended_as_soon_as_its_own_last_trial_has(console: Console):
    mine, other = job(trial("plain"), name="mine"), job(trial("plain"), name="other")
    nothing = job(name="nothing")
    heard: list[tuple[str, int]] = []

    def hear(job: Job) -> None:
        heard.append((job.name, len(other.journal.read().records)))
        with pytest.raises(UserError, match="being written by another run"), job.journal.locked():
            pass

    queue.run([mine, other, nothing], settings(), console, ended=hear)
    assert heard == [("nothing", 0), ("mine", 0), ("other", 1)]


IMPORTED_BEFORE = """
import os
import ray
from pipeline.params import Dispatch
from pipeline.running import cluster
settings = Dispatch(backend="ray", workers=1, cpus=1, gpus=0.0, retries=0)
print(cluster.offered(settings), os.environ["RAY_AUTH_MODE"])
"""


def test_a_ray_that_a_users_file_has_imported_before_starts_with_a_token(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_BEFORE],
        env={k: v for k, v in os.environ.items() if "AUTH" not in k} | {"HOME": str(tmp_path)},
        cwd=cluster.PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[(1.0, 0.0)] token\n"
    assert not list(tmp_path.iterdir()), "no token is left in a home"


def test_a_run_that_has_nothing_to_do_starts_no_ray_and_imports_no_torch(tmp_path: Path):
    laboratory = Laboratory(tmp_path)
    laboratory.declare(["alpha"], 1)
    laboratory.run("run", "toy")
    laboratory.declare(["alpha"], 1, backend="ray")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline", "run"],
        cwd=laboratory.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "0 trials to run, 1 finished before" in done.stderr
    assert done.stdout == ""
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pipeline.running.queue" in imported
    assert not imported & {"torch", "ray", "mlflow", "pytorch_lightning", "scipy"}


@pytest.mark.usefixtures("ray_of_two")
def test_a_cluster_that_does_not_answer_is_one_line(
    console: Console, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(UserError, match=r"RAY_ADDRESS=127\.0\.0\.1:9 does not answer") as caught:
        queue.run([job(trial("plain"))], settings("ray"), console)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [Exception, OSError, RuntimeError])
def test_a_ray_that_does_not_start_is_a_line_whatever_it_raises(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    import ray

    def init(**_: Any) -> None:
        raise error("The current node timed out during startup.\nSee the logs.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(UserError, match="Ray does not start here") as caught:
        cluster.offered(settings("ray").dispatch)
    assert "timed out during startup. See the logs." in str(caught.value)
    assert "the same command" in str(caught.value)


@pytest.mark.usefixtures("ray_of_two")
def test_the_code_that_trials_reach_travels_to_a_cluster_and_nothing_that_lies_beside_it(
    tmp_path: Path,
):
    from ray._private.runtime_env.packaging import _get_excludes

    code = "pipeline/study.py", "pipeline/data/sets/mnist.py", "own/cells.py", "alone.py"
    names = ".git/x", "data/mnist/x", "rows/quick/toy.jsonl", "mlflow.db", "own.bin", "pipeline2/x"
    odd = "a [b]*.bin", "#x", "!pipeline", " y ", "back\\slash"
    large = "own/weights.bin", "pipeline/data/a[1].bin"
    for name in (*code, *names, *odd, *large):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in large:
        os.truncate(tmp_path / name, cluster.LARGEST + 1)
    environment = cluster.sent({"pipeline", "own", "alone"}, tmp_path)
    assert environment["working_dir"] == str(tmp_path)
    stays = _get_excludes(tmp_path, environment["excludes"])

    def goes(name: str) -> bool:
        return not any(stays(tmp_path / part) for part in (name, *Path(name).parents))

    assert [name for name in (*code, *names, *odd, *large) if goes(name)] == [*code]


def test_one_line_and_one_table_say_how_far_all_studies_are():
    clock = Clock([("a", 10.0), ("a", 10.0), ("b", None)])
    assert clock.left(2) is None
    standings = [
        Standing("first", before=3, finished=1, left=2),
        Standing("second", waiting={"x": Waiting("no data")}),
        Standing("third", before=5),
    ]
    running = {"first": 2}
    progress = Progress(standings, clock, lambda: queue.Counter(running), lambda: 2)
    line = "9/12 trials, 0 failed, 2 running, 1 waiting, time left not known yet (first 4/6)"
    assert progress.line() == line
    clock.count("a", 10.0, 5.0)
    left = clock.left(2)
    assert left is not None
    assert left == pytest.approx(10.0, abs=1.0), "what took half as long as expected"
    screen = Console(file=io.StringIO(), width=100, force_terminal=True)
    screen.print(progress.table())
    assert re.search(r"first\s+4\s+0\s+2\s+0\s+6", said(screen))
    assert re.search(r"second\s+0\s+0\s+0\s+1\s+1", said(screen))
    assert "third" not in said(screen)
    assert re.search(r"all\s+9\s+0\s+2\s+1\s+12", said(screen))
    with progress.shown(screen):
        pass
    assert said(screen).endswith("(first 4/6)\n")


def test_what_stopped_is_one_line_and_no_success():
    ending = Ending({"toy": Standing("toy", left=54)}, "Ray's raylet on this machine has died")
    (line,) = ending.lines()
    assert line.startswith("stopped: Ray's raylet on this machine has died; 54 trials are left")
    assert ending.code == 1
