"""Processes are killed at random: no trial may be lost, repeated, wrongly failed or stuck.

A copy of the project runs short trials on two workers and logs them to an MLflow server, while its
driver, its workers, Ray's raylet and that server are killed in a seeded random order. A driver or
server that is dead is started again, as a user would do.

    lost            trials that are not finished in the end, or that MLflow lacks then
    repeated        finished trials that were started again, or are in MLflow twice
    wrongly_failed  trials that the journal ever held as failed: none of them can fail
    stuck           drivers that neither went on nor ended within two minutes
"""

import contextlib
import math
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.laboratory import Laboratory, kill, part_of_ray
from tests.servers import await_answer, end, refusing, start_mlflow

SECONDS, PATIENCE = 0.3, 120.0
"""How long a trial takes, and how long nothing may happen before a driver counts as stuck."""
SHARES = {"worker": 0.7, "driver": 0.1, "raylet": 0.1, "server": 0.1}
"""The share of the kills for each victim; most for workers, which are soon started again."""
MOST = 2
"""How often a trial's worker may be killed: a trial fails after ``retries`` + 1 deaths."""


def run(trials: int = 300, kills: int = 60, seed: int = 0) -> list[dict[str, object]]:
    """Return how many trials were lost, repeated or wrongly failed, and how many drivers stuck."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = _Experiment(Laboratory(Path(folder)), trials, kills, seed)
        try:
            return [experiment.result()]
        finally:
            end(experiment.server)


class _Experiment:
    """One grid of trials, whose processes are killed until all trials are done."""

    def __init__(self, laboratory: Laboratory, trials: int, kills: int, seed: int):
        """Declare the trials, draw the order of the kills, and start the server."""
        self.laboratory, self.trials, self.draw = laboratory, trials, random.Random(seed)
        self.left = [victim for victim, share in SHARES.items() for _ in range(int(share * kills))]
        self.left += ["worker"] * (kills - len(self.left))
        self.draw.shuffle(self.left)
        self.done: Counter[str] = Counter()
        self.stuck, self.starts = 0, 0
        self.failed: set[str] = set()
        self.kept: dict[str, int] = {}
        """How often each trial had been started by the time it was seen to be finished."""
        self.repeated: set[str] = set()
        self.hit: Counter[str] = Counter()
        """How often each trial's worker was killed."""
        laboratory.declare(["alpha", "beta"], trials // 2, seconds=SECONDS, backend="ray")
        self.address = refusing()
        self.server = start_mlflow(laboratory.folder, self.address)
        laboratory.environment["MLFLOW_TRACKING_URI"] = self.address

    def result(self) -> dict[str, object]:
        """Run and kill until all trials are finished; return the counts."""
        start = time.monotonic()
        await_answer(self.server, self.address)
        while True:
            driver = self._start()
            self._kill_while(driver)
            if driver.returncode == 0 or self.starts > self.trials:
                break
        await_answer(self.server, self.address)
        self.laboratory.run("track")
        runs = self.laboratory.runs("server.db")
        return {
            "trials": self.trials,
            "drivers": self.starts,
            **{f"kills_of_{victim}": self.done[victim] for victim in SHARES},
            "seconds": time.monotonic() - start,
            "lost": self.trials - min(len(self.laboratory.finished()), runs["FINISHED"]),
            "repeated": len(self.repeated) + max(0, runs["FINISHED"] - self.trials),
            "wrongly_failed": len(self.failed) + runs["FAILED"],
            "stuck": self.stuck,
        }

    def _start(self) -> subprocess.Popen[str]:
        self.starts += 1
        return self.laboratory.start("run", "toy", quietly=True)

    def _kill_while(self, driver: subprocess.Popen[str]) -> None:
        """Kill one victim after another, with some trials between, until the driver has ended."""
        pause = self.draw.uniform(0, SECONDS)
        while self._watch(driver, pause) is None:
            victim = self.left[-1] if self.left else ""
            if victim and self._kill(victim, driver):
                self.left.pop()
                self.done[victim] += 1
            # Without its raylet a driver has to end by itself.
            ending = victim == "raylet" or not self.left
            pause = math.inf if ending else self.draw.uniform(0, SECONDS)

    def _watch(self, driver: subprocess.Popen[str], seconds: float) -> int | None:
        """Wait until ``seconds`` after the next trial has finished; return None.

        If the driver ends before, return its exit code. A stuck driver is counted and killed.
        """
        late, seen, moved = None, self._look(), time.monotonic()
        while (code := driver.poll()) is None:
            finished = self._look()
            now = time.monotonic()
            if finished != seen:
                seen, moved = finished, now
                late = late or now + seconds
            if late and now > late:
                return None
            if now - moved > PATIENCE:
                self.stuck += 1
                kill(driver.pid)
            time.sleep(0.05)
        self._look()
        return code

    def _look(self) -> int:
        """Record failed and repeated trials; return how many trials are finished."""
        starts = self.laboratory.starts()
        with contextlib.suppress(FileNotFoundError):
            for record in self.laboratory.records():
                name = f"{record['trial']['cell']}-{record['trial']['seed']}"
                if record["status"] == "failed":
                    self.failed.add(name)
                else:
                    self.kept.setdefault(name, starts[name])
        self.repeated |= {name for name, count in self.kept.items() if starts[name] > count}
        return len(self.kept)

    def _kill(self, victim: str, driver: subprocess.Popen[str]) -> bool:
        """Kill a victim; return whether there was one."""
        with contextlib.suppress(StopIteration, ProcessLookupError):
            if victim == "driver":
                os.kill(driver.pid, signal.SIGKILL)
                driver.wait()
            elif victim == "raylet":
                kill(part_of_ray(driver.pid, "raylet"))
            elif victim == "worker":
                kill(self._worker())
            else:
                end(self.server)
                self.server = start_mlflow(self.laboratory.folder, self.address)
            return True
        return False

    def _worker(self) -> int:
        """Return the worker process of one of the two trials started last.

        StopIteration if the workers of both were killed ``MOST`` times.
        """
        marks = sorted(self.laboratory.marks.iterdir(), key=lambda mark: -mark.stat().st_mtime_ns)
        names = (mark.name.rsplit("-", 1) for mark in marks[:2])
        name, process = next(each for each in names if self.hit[each[0]] < MOST)
        self.hit[name] += 1
        return int(process)
