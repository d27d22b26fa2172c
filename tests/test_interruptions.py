"""Whatever is killed or edited, finished trials stay finished and only the others run."""

import signal
from pathlib import Path

import pytest

from tests.laboratory import Laboratory, kill, wait_for

ALL = {f"{cell}-{seed}" for cell in ("alpha", "beta") for seed in range(5)}


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path)


def test_edits_and_new_values_run_just_what_they_concern(laboratory: Laboratory):
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


def test_no_interruption_of_the_driver_loses_or_repeats_a_finished_trial(laboratory: Laboratory):
    laboratory.declare(["alpha", "beta"], 5, seconds=0.4, backend="ray")
    for stop, code, enough in ((signal.SIGINT, 130, 2), (signal.SIGKILL, -9, 5)):
        driver = laboratory.start("run", "toy")
        wait_for(lambda enough=enough: len(laboratory.finished()) >= enough)
        driver.send_signal(stop)
        printed, _ = driver.communicate(timeout=60)
        assert driver.returncode == code
        assert "Traceback" not in printed
        assert ("finished trials are kept" in printed) == (stop == signal.SIGINT)
        kept = {name: laboratory.starts()[name] for name in laboratory.finished()}
        assert enough <= len(kept) < len(ALL)
    laboratory.run("run", "toy")
    assert laboratory.finished() == ALL
    starts = laboratory.starts()
    assert {name: starts[name] for name in kept} == kept
    assert sum(starts.values()) <= len(ALL) + 2 * 4, "more than the trials in flight ran again"
    assert laboratory.runs()["FINISHED"] == len(ALL)
    assert laboratory.runs()["RUNNING"] == 0


def test_a_killed_worker_costs_its_trial_one_start_and_the_others_none(laboratory: Laboratory):
    laboratory.declare(["alpha", "beta"], 5, seconds=0.4, backend="ray")
    driver = laboratory.start("run", "toy")
    victim = wait_for(lambda: next(iter(sorted(laboratory.marks.iterdir())), None))
    trial, pid = victim.name.rsplit("-", 1)
    kill(int(pid))
    printed, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, printed
    assert "Traceback" not in printed
    assert laboratory.finished() == ALL
    assert laboratory.starts() == dict.fromkeys(ALL, 1) | {trial: 2}
    assert laboratory.runs() == {"FINISHED": len(ALL)}


def test_no_trial_that_finishes_is_exit_code_1_and_a_mistake_is_exit_code_2_in_one_line(
    laboratory: Laboratory,
):
    laboratory.declare(["alpha"], 1)
    laboratory.edit("pipeline/studies/toy.py", "CELLS[cell].size", "CELLS[cell].sizes")
    failing = laboratory.start("run", "toy")
    printed, _ = failing.communicate(timeout=60)
    assert failing.returncode == 1
    assert "1 of 1 trials failed" in printed
    assert "AttributeError: type object 'Alpha' has no attribute 'sizes'" in printed
    assert "no trial has finished" in printed
    unknown = laboratory.start("run", "toys")
    printed, _ = unknown.communicate(timeout=60)
    assert unknown.returncode == 2
    assert "did you mean 'toy'?" in printed
    assert len(printed.splitlines()) == 1


def test_the_commands_say_where_a_study_stands_and_a_lost_store_is_made_again(
    laboratory: Laboratory,
):
    laboratory.declare(["alpha", "beta"], 2)
    laboratory.run("run", "toy")
    laboratory.edit("lightning_modules/cells/beta.py", "size = 2", "size = 3")
    counts = [line.split() for line in laboratory.run("status").splitlines() if "toy" in line]
    assert [word for word in counts[0] if word.isdigit()] == ["4", "2", "0", "2"]
    assert "Does the laboratory run?" in laboratory.run("list")
    (laboratory.folder / "mlflow.db").unlink()
    assert "4 of 4 trials logged now" in laboratory.run("track", "toy")
    assert "0 of 4 trials logged now" in laboratory.run("track", "toy")
    assert laboratory.runs() == {"FINISHED": 4}
