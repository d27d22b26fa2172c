"""Ray: assignments -> outcomes, in parallel, on this machine or on the cluster at RAY_ADDRESS.

Trials are Ray tasks, which reuse worker processes and the modules that these have imported. Ray is
given no more tasks than there is room for: among waiting tasks of several shapes (CPUs and GPUs) it
divides the processors into equal parts, and a part that its shape cannot use stays idle. Trials
that must be alone come first, one after the other on each node, in an actor that holds all of the
node's processors; then those that take a GPU or several processors: at the start there is room for
them without waiting for a node to empty.

Above 300 lines because all that knows Ray is in this file: what starts it, what runs where, and how
its death is told from a trial's.
"""

import contextlib
import os
import re
import secrets
import signal
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import UserError
from pipeline.params import Dispatch
from pipeline.running.machine import processors
from pipeline.running.worker import PROJECT, Assignment, Outcome, in_one_line, measure, prepare

LARGEST = 10 * 2**20
"""The most bytes of a file that is sent as code; data sets go through Ray's object store."""
PULSE, CENSUS = 1.0, 10.0
"""Seconds between checks that Ray lives, and between looks at which nodes a cluster has."""
MISSES = 12
"""How often a trial may be given to a dead node: Ray takes a while to notice its death."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
SETTINGS = b"\x04"
"""The first bytes of an HTTP/2 connection, which gRPC uses, and the frame type of the answer."""
Read = Callable[[str], Any]
"""Loads a data set by its name."""
Shape = tuple[int, float]
"""The CPUs and GPUs that a trial takes."""
_HELD: dict[str, Any] = {}
"""The data sets that this worker process has read from the object store."""


class GoneError(Exception):
    """Ray has died: the trials that are left cannot be measured, and none of them caused it."""


class Refused(NamedTuple):
    """Why an assignment cannot be measured here."""

    reason: str


Event = tuple[Assignment, Outcome | Refused]


class _Node(NamedTuple):
    """A machine of the cluster."""

    id: str
    cpus: float
    gpus: float

    def room(self, shape: Shape) -> int:
        """Return how many trials of a shape it holds at once."""
        cpus, gpus = shape
        share = min(self.cpus / cpus, self.gpus / gpus) if gpus else self.cpus / cpus
        return int(share + 1e-6)

    def without(self, shape: Shape) -> "_Node":
        """Return what is left of it beside a trial of a shape."""
        return _Node(self.id, self.cpus - shape[0], self.gpus - shape[1])


class _Keeper(NamedTuple):
    """An actor that holds a whole node."""

    node: _Node
    handle: Any
    ready: Any
    """A reference that is ready once the actor holds the node."""
    gpus: bool


class _Try(NamedTuple):
    """An assignment that is to be measured, and how often its worker was lost."""

    assignment: Assignment
    losses: int = 0
    misses: int = 0
    """How often it was given to a node that turned out to be dead."""
    node: str = ""
    """The node on which it is counted as running."""
    keeper: _Keeper | None = None

    @property
    def shape(self) -> Shape:
        return self.assignment.cpus, self.assignment.gpus


class Cluster:
    """Measures assignments in Ray; of one shape, in their order."""

    def __init__(self, assignments: Sequence[Assignment], read: Read, settings: Dispatch):
        """Start nothing yet; ``read`` is called once for each data set that is needed."""
        self._settings, self._read = settings, read
        modules = {module for a in assignments for module in (a.kind, *a.reach)}
        self._packages = {module.partition(".")[0] for module in modules}
        self._alone = deque(_Try(a) for a in assignments if a.alone)
        self._shared: dict[Shape, deque[_Try]] = {}
        for each in (_Try(a) for a in assignments if not a.alone):
            self._shared.setdefault(each.shape, deque()).append(each)
        self._running: dict[Any, _Try] = {}
        self._nodes: list[_Node] = []
        self._keepers: dict[str, _Keeper] = {}
        self._data: dict[str, Any] = {}
        self._pulse = self._census = 0.0
        self._cold = any(a.data for a in assignments if not a.alone)
        self._warming: list[Any] = []
        self._tasks: dict[tuple[Callable[..., Any], Shape], Any] = {}
        self._ray: Any = None

    @property
    def slots(self) -> int:
        """How many trials run at once if each takes the CPUs and GPUs that params.yaml gives."""
        shape = self._settings.cpus, self._settings.gpus
        return max(1, sum(node.room(shape) for node in self._nodes))

    def running(self) -> list[Assignment]:
        """Return what is being measured."""
        return [each.assignment for each in list(self._running.values())]

    def events(self) -> Generator[Event, None, None]:
        """Measure all, and yield each as it ends; close the iterator to stop early.

        Raises:
            GoneError: Ray has died.
            UserError: the cluster does not answer.
        """
        # Tasks that still run when this is closed end with the connection. They are not cancelled:
        # Ray 2.60 kills the driver if a task that is being cancelled ends at that moment.
        with _connected(self._settings, self._packages) as self._ray:
            while self._running or self._alone or any(self._shared.values()):
                yield from self._look()
                yield from self._submit()
                if self._running:
                    done, _ = self._ray.wait(list(self._running), timeout=PULSE)
                    for reference in done:
                        yield from self._ended(reference)

    def _look(self) -> Iterator[Event]:
        """At intervals, check that Ray lives and list the nodes; refuse trials that fit on none."""
        now = time.monotonic()
        if now - self._pulse >= PULSE:
            self._pulse = now
            self._alive()
        if not self._nodes or (_address() and now - self._census >= CENSUS):
            self._census, self._nodes = now, _nodes(self._ray)
            living = {node.id for node in self._nodes}
            if self._ray.get_runtime_context().get_node_id() not in living:
                raise GoneError("this machine is no node of Ray's cluster any more")
            for keeper in [k for k in self._keepers.values() if k.node.id not in living]:
                self._let_go(keeper)
            yield from self._refuse()

    def _refuse(self) -> Iterator[Event]:
        """Refuse the trials that no node could hold even if it were empty."""
        shapes = {*self._shared, *(each.shape for each in (*self._alone, *self._running.values()))}
        lost = {shape for shape in shapes if not any(node.room(shape) for node in self._nodes)}
        if not lost:
            return
        refused = []
        for waiting in (self._alone, *self._shared.values()):
            refused += [each for each in waiting if each.shape in lost]
            left = [each for each in waiting if each.shape not in lost]
            waiting.clear()
            waiting.extend(left)
        refused += [each for each in self._running.values() if each.shape in lost]
        self._running = {r: each for r, each in self._running.items() if each.shape not in lost}
        for each in refused:
            yield each.assignment, Refused(_too_much(each.shape, self._nodes))

    def _submit(self) -> Iterator[Event]:
        """Give Ray the trials that there is room for."""
        with self._dying():
            for each in self._kept():
                if refused := self._start(each):
                    yield each.assignment, refused
            free = self._free()
            self._warm(free.values())
            while each := self._next(free):
                if refused := self._start(each):
                    yield each.assignment, refused
                else:
                    free[each.node] = free[each.node].without(each.shape)

    def _free(self) -> dict[str, _Node]:
        """Return what is free of the nodes that no actor holds."""
        free = {node.id: node for node in self._nodes if node.id not in self._keepers}
        for each in self._running.values():
            if each.node in free:
                free[each.node] = free[each.node].without(each.shape)
        return free

    def _next(self, free: Mapping[str, _Node]) -> _Try | None:
        """Take the next trial that fits on a node: those with GPUs first, then with most CPUs."""
        heads = [waiting[0] for waiting in self._shared.values() if waiting]
        heads.sort(key=lambda e: (not e.assignment.gpus, -e.assignment.cpus, e.assignment.place))
        for each in heads:
            for node in free.values():
                if node.room(each.shape):
                    return self._shared[each.shape].popleft()._replace(node=node.id)
        return None

    def _kept(self) -> Iterator[_Try]:
        """Take nodes for trials that must be alone, and let go of those no longer needed."""
        busy = {each.keeper.node.id for each in self._running.values() if each.keeper}
        for keeper in [k for k in self._keepers.values() if k.node.id not in busy]:
            if each := self._next_alone(keeper.node, keeper.gpus):
                yield each._replace(node=keeper.node.id, keeper=keeper)
            else:
                self._let_go(keeper)
        taken = []
        for node in self._nodes:
            if node.id not in self._keepers and (each := self._next_alone(node)):
                keeper = self._keepers[node.id] = self._keep(node, each)
                taken.append(keeper.ready)
                yield each._replace(node=node.id, keeper=keeper)
        if taken and len(self._keepers) < len(self._nodes):
            # Wait until these actors hold their nodes, before other trials fill them.
            self._ray.wait(taken, num_returns=len(taken), timeout=CENSUS)

    def _next_alone(self, node: _Node, gpus: bool | None = None) -> _Try | None:
        """Take the next trial that must be alone and that the node, or its keeper, can hold."""
        for each in self._alone:
            if node.room(each.shape) and gpus in (None, bool(each.assignment.gpus)):
                self._alone.remove(each)
                return each
        return None

    def _keep(self, node: _Node, each: _Try) -> _Keeper:
        """Start an actor that holds a node's processors, and its GPUs if the trial uses any."""
        pinned = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        actor = self._ray.remote(_Reserve).options(
            num_cpus=node.cpus,
            num_gpus=node.gpus if each.assignment.gpus else 0,
            scheduling_strategy=pinned(node.id, soft=False),
        )
        handle = actor.remote()
        return _Keeper(node, handle, handle.ready.remote(), bool(each.assignment.gpus))

    def _let_go(self, keeper: _Keeper) -> None:
        del self._keepers[keeper.node.id]
        self._ray.kill(keeper.handle)

    def _warm(self, free: Iterable[_Node]) -> None:
        """Have the workers import modules, once, while this process reads the first data sets."""
        free = list(free)
        if not self._cold or not free:
            return
        self._cold = False
        waiting = [each for shared in self._shared.values() for each in shared]
        first = min(waiting, key=lambda each: each.assignment.place)
        for _ in range(min(len(waiting), sum(node.room(first.shape) for node in free))):
            self._warming.append(self._remote(_prepare, first.shape).remote(first.assignment))

    def _start(self, each: _Try) -> Refused | None:
        """Give Ray one trial; refuse it where a data set that it names can't be read."""
        assignment = each.assignment
        held = {name: self._held(name) for name in assignment.data}
        if broken := [h for h in held.values() if isinstance(h, Refused)]:
            return broken[0]
        if _address():  # this machine's folders are not the workers'
            assignment = assignment._replace(scratch=None)
        if each.keeper:
            reference = each.keeper.handle.work.remote(assignment, held)
        else:
            reference = self._remote(_work, each.shape).remote(assignment, held)
        self._running[reference] = each
        return None

    def _held(self, name: str) -> Any:
        """Return a data set's reference in the object store, in a list, or why it is refused.

        It is read and put there when it is first needed.
        """
        if name not in self._data:
            try:
                self._data[name] = [self._ray.put(self._read(name))]
            except UserError as error:
                self._data[name] = Refused(str(error))
            except (ImportError, LookupError, OSError, ValueError) as error:
                self._data[name] = Refused(f"data set {name}: {in_one_line(error)}")
        return self._data[name]

    def _remote(self, function: Callable[..., Any], shape: Shape) -> Any:
        """Return a function as a Ray task of a shape.

        Where a node has several GPUs, a worker runs one trial only: CUDA stays with the GPU that a
        process was first given, but Ray may give its next task another.
        """
        if (function, shape) not in self._tasks:
            cpus, gpus = shape
            once = gpus > 0 and any(node.gpus > 1 for node in self._nodes)
            self._tasks[function, shape] = self._ray.remote(
                num_cpus=cpus, num_gpus=gpus, max_retries=0, max_calls=1 if once else 0
            )(function)
        return self._tasks[function, shape]

    def _ended(self, reference: Any) -> Iterator[Event]:
        """Yield a trial's outcome; one whose worker was lost is queued again, up to a limit."""
        each, errors = self._running.pop(reference), self._ray.exceptions
        try:
            yield each.assignment, self._ray.get(reference)._replace(losses=each.losses)
        except errors.RayTaskError as error:
            what = in_one_line(error.cause or error)
            yield each.assignment, Outcome([], what, time.time(), 0.0, each.losses)
        except errors.LocalRayletDiedError:
            raise GoneError("Ray's raylet on this machine has died") from None
        except errors.RayError as error:
            self._alive(patiently=True)
            if each.keeper and self._keepers.get(each.keeper.node.id) is each.keeper:
                self._let_go(each.keeper)
            started = each.keeper is None or self._has_started(each.keeper)
            if each.keeper:
                # Its node may have died: it is given nothing until the nodes are listed again.
                self._nodes = [node for node in self._nodes if node.id != each.node]
                self._census = time.monotonic()
            losses, misses = each.losses + started, each.misses + (not started)
            if losses <= self._settings.retries and misses <= MISSES:
                waiting = self._alone if each.assignment.alone else self._shared[each.shape]
                waiting.appendleft(_Try(each.assignment, losses, misses))
            else:
                what = f"its worker was lost {losses + misses} times ({type(error).__name__})"
                yield each.assignment, Outcome([], what, time.time(), 0.0, losses)

    def _has_started(self, keeper: _Keeper) -> bool:
        """Return whether a keeper's actor ever started; on a dead node it never does."""
        try:
            self._ray.get(keeper.ready, timeout=0)
        except self._ray.exceptions.RayError:
            return False
        return True

    def _alive(self, patiently: bool = False) -> None:
        """Raise GoneError if Ray has died; ``patiently`` looks again after half a second."""
        for pause in (0.0, 0.5) if patiently else (0.0,):
            time.sleep(pause)
            if dead := _dead(self._ray):
                raise GoneError(dead)

    @contextlib.contextmanager
    def _dying(self) -> Iterator[None]:
        """Raise GoneError in place of an error that the death of Ray has caused."""
        try:
            yield
        except (self._ray.exceptions.RayError, OSError, RuntimeError):
            self._alive(patiently=True)
            raise


