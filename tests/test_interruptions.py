"""Whatever is killed or edited, finished trials stay finished and only the others run."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import kills
from tests.laboratory import ROOT, Laboratory, kill, part_of_ray, wait_for

SEEDS = 9
ALL = {f"{cell}-{seed}" for cell in ("alpha", "beta") for seed in range(SEEDS)}
AT_ONCE = 2
"""Trials that run at the same time."""


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path)


def test_edits_and_new_values_run_just_what_they_concern_and_the_commands_say_so(
    laboratory: Laboratory,
):
    laboratory.declare(["alpha", "beta"], 2)
    laboratory.run("run", "toy")
    once = {f"{cell}-{seed}": 1 for cell in ("alpha", "beta") for seed in range(2)}
    assert laboratory.starts() == once

    laboratory.edit("lightning_modules/cells/beta.py", "# a comment", "# another comment")
    laboratory.edit("lightning_modules/cells/beta.py", "Say nothing new.", "Be silent.")
    laboratory.declare(["alpha", "beta"], 3)
    assert "2 trials to run, 4 finished before" in laboratory.run("run", "toy")
    assert laboratory.starts() == once | {"alpha-2": 1, "beta-2": 1}

    laboratory.edit("lightning_modules/cells/beta.py", "size = 2", "size = 3")
    assert "3 trials to run, 3 finished before" in laboratory.run("run", "toy")
    beta = {f"beta-{seed}": 2 for seed in range(3)}
    assert laboratory.starts() == {f"alpha-{seed}": 1 for seed in range(3)} | (beta | {"beta-2": 2})
    assert laboratory.runs() == {"FINISHED": 9}

    laboratory.edit("lightning_modules/cells/beta.py", "size = 3", "size = 4")
    counts = [line.split() for line in laboratory.run("status").splitlines() if "toy" in line]
    assert [word for word in counts[0] if word.isdigit()][:3] == ["6", "3", "0"]
    assert "Does the laboratory run?" in laboratory.run("list")
    (laboratory.folder / "mlflow.db").unlink()
    laboratory.run("track", "toy")
    assert laboratory.runs() == {"FINISHED": 6}, "a lost store is made again from the journal"


def _interrupted(driver: subprocess.Popen[str]) -> None:
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does: the workers hear it, too


def _ended(driver: subprocess.Popen[str]) -> None:
    driver.terminate()


def _killed(driver: subprocess.Popen[str]) -> None:
    kill(driver.pid)


def _without_raylet(driver: subprocess.Popen[str]) -> None:
    kill(part_of_ray(driver.pid, "raylet"))


def test_no_interruption_loses_or_repeats_a_finished_trial(laboratory: Laboratory):
    laboratory.declare(["alpha", "beta"], SEEDS, seconds=0.4, backend="ray")
    kept: dict[str, int] = {}
    left: set[str] = set()
    scratch = laboratory.folder / ".scratch" / "toy-quick"
    cases: list[tuple[Callable[[subprocess.Popen[str]], None], int, str]] = [
        (_interrupted, 130, "finished trials are kept"),
        (_ended, 130, "finished trials are kept"),
        (_killed, -signal.SIGKILL, ""),
        (_without_raylet, 1, "stopped: Ray's raylet on this machine has died"),
    ]
    for stop, code, line in cases:
        driver, enough = laboratory.start("run", "toy"), len(kept) + 2
        wait_for(lambda enough=enough: len(laboratory.finished()) >= enough)
        wait_for(lambda: list(scratch.rglob("checkpoint")))
        stop(driver)
        printed, _ = driver.communicate(timeout=60)
        assert driver.returncode == code, printed
        assert not any(word in printed for word in ("Traceback", "*** SIGTERM", "PC: @")), printed
        assert line in printed
        assert {r["status"] for r in laboratory.records()} == {"finished"}
        assert {name: laboratory.starts()[name] for name in kept} == kept
        kept = {name: laboratory.starts()[name] for name in laboratory.finished()}
        assert enough <= len(kept) < len(ALL)
        left |= {path.parent.name for path in scratch.rglob("checkpoint")}

    # A trial may have ended just then; not every time.
    assert left, "checkpoints of what was running"

    before = set(laboratory.marks.iterdir())
    driver = laboratory.start("run", "toy")
    victim = wait_for(lambda: next(iter(set(laboratory.marks.iterdir()) - before), None))
    kill(int(victim.name.rsplit("-", 1)[1]))
    printed, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, printed
    assert "Traceback" not in printed
    assert laboratory.finished() == ALL
    starts = laboratory.starts()
    assert {name: starts[name] for name in kept} == kept
    most = len(ALL) + len(cases) * AT_ONCE + 1
    assert sum(starts.values()) <= most, "more than what was running ran again"
    assert laboratory.runs() == {"FINISHED": len(ALL)}
    assert not scratch.exists()


@pytest.mark.chaos
def test_thirty_kills_of_whatever_takes_part_lose_repeat_fail_and_hold_up_nothing():
    (seen,) = kills.run(trials=90, kills=30)
    each = [seen[f"kills_of_{name}"] for name in ("driver", "worker", "raylet", "server")]
    assert each == [3, 21, 3, 3], seen
    assert [seen[what] for what in ("lost", "repeated", "wrongly_failed", "stuck")] == [0] * 4, seen


def test_failed_trials_are_exit_code_1_and_a_mistake_is_exit_code_2_in_one_line(
    laboratory: Laboratory,
):
    laboratory.declare(["alpha"], 1)
    laboratory.edit("pipeline/studies/toy.py", "CELLS[self.cell].size", "CELLS[self.cell].sizes")
    failing = laboratory.start("run", "toy")
    printed, _ = failing.communicate(timeout=60)
    assert failing.returncode == 1
    assert "toy: 1 of 1 trials failed; the next run tries them again" in printed
    assert "AttributeError: type object 'Alpha' has no attribute 'sizes'" in printed
    unknown = laboratory.start("run", "toys")
    printed, _ = unknown.communicate(timeout=60)
    assert unknown.returncode == 2
    assert "did you mean 'toy'?" in printed
    assert len(printed.splitlines()) == 1


NODES = """
import os
import sys
import threading
import time
from pathlib import Path

