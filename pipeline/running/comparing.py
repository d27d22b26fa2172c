"""Trials run under the code of two commits on this machine, and where their rows differ."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from pipeline.running.commits import Commit, FailedError
from pipeline.running.machine import processors
from pipeline.study import Row

SLOTS = processors()
"""How many processes run trials at a time."""


class Both(NamedTuple):
    """One trial, as a request to each of the two codes."""

    name: str
    before: dict[str, Any]
    now: dict[str, Any]
    times: tuple[str, ...]
    """Columns that hold times, which differ in any case."""


class Difference(NamedTuple):
    """The first place in which rows differ."""

    reason: str
    told: str
    """The trial, row, column, and the value before and now, in one line."""


def differences(
    groups: Sequence[Sequence[Both]], before: Commit, now: Commit
) -> Iterator[Difference | None]:
    """Run groups of trials under both codes; yield each group's first difference, or None."""
    pool = ThreadPoolExecutor(SLOTS)
    try:
        running = [
            [
                (
                    both,
                    pool.submit(before.ask, "measure", **both.before),
                    pool.submit(now.ask, "measure", **both.now),
                )
                for both in group
            ]
            for group in groups
        ]
        for group in running:
            yield next(filter(None, (_difference(*each) for each in group)), None)
            for _, *runs in group:  # the group is decided: its other trials need not run
                for run in runs:
                    run.cancel()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _difference(both: Both, before: Future[list[Row]], now: Future[list[Row]]) -> Difference | None:
    """Wait for a trial's rows under both codes and return how they differ, if they do."""
    rows: dict[str, list[Row]] = {}
    for code, run in (("earlier", before), ("present", now)):
        try:
            rows[code] = run.result()
        except FailedError as error:
            told = f"{both.name}: the {code} code failed: {error}"
            return Difference(f"a trial of its group failed under the {code} code", told)
    first = next(_differing(rows["earlier"], rows["present"], both.times), None)
    told = f"{both.name}: {first}"
    return None if first is None else Difference("rows of its group differ", told)


def _differing(before: list[Row], now: list[Row], times: tuple[str, ...]) -> Iterator[str]:
    """Iterate over differences, times aside: row, column, and the value before and now."""
    for number, (old, new) in enumerate(zip(before, now, strict=False), start=1):
        for column in dict.fromkeys([*old, *new]):
            if column in times:
                continue
            # Compared as JSON, which tells 0.0 from -0.0 and 1 from 1.0, and where NaN equals NaN.
            was, is_ = (json.dumps(r[column]) if column in r else "missing" for r in (old, new))
            if was != is_:
                yield f"row {number}, column {column!r}: {was} before, {is_} now"
    if len(before) != len(now):
        yield f"{len(before)} rows before, {len(now)} now"
