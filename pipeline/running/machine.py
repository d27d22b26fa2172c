"""This process's use of its machine: processors, freed memory, garbage collection."""

import contextlib
import ctypes
import gc
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_TRIM, _MAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_KEPT, _LARGEST = 2**28, 2**25  # bytes; glibc takes no more for the second


def processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use; a container's quota counts, rounded down.

    Where the system does not tell that, as on macOS, it is how many the machine has.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min([count, *map(int, _quotas(root))]))


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Turn garbage collection off while the block imports: it would take a third of the time.

    The objects that exist afterwards are frozen: no later collection looks at them.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def keep_freed() -> None:
    """Let this process keep up to 256 MB that it has freed, where the C library is glibc.

    By default blocks of some megabytes are returned to the system at once, and at the next
    allocation the system provides every page anew: up to a third of an LSTM's training step.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_MAP, _LARGEST)
        library.mallopt(_TRIM, _KEPT)


def _quotas(root: Path) -> Iterator[float]:
    """Iterate over how many processors the control groups of this process allow (Linux)."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for group in groups:
        _, controllers, path = group.split(":", 2)
        if controllers == "" or "cpu" in controllers.split(","):
            inside = PurePosixPath(path.lstrip("/"))
            for place in (inside, *inside.parents):  # the limits of parent groups hold as well
                for mount in ("", "unified", "cpu", "cpu,cpuacct"):
                    yield from _quota(root / "sys/fs/cgroup" / mount / place)


def _quota(group: Path) -> Iterator[float]:
    """Yield the quota over its period, if the group has one (version 2, then 1)."""
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        with contextlib.suppress(OSError, ValueError):  # there is no such file, or it says "max"
            quota, period = map(int, " ".join((group / f).read_text() for f in files).split())
            if quota > 0 and period > 0:
                yield quota / period