class _Reserve:
    """An actor that holds a node's processors and measures there the trials that must be alone."""

    def ready(self) -> None:
        """Return as soon as the actor runs."""

    def work(self, assignment: Assignment, references: Mapping[str, list[Any]]) -> Outcome:
        """Measure an assignment."""
        return _work(assignment, references)


def _work(assignment: Assignment, references: Mapping[str, list[Any]]) -> Outcome:
    """Measure an assignment in a worker, which keeps the data sets that it has unpacked."""
    import ray

    _hide_gpus(assignment)
    for (reference,) in references.values():
        if reference.hex() not in _HELD:
            _HELD[reference.hex()] = ray.get(reference)
    data = {name: _HELD[reference.hex()] for name, (reference,) in references.items()}
    return measure(assignment, data)


def _prepare(assignment: Assignment) -> None:
    """Import in a worker what an assignment of this kind needs."""
    _hide_gpus(assignment)
    with contextlib.suppress(Exception):  # the trial itself will report it
        prepare(assignment)


def _hide_gpus(assignment: Assignment) -> None:
    """Keep a trial that was given no GPU from using one: Ray lets it see them all."""
    if not assignment.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def _too_much(shape: Shape, nodes: Sequence[_Node]) -> str:
    """Say that no node holds a trial."""
    there = max(((node.cpus, node.gpus) for node in nodes), default=(0, 0))
    asked, largest = (f"{cpus:g} CPUs and {gpus:g} GPUs" for cpus, gpus in (shape, there))
    return f"it needs {asked}, and the largest machine here has {largest}"