from pipeline.running import cluster

cluster.prepare_here()

from ray.cluster_utils import Cluster as Machines

from pipeline.params import Dispatch
from pipeline.running.worker import Assignment
from tests.toy_study import Toy

marks, alone = Path(sys.argv[1]), sys.argv[2] == "alone"
machines = Machines(True, True, head_node_args={"num_cpus": 1})
other = machines.add_node(num_cpus=1)
os.environ["RAY_ADDRESS"] = machines.address


def assigned(seed):
    entries = Toy(kind="plain", seed=seed, seconds=2.0, marks=str(marks)).entries()
    of = "tests.toy_study:Toy", str(seed), (), frozenset(), None, 1, 0.0, alone
    return Assignment(seed, entries, *of)


def kill():
    while len(list(marks.iterdir())) < 2:
        time.sleep(0.1)
    machines.remove_node(other, allow_graceful=False)


threading.Thread(target=kill, daemon=True).start()
settings = Dispatch(backend="ray", workers=1, cpus=1, gpus=0, retries=1)
running = cluster.Cluster([assigned(seed) for seed in range(6)], None, settings)
for assignment, outcome in running.events():
    print("ended", assignment.place, outcome.losses, outcome.error)
"""


@pytest.mark.parametrize("needs", ["alone", "shared"])
def test_a_node_that_is_killed_costs_no_trial_more_than_the_one_that_it_ran(
    tmp_path: Path, needs: str
):
    done = subprocess.run(
        [sys.executable, "-c", NODES, str(tmp_path), needs],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    ended = sorted(line.split()[1:] for line in done.stdout.splitlines() if "ended" in line)
    assert [(of[0], of[2:]) for of in ended] == [(str(seed), []) for seed in range(6)], done.stdout
    assert sum(int(of[1]) for of in ended) <= 1, done.stdout
