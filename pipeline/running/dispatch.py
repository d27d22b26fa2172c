"""Trials -> outcomes, in parallel, in the order in which they end.

Two backends with one interface: Ray tasks, which reuse their worker processes, and this process.
A trial that raises is an outcome like any other; a worker that is lost is replaced and its trial
run again, a few times. Workers measure and return rows, nothing else.
"""

import contextlib
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.running.worker import Outcome, Task, in_one_line, load, measure

if TYPE_CHECKING:
    from pipeline.params import Dispatch

Loaders = Mapping[str, Callable[[], Any]]
STAYS = [".git", ".venv", "data", "rows", "reports", "mlartifacts", "mlflow.db*", ".scratch"]
"""What is not sent to a remote cluster: the code goes as files, the data through the store."""
_HELD: dict[str, Any] = {}
"""The data sets that this worker has taken from the object store."""


def dispatch(
    module: str, tasks: Sequence[Task], data: Loaders, settings: "Dispatch"
) -> Generator[Outcome, None, None]:
    """Measure tasks of the study that ``module`` names STUDY; close the iterator to stop early.

    ``data`` holds a function for each data set, which is called once.
    """
    backend = {"ray": _ray, "inline": _inline}[settings.backend]
    return backend(module, tasks, data, settings)


def slots(settings: "Dispatch") -> int:
    """Return how many trials run at once on this machine."""
    if settings.backend == "inline":
        return 1
    if settings.workers == "auto":
        return max(1, len(os.sched_getaffinity(0)) // settings.cpus)
    return settings.workers


def _inline(
    module: str, tasks: Sequence[Task], data: Loaders, settings: "Dispatch"
) -> Generator[Outcome, None, None]:
    loaded = {name: read() for name, read in data.items()}
    for task in tasks:
        yield measure(module, task, loaded, settings.cpus)


def _ray(
    module: str, tasks: Sequence[Task], data: Loaders, settings: "Dispatch"
) -> Generator[Outcome, None, None]:
    with _cluster(settings) as ray:
        count = _room(ray.cluster_resources(), settings)
        # Workers import the study while this process reads the data.
        imports = ray.remote(num_cpus=settings.cpus, max_retries=0)(load)
        warming = [imports.remote(module) for _ in range(min(count, len(tasks)))]
        held = {name: [ray.put(read())] for name, read in data.items()}
        work = ray.remote(num_cpus=settings.cpus, num_gpus=settings.gpus, max_retries=0)(_work)

        def start(task: Task) -> Any:
            needed = {name: held[name] for name in task.data}
            if _address():  # this machine's folders are not the workers'
                task = task._replace(scratch=None)
            return work.remote(module, task, needed, settings.cpus)

        yield from _each(ray, start, tasks, 2 * count, settings.retries)
        del warming


def _each(
    ray: Any, start: Callable[[Task], Any], tasks: Sequence[Task], ahead: int, retries: int
) -> Iterator[Outcome]:
    """Keep ``ahead`` tasks with Ray; a task whose worker was lost is started again."""
    waiting, running = deque((task, 0) for task in tasks), {}
    while waiting or running:
        while waiting and len(running) < ahead:
            task, losses = waiting.popleft()
            running[start(task)] = task, losses
        (done,), _ = ray.wait(list(running))
        task, losses = running.pop(done)
        try:
            yield ray.get(done)._replace(losses=losses)
        except ray.exceptions.RayTaskError as error:
            yield Outcome(task, [], in_one_line(error.cause or error), time.time(), 0.0)
        except ray.exceptions.RayError as error:
            if losses < retries:
                waiting.appendleft((task, losses + 1))
            else:
                losses += 1
                what = f"its worker was lost {losses} times ({type(error).__name__})"
                yield Outcome(task, [], what, time.time(), 0.0, losses)


def _work(module: str, task: Task, references: Mapping[str, list[Any]], threads: int) -> Outcome:
    """Measure a task in a worker, which keeps the data sets that it has unpacked."""
    import ray

    for (reference,) in references.values():
        if reference.hex() not in _HELD:
            _HELD[reference.hex()] = ray.get(reference)
    data = {name: _HELD[reference.hex()] for name, (reference,) in references.items()}
    return measure(module, task, data, threads)


@contextlib.contextmanager
def _cluster(settings: "Dispatch") -> Iterator[Any]:
    """Start Ray here, or join the cluster that RAY_ADDRESS names; leave one that is running."""
    address = _address()
    if not address:
        # A token of this run's own: Ray listens on all interfaces, and would keep one in $HOME.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        # Workers find the project from wherever this process was started.
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    import ray

    if ray.is_initialized():
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
    here = {"address": "local", "num_cpus": slots(settings) * settings.cpus}
    there = {"address": address, "runtime_env": {"working_dir": os.getcwd(), "excludes": STAYS}}
    _knock(address)
    ray.init(**quiet, **(there if address else here))
    try:
        yield ray
    finally:
        ray.shutdown()


def _address() -> str:
    return os.environ.get("RAY_ADDRESS", "")


def _knock(address: str) -> None:
    """Find out in seconds that a cluster does not answer: Ray would wait for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            line = (
                f"RAY_ADDRESS={address} does not answer ({error}): start it, or unset RAY_ADDRESS"
            )
            raise UserError(line) from None


def _room(resources: Mapping[str, float], settings: "Dispatch") -> int:
    """Return how many trials the cluster holds at once; UserError if not even one."""
    room = resources.get("CPU", 0) // settings.cpus
    if settings.gpus:
        room = min(room, resources.get("GPU", 0) // settings.gpus)
    if room < 1:
        asked = f"dispatch.cpus is {settings.cpus}, dispatch.gpus {settings.gpus:g}"
        there = f"{resources.get('CPU', 0):g} CPUs and {resources.get('GPU', 0):g} GPUs"
        raise UserError(f"{asked}: the cluster has {there}; lower them in params.yaml")
    return int(room)