def _nodes(ray: Any) -> list[_Node]:
    """Return the cluster's living nodes."""
    held = [(n["NodeID"], n["Resources"]) for n in ray.nodes() if n["Alive"]]
    return [_Node(name, has.get("CPU", 0.0), has.get("GPU", 0.0)) for name, has in held]


def prepare_here() -> None:
    """Set the environment variables that Ray reads when it starts, for a run on this machine.

    They hold a token that only this process and its workers know, since Ray listens on all
    interfaces and would otherwise keep a token in $HOME; and the path on which workers find the
    project, wherever this process was started. Ray asks for the token by itself; RAY_AUTH_MODE,
    which it reads at its import, would be too late where a user's file has imported it before.
    """
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    paths = [str(PROJECT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, paths)))


def offered(settings: Dispatch) -> list[tuple[float, float]]:
    """Start Ray, or join the cluster, as a run does; return each machine's cores and GPUs.

    Raises:
        UserError: Ray does not start, or the cluster does not answer.
    """
    with _connected(settings, ()) as ray:
        return [(node.cpus, node.gpus) for node in _nodes(ray)]


@contextlib.contextmanager
def _connected(settings: Dispatch, packages: Collection[str]) -> Iterator[Any]:
    """Start Ray here, or join the cluster that RAY_ADDRESS names, and leave it at the end.

    The code of the ``packages`` is sent to a cluster. A Ray that this process has already started
    is used as it is.
    """
    address = _address()
    if not address:
        prepare_here()
    elif silence := _silence(address) or _stranger(address):
        line = f"RAY_ADDRESS={address} does not answer ({silence}): start it, or unset RAY_ADDRESS"
        raise UserError(line)
    import ray
    import ray.util.scheduling_strategies

    if ray.is_initialized():
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
    workers = settings.workers
    cpus = processors() if workers == "auto" else workers * settings.cpus
    here = {"address": "local", "num_cpus": cpus, "_temp_dir": _sockets()}
    where = {"address": address, "runtime_env": sent(packages)} if address else here
    try:
        with _hushed() if address else contextlib.nullcontext():
            ray.init(**quiet, **where)
    except Exception as error:  # noqa: BLE001 - a slow start is a bare Exception of Ray's
        why = " ".join(str(error).split())[:200]
        what = "Ray does not start here; if this machine is busy, the same command may do later"
        if address:
            what = f"RAY_ADDRESS={address}: no cluster there, or one with another token"
        raise UserError(f"{what} ({type(error).__name__}: {why})") from None
    _hear_termination()
    try:
        yield ray
    finally:
        ray.shutdown()


