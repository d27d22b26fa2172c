"""The machine: disk, memory, processors."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.health._finding import GIB, Finding, free
from pipeline.running.machine import processors

LEAST = 2.0
"""GiB that should be free on the disk, and in memory."""


def examine() -> Iterator[Finding]:
    """Report free disk space, available memory and processors; too little space is wrong."""
    yield free(Path.cwd(), LEAST, "make room there")
    memory = _available() / GIB
    few = "end what else runs here, or lower dispatch.workers" if memory < LEAST else ""
    yield Finding(f"{memory:,.1f} GiB of memory to be had, {processors()} processors", few)


def _available(known: Path = Path("/proc/meminfo")) -> float:
    """Return the bytes of available memory; all memory, where the system does not tell that."""
    for line in known.read_text().splitlines() if known.exists() else ():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
