"""The machine: disk, memory, processors."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.health._finding import GIB, Finding, free
from pipeline.running.machine import processors

LEAST = 2.0
"""GiB of disk, and of memory that no one uses."""


def examine() -> Iterator[Finding]:
    """Say what there is, and that it is little where it is."""
    yield free(Path.cwd(), LEAST, "make room there")
    memory = _available() / GIB
    few = "end what else runs here, or lower dispatch.workers" if memory < LEAST else ""
    yield Finding(f"{memory:,.1f} GiB of memory to be had, {processors()} processors", few)


def _available(known: Path = Path("/proc/meminfo")) -> float:
    """Return the bytes of memory that can be had; all there are, where the system says no more."""
    for line in known.read_text().splitlines() if known.exists() else ():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
