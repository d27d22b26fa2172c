"""Ray: whether it starts here, or answers at RAY_ADDRESS, and what it offers."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UserError
from pipeline.health._finding import Finding, free
from pipeline.health._settings import settings

SHARED = Path("/dev/shm")  # nosec B108 - it is looked at, and nothing is put there
LEAST = 0.5
"""GiB of shared memory, in which Ray keeps data sets."""
ENLARGE = "enlarge it (docker run --shm-size=2g)"


def examine() -> Iterator[Finding]:
    """Start Ray, or join the cluster, as a run does; then leave it."""
    dispatch = settings().dispatch
    if dispatch.backend == "inline":
        yield Finding("not used: dispatch.backend is inline")
        return
    if sys.platform == "linux" and SHARED.exists():
        yield free(SHARED, LEAST, ENLARGE)
    from pipeline.running import cluster

    try:
        shapes = cluster.offered(dispatch)
    except UserError as error:
        said, _, do = str(error).partition(": start it")
        yield Finding(said, f"start it{do}" if do else "dispatch.backend: inline does without")
        return
    cpus, gpus = (sum(each) for each in zip(*shapes, strict=True))
    on = "one machine" if len(shapes) == 1 else f"{len(shapes)} machines"
    yield Finding(f"starts: {cpus:g} processors and {gpus:g} GPUs on {on}")
