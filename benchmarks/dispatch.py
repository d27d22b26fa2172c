"""The cost of the queue itself: empty trials, Ray's gain with two workers, a worker's first trial.

Each case runs in a process and a folder of its own. The time to start the cluster is left out,
except in ``cold`` and in the trials on a GPU. Ray is only told that there is a GPU; none is needed.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from pipeline.params import Settings
from pipeline.running import cluster, queue
from pipeline.running.jobs import Job
from pipeline.study import Entries, Given, Part, Row, Trial, key, single

ROOT = Path(__file__).parents[1]
WORKERS = 2
FEW, MANY = 1000, 5000
"""How many empty trials are compared."""
FLOORS = {"inline": 50.0, "ray": 20.0}
"""By backend: the least empty trials a second."""
GROWTH, MEGABYTES, RECORDED, GPU, WARM = 1.3, 200.0, 150.0, 12.0, 5.0
"""Upper limits: the time of a trial among many over that among few; megabytes that the driver
gains; seconds for many trials logged to MLflow, for 12 on a GPU, and until a worker is warm."""
GAINS = {"cold": 0.75, "warm": 0.6}
"""Upper limits of the time with two workers over the time in one process."""


class Empty(Trial):
    """Does nothing."""

    def measure(self, given: Given) -> Row:
        """Return the seed."""
        return {"value": self.seed}


class Products(Trial):
    """Multiplies matrices, after importing what a trial that trains imports."""

    products: int

    def measure(self, given: Given) -> Row:
        """Return the norm of the last product."""
        import torch

        import lightning_modules.training.fit  # noqa: F401 - what a real study's trial imports

        torch.manual_seed(self.seed)
        a, b = torch.randn(128, 128) / 128**0.5, torch.eye(128)
        for _ in range(self.products):
            b = (a @ b).tanh_()
        return {"norm": float(b.norm())}


def run(trials: int = 40, many: int = MANY) -> list[dict[str, object]]:
    """Return a row for each case: what was measured, beside its limit.

    Args:
        trials: how many trials of about a second the backends are compared on.
        many: how many empty trials are run.
    """
    return [
        *(_empty(backend, many) for backend in FLOORS),
        _limit("recorded in MLflow", many, _child("followed", many), RECORDED),
        _limit("with a GPU", 12, _child("gpu", 12), GPU),
        _limit("until a worker is warm", 1, _child("worker"), WARM),
        *_gains(trials),
    ]


def _empty(backend: str, many: int) -> dict[str, object]:
    """Run few and many empty trials in one process."""
    few_seconds, many_seconds, megabytes = _child("empty", backend, many)
    rate, growth = many / many_seconds, (many_seconds / many) / (few_seconds / FEW)
    return {
        "case": f"empty, {backend}",
        "trials": many,
        "seconds": round(many_seconds, 1),
        "trials_a_second": f"{rate:.0f} (>= {FLOORS[backend]:.0f})",
        "time_of_one_in_that_of_one_of_few": f"{growth:.2f} (<= {GROWTH})",
        "memory_gained_in_megabytes": f"{megabytes:.0f} (<= {MEGABYTES:.0f})",
        "met": rate >= FLOORS[backend] and growth <= GROWTH and megabytes <= MEGABYTES,
    }


def _limit(case: str, trials: int, measured: list[float], limit: float) -> dict[str, object]:
    (seconds,) = measured
    told = f"{seconds:.1f} (<= {limit:.0f})"
    return {"case": case, "trials": trials, "seconds": told, "met": seconds <= limit}


def _gains(trials: int) -> Iterator[dict[str, object]]:
    """Iterate over comparisons of both backends on trials of about a second."""
    (products,) = _child("calibrate")
    for state, target in GAINS.items():
        inline, ray = (
            _child("grid", backend, state, trials, round(products))[0] for backend in FLOORS
        )
        yield {
            "case": f"of a second, {state}",
            "trials": trials,
            "seconds": f"{ray:.1f} on {WORKERS} workers, {inline:.1f} in one process",
            "ratio": f"{ray / inline:.2f} (<= {target})",
            "met": ray <= target * inline,
        }


def _child(case: str, *arguments: object) -> list[float]:
    """Run a case in a process and a folder of its own and return what it measured.

    For a cold case that is the time of the whole process.
    """
    command = [sys.executable, "-m", "benchmarks.dispatch", case, *map(str, arguments)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    kept_out = ("MLFLOW_TRACKING_URI", "RAY_ADDRESS")
    environment = {k: v for k, v in os.environ.items() if k not in kept_out}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | {"PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        whole = time.perf_counter() - start
    return [whole] if "cold" in arguments else json.loads(done.stdout)


def _job(name: str, kind: type[Trial], count: int, **values: int) -> Job:
    trials: list[Entries] = [{**values, "seed": seed} for seed in range(count)]
    study = single(Part(__doc__, kind, lambda rows: iter(())))
    return Job(name, study, "quick", {key(each): each for each in trials}, {})


def _measured(backend: str, job: Job, gpus: float = 0.0) -> float:
    """Run a study and return the seconds; RuntimeError if a trial failed."""
    given = {"backend": backend, "workers": WORKERS, "cpus": 1, "gpus": gpus, "retries": 0}
    data = {"sets": [], "offline": {}}
    settings = Settings.model_validate(
        {"scale": "quick", "studies": ["pooling"], "data": data, "dispatch": given}
    )
    start = time.perf_counter()
    ending = queue.run([job], settings, Console(stderr=True))
    seconds = time.perf_counter() - start
    if ending.standings[job.name].finished != len(job.trials):
        raise RuntimeError("\n".join(ending.lines()))
    return seconds


@contextlib.contextmanager
def _ray(gpus: int = 0) -> Iterator[None]:
    cluster.prepare_here()
    import ray

    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    ray.init("local", num_cpus=WORKERS, num_gpus=gpus, **quiet)
    yield
    ray.shutdown()


def _of_empty(backend: str, many: str) -> list[float]:
    """Return the seconds for few and for many trials, and the megabytes gained during many."""
    with _ray() if backend == "ray" else contextlib.nullcontext():
        _measured(backend, _job("first", Empty, 4 * WORKERS))
        few, before = _measured(backend, _job("few", Empty, FEW)), _resident()
        seconds, gained = _measured(backend, _job("many", Empty, int(many))), _resident() - before
        few += _measured(backend, _job("again", Empty, FEW))  # averages out other load
        return [few / 2, seconds, gained]


def _of_followed(many: str) -> list[float]:
    """Return the seconds for many trials logged to MLflow, on a cluster that has started."""
    from pipeline.running.following import following

    job = _job("many", Empty, int(many))
    with _ray():
        start = time.perf_counter()
        with following([job], Console(stderr=True)):
            _measured("ray", job)
        return [time.perf_counter() - start]


def _of_gpu(count: str) -> list[float]:
    """Return the seconds for trials with a GPU each, including the start of the cluster."""
    start = time.perf_counter()
    with _ray(gpus=1):
        _measured("ray", _job("gpu", Products, int(count), products=1), gpus=1.0)
        return [time.perf_counter() - start]


def _of_worker() -> list[float]:
    """Return the seconds until a worker's first trial, one that trains, has ended."""
    job = _job("one", Products, 1, products=1)
    for trial in job.trials.values():
        job.hash_of(trial)  # reads the source files, which no worker does
    with _ray():
        return [_measured("ray", job)]


