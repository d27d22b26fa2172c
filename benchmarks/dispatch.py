"""Ray on two workers against this process: many trials of about a second of one core's work.

A trial is what a small study's is: its worker imports torch and Lightning once, and it uses one
thread. Cold includes the start of Python, all imports, and the start and end of the cluster.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

import lightning_modules.training.fit  # noqa: F401 - what a worker of a real study imports
from pipeline.params import Dispatch
from pipeline.running.dispatch import dispatch
from pipeline.running.worker import Task
from pipeline.study import Check, Row, Section, Study, Trial

TRIALS, WORKERS, SECONDS = 40, 2, 1.0
TARGETS = {"cold": 0.75, "warm": 0.6}


class Params(Section):
    """``products`` is the work of a trial."""

    trials: int
    products: int


def trials(p: Params) -> Iterator[Trial]:
    """The same work under other seeds."""
    for seed in range(p.trials):
        yield {"seed": seed, "products": p.products}


def measure(seed: int, products: int) -> Row:
    """Multiply matrices."""
    torch.manual_seed(seed)
    a = torch.randn(128, 128) / 128**0.5
    b = torch.eye(128)
    for _ in range(products):
        b = (a @ b).tanh_()
    return {"seed_again": seed, "norm": float(b.norm())}


STUDY = Study(__doc__, Params, trials, measure, lambda rows: iter([Check("ran", len(rows) > 0)]))


def run() -> list[dict[str, object]]:
    """Return wall seconds of both backends, cold and warm, and their ratios beside the targets."""
    products = _products()
    inline, ray = (_child(backend, products) for backend in ("inline", "ray"))
    return [
        {
            "state": state,
            "trials": TRIALS,
            "workers": WORKERS,
            "inline_seconds": round(inline[state], 2),
            "ray_seconds": round(ray[state], 2),
            "ratio": round(ray[state] / inline[state], 3),
            "target": f"<= {target}",
            "met": ray[state] <= target * inline[state],
        }
        for state, target in TARGETS.items()
    ]


def _products() -> int:
    """Return how many products take a second of one thread here."""
    torch.set_num_threads(1)
    measure(0, 1000)
    start = time.perf_counter()
    measure(0, 1000)
    return round(1000 * SECONDS / (time.perf_counter() - start))


def _child(backend: str, products: int) -> dict[str, float]:
    """Run the trials cold in a process of their own, then warm in another."""
    times = {}
    for state in TARGETS:
        start = time.perf_counter()
        command = [sys.executable, "-m", __spec__.name, backend, state, str(products)]
        root = Path(__file__).parents[1]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        whole = time.perf_counter() - start
        times[state] = whole if state == "cold" else float(json.loads(done.stdout))
    return times


def _trials(backend: str, count: int, products: int) -> float:
    """Dispatch trials and return the wall seconds."""
    settings = Dispatch.model_validate(
        {"backend": backend, "workers": WORKERS, "cpus": 1, "gpus": 0.0, "retries": 0}
    )
    section = Params(trials=count, products=products)
    tasks = [Task(t, str(t["seed"]), (), frozenset(), None) for t in trials(section)]
    start = time.perf_counter()
    ended = list(dispatch("benchmarks.dispatch", tasks, {}, settings))
    if len(ended) != count or any(outcome.error for outcome in ended):
        raise RuntimeError(f"{backend}: {[o.error for o in ended if o.error]}")
    return time.perf_counter() - start


def _main(backend: str, state: str, products: int) -> None:
    """Be the process that is timed; warm, say how long its second round took."""
    if state == "warm":
        if backend == "ray":
            import ray

            ray.init("local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
        _trials(backend, 2 * WORKERS, products)
    sys.stdout.write(json.dumps(_trials(backend, TRIALS, products)))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