def sent(packages: Collection[str], project: Path = PROJECT) -> dict[str, Any]:
    """Return Ray's runtime environment: the project's packages, without files above LARGEST.

    Whatever else lies in the project's folder (data, journals, a user's files) is not sent.
    """
    others = [each for each in project.iterdir() if each.name.removesuffix(".py") not in packages]
    large = [
        file
        for package in packages
        for file in (project / package).rglob("*")
        if file.is_file() and file.stat().st_size > LARGEST
    ]
    stays = [f"/{each.relative_to(project).as_posix()}" for each in (*others, *large)]
    # Patterns as in .gitignore: characters with a meaning there are escaped.
    literal = [re.sub(r"[\\\[\]*?]", r"\\\g<0>", path).replace(" ", "[ ]") for path in stays]
    return {"working_dir": str(project), "excludes": literal}


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Keep Ray's C++ code from printing its retries on stderr."""
    with open(os.devnull, "wb") as nowhere:
        shown = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def _hear_termination() -> None:
    """Let SIGTERM end this process as Ctrl-C does; Ray would print a C++ stack and abort."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def _address() -> str:
    return os.environ.get("RAY_ADDRESS", "")


def _silence(address: str) -> str:
    """Return the error if nobody listens at an address, else ""; Ray would wait for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
        except OSError as error:
            return str(error)
    return ""


