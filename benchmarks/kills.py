"""Whatever is killed, no trial is lost, repeated, wrongly failed or stuck.

A copy of the project runs 200 trials of half a second on two workers, while its driver, its
workers and Ray's raylet are killed in turn, and what is dead is started again, as a user would.

    lost            trials that are not finished in the end
    repeated        finished trials that were started again
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
from pathlib import Path

from tests.laboratory import Laboratory, kill, part_of_ray

SECONDS, PATIENCE = 0.5, 120.0
"""What a trial takes, and how long nothing may happen."""
VICTIMS = ("driver", "worker", "worker", "raylet")
"""In turn."""


def run(trials: int = 200, kills: int = 25) -> list[dict[str, object]]:
    """Return how many trials were lost, repeated, failed or stuck: none of each."""
    with tempfile.TemporaryDirectory() as folder:
        return [_Experiment(Laboratory(Path(folder)), trials, kills).result()]


class _Experiment:
    """One grid, killed until it is done."""

    def __init__(self, laboratory: Laboratory, trials: int, kills: int):
        """Declare the trials."""
        self.laboratory, self.trials, self.kills = laboratory, trials, kills
        self.done = dict.fromkeys(VICTIMS, 0)
        self.stuck, self.starts = 0, 0
        self.failed: set[str] = set()
        self.kept: dict[str, int] = {}
        """How often each trial had been started when it was seen to be finished."""
        self.repeated: set[str] = set()
        laboratory.declare(["alpha", "beta"], trials // 2, seconds=SECONDS, backend="ray")

    def result(self) -> dict[str, object]:
        """Run and kill until all is finished, and count."""
        draw, start = random.Random(0), time.monotonic()
        pause = 0.5 * self.trials * SECONDS / 2 / self.kills
        while True:
            driver, wait = self._start(), pause
            while (code := self._watch(driver, wait * draw.uniform(0.5, 1.5))) is None:
                if sum(self.done.values()) < self.kills:
                    # Without its raylet a driver has to end by itself.
                    wait = math.inf if self._kill(driver) == "raylet" else pause
            if code == 0 or self.starts > 4 * self.kills:
                break
        return {
            "trials": self.trials,
            "drivers": self.starts,
            **{f"kills_of_{victim}": count for victim, count in self.done.items()},
            "seconds": time.monotonic() - start,
            "lost": self.trials - len(self.laboratory.finished()),
            "repeated": len(self.repeated),
            "wrongly_failed": len(self.failed),
            "stuck": self.stuck,
        }

    def _start(self) -> subprocess.Popen[str]:
        self.starts += 1
        return self.laboratory.start("run", "toy", quietly=True)

    def _watch(self, driver: subprocess.Popen[str], seconds: float) -> int | None:
        """Look on until trials have ended for that long; return the exit code of a dead driver."""
        end, seen, moved = None, self._look(), time.monotonic()
        while (code := driver.poll()) is None:
            finished = self._look()
            now = time.monotonic()
            if finished != seen:
                seen, moved = finished, now
                end = end or now + seconds
            if end and now > end:
                return None
            if now - moved > PATIENCE:
                self.stuck += 1
                kill(driver.pid)
            time.sleep(0.05)
        self._look()
        return code

    def _look(self) -> int:
        """Note what the journal holds and what was started again; return how many are finished."""
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

    def _kill(self, driver: subprocess.Popen[str]) -> str:
        """Kill the next victim and return what it was; empty if it was not there."""
        victim = VICTIMS[sum(self.done.values()) % len(VICTIMS)]
        with contextlib.suppress(StopIteration, ProcessLookupError):
            if victim == "driver":
                os.kill(driver.pid, signal.SIGKILL)
            elif victim == "raylet":
                kill(part_of_ray(driver.pid, "raylet"))
            else:
                kill(self._worker())
            self.done[victim] += 1
            return victim
        return ""

    def _worker(self) -> int:
        """Return the process of the trial that was started last."""
        last = max(self.laboratory.marks.iterdir(), key=lambda mark: mark.stat().st_mtime_ns)
        return int(last.name.rsplit("-", 1)[1])
