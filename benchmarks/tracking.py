"""Logging to MLflow with an sqlite store: how many finished trials a second, with whole records.

A trial is like most trials of the studies: ten parameters and a curve of two values at twenty
steps.
"""

import tempfile
import time
from pathlib import Path

from pipeline.running.fingerprint import versions
from pipeline.running.journal import Record, fact
from pipeline.running.tracking import Tracker

TARGET = 40
"""Runs a second on an idle core."""


def run(runs: int = 400, steps: int = 20) -> list[dict[str, object]]:
    """Return how many runs are logged a second, without the store's set-up, beside the target."""
    modules = fact({f"pipeline.module_{place}": f"{place:016x}" for place in range(60)})
    records = [_record(seed, steps, next(iter(modules))) for seed in range(runs)]
    with tempfile.TemporaryDirectory() as folder:
        tracker = Tracker(f"sqlite:///{Path(folder) / 'mlflow.db'}")
        tracker.sync("warm", "quick", records[:10], modules)
        start, used = time.perf_counter(), time.process_time()
        tracker.sync("measured", "quick", records, modules)
        seconds, used = time.perf_counter() - start, time.process_time() - used
    return [
        {
            "runs": runs,
            "metrics_a_run": 2 * steps + 1,
            "seconds": round(seconds, 2),
            "runs_a_second": round(runs / seconds, 1),
            "runs_a_second_of_one_core": round(runs / used, 1),
            "target": f">= {TARGET}",
            "met": runs / seconds >= TARGET,
        }
    ]


def _record(seed: int, steps: int, code: str) -> Record:
    """Return the record of a finished trial."""
    return Record(
        hash=f"{seed:016x}",
        code=code,
        trial={**{f"parameter_{place}": place for place in range(9)}, "seed": seed},
        rows=[{"step": s, "loss": 1 / (s + 1), "accuracy": s / steps} for s in range(steps)],
        status="finished",
        error="",
        started=1.7e9 + seed,
        seconds=1.0,
        versions=versions(),
        data={},
    )