def _stranger(address: str) -> str:
    """Return an error if what listens at an address does not answer as a gRPC server, else ""."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit() or os.environ.get("RAY_USE_TLS", "0") != "0":
        return ""
    place = host.strip("[]"), int(port)
    with contextlib.suppress(OSError), socket.create_connection(place, timeout=5) as connection:
        connection.sendall(PREFACE)
        if connection.recv(9)[3:4] == SETTINGS:
            return ""
    return "who listens there is not Ray"


def _sockets() -> str | None:
    """Return the folder for Ray's sockets; None if Ray's own choice is good.

    A socket's path has at most 107 bytes, of which Ray uses 75, and Ray accepts ASCII alone.
    """
    usual = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    if usual.isascii() and len(usual) <= 30:
        return None
    return "/tmp/ray"  # nosec B108 - Ray's own; its folder for each session has a name of its own


def _dead(ray: Any) -> str:
    """Return which part of Ray has died; empty if all that trials need lives."""
    # On this machine Ray's node knows its processes; of a cluster, we see whether it listens.
    node = ray._private.worker._global_node
    died = {kind for kind, _ in node.dead_processes()} if node else set()
    for kind, name in (("raylet", "Ray's raylet"), ("gcs_server", "Ray's control service")):
        if kind in died:
            return f"{name} on this machine has died"
    if not node:
        return "Ray has been shut down"
    address = ray.get_runtime_context().gcs_address if _address() else ""
    for pause in (0.0, 1.0, 3.0):  # a network may stumble
        time.sleep(pause)
        if not (silence := _silence(address)):
            return ""
    return f"the cluster at {address} does not answer any more ({silence})"
