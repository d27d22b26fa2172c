"""Journals, by scale: whether they can be read, and how many of their trials still count."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline import params
from pipeline.errors import UserError
from pipeline.health._finding import Finding
from pipeline.health._settings import settings
from pipeline.running.jobs import jobs, state
from pipeline.studies import STUDIES


def examine() -> Iterator[Finding]:
    """Read the journals of all studies that have one."""
    common, none = settings(), True
    for scale in params.SCALES:
        there = [name for name in STUDIES if Path("rows", scale, f"{name}.jsonl").exists()]
        if there:
            none = False
            yield from _read(common.at(scale), there)
    if none:
        yield Finding("none yet")


def _read(at: params.Settings, names: list[str]) -> Iterator[Finding]:
    """Read the journals of one scale."""
    made, broken = jobs(at, names)
    yield from (Finding(f"{name}: {error}", "correct it") for name, error in broken.items())
    counts: Counter[str] = Counter()
    readable = len(made)
    for job in made:
        try:
            counts.update(state(job).counts())
        except UserError as error:
            readable -= 1
            said, _, do = str(error).rpartition(": ")
            yield Finding(f"{job.name}: {said}", do)
    said = f"{at.scale}: {readable} readable, "
    said += f"{counts['finished']:,} of {counts['wanted']:,} trials finished"
    for kind in ("failed", "waiting", "stale"):
        said += f", {counts[kind]:,} {kind}" if counts[kind] else ""
    why = f": python -m pipeline status --scale {at.scale} says why" if counts["stale"] else ""
    yield Finding(said + why)