def _of_calibrate() -> list[float]:
    """Return how many matrix products one thread does in a second on this machine."""
    import torch

    torch.set_num_threads(1)
    times = []
    for _ in range(2):
        start = time.perf_counter()
        Products(seed=0, products=1000).measure(Given({}, Path()))
        times.append(time.perf_counter() - start)
    return [1000 / times[-1]]


def _of_grid(backend: str, state: str, count: str, products: str) -> list[float]:
    """Return the seconds for trials; if warm, in processes that have imported everything before."""
    cold = state == "cold"
    with contextlib.nullcontext() if cold or backend == "inline" else _ray():
        if not cold:
            _measured(backend, _job("first", Products, 2 * WORKERS, products=1))
        return [_measured(backend, _job("grid", Products, int(count), products=int(products)))]


def _resident() -> float:
    """Return this process's memory in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


CASES: dict[str, Callable[..., list[float]]] = {
    "empty": _of_empty,
    "followed": _of_followed,
    "gpu": _of_gpu,
    "worker": _of_worker,
    "calibrate": _of_calibrate,
    "grid": _of_grid,
}

if __name__ == "__main__":
    # Imported by its name, not as __main__, so that workers find the classes of its trials.
    from benchmarks import dispatch

    sys.stdout.write(json.dumps(dispatch.CASES[sys.argv[1]](*sys.argv[2:])))
