"""Evidence that survives a refactoring: records adopted under code that gives the same rows.

A trial whose code alone has changed, not its parameters, data or versions, need not run again if
the change does not alter its rows. Trials of one part that reach the same modules, before and now,
form a group. A sample of each group is run under both codes on this machine: for each word in the
trials' parameters (a method, a variant, a switch), the cheapest trial with that word. If all rows
agree bit for bit, the whole group counts as finished under today's code, and its records still say
which code measured them; if one row differs, no record of the group is adopted.

Above 300 lines because these steps belong together: which records may be adopted, what is run
again, what is written.
"""

import dataclasses
import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rich.console import Console

from pipeline.errors import UserError
from pipeline.running.commits import Commit, FailedError, changed, code_of
from pipeline.running.comparing import SLOTS, Both, differences
from pipeline.running.fingerprint import Modules, versions
from pipeline.running.jobs import DATA, Job, changes, fetched, is_finished
from pipeline.running.journal import FINISHED, Adoption, Facts, Held, Record
from pipeline.study import Entries, Value, datasets_of, key

ENOUGH = 30.0
"""Seconds of recorded trials after which the time left is estimated from the measured pace."""


class Adopted(NamedTuple):
    """What came of adopting a study's records."""

    adopted: int
    refused: Counter[str]
    """How many records were not adopted, by reason."""
    sample: int
    """Trials that were run again under both codes."""
    seconds: float

    def lines(self) -> Iterator[str]:
        """Say how many were adopted and how many not, and why, a line each."""
        minutes = f"{self.seconds / 60:.1f} minutes"
        yield f"{self.adopted} adopted; {self.sample} run under both codes, in {minutes}"
        for reason, count in self.refused.most_common():
            yield f"{count} not adopted: {reason}"


class _Candidate(NamedTuple):
    """A record that could be adopted."""

    record: Record
    entries: Entries
    """Its trial as it is described now."""
    before: Modules
    """The code that measured it."""
    now: Modules


_Group = list[_Candidate]


def adopt(job: Job, commit: str, share: float, console: Console) -> Adopted:
    """Adopt what the code at ``commit`` measured and today's measures alike; say how it goes.

    Args:
        job: the study; its journal is written as soon as a group is decided.
        commit: where the code stands that measured the records.
        share: how much of each group is run again beside what must be, from 0 to 1.
        console: where to say it.

    Raises:
        UserError: no git, no such commit, code that no commit holds, a share out of range, or a
            journal that another run is writing.
    """
    if not 0 <= share <= 1:
        raise UserError(f"--share: a number from 0 to 1; given: {share}")
    if files := changed():
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        raise UserError(f"{files[0]}{more}: not committed; commit code before adopting under it")
    start, adopted, sample = time.monotonic(), 0, 0
    with job.journal.locked(), code_of(commit) as before, code_of("HEAD") as now:
        held = job.journal.read()
        candidates, refused = _candidates(job, held, before)
        groups = _grouped(candidates)
        samples = [_sample(group, share) for group in groups]
        clock = _Clock(samples)
        what = f"{len(candidates)} records of earlier code in {len(groups)} groups"
        ahead = f"{sum(map(len, samples))} to run under both codes, {clock.left()}"
        _say(console, f"{job.name} ({job.scale}): {what}; {ahead}")
        try:
            runs = [[_both(job, one) for one in group] for group in samples]
            decisions = differences(runs, before, now)
            for group, chosen, difference in zip(groups, samples, decisions, strict=True):
                if difference:
                    refused[difference.reason] += len(group)
                    edited = changes(chosen[0].before, chosen[0].now)
                    _say(console, f"  {difference.told}; changed: {edited}")
                else:
                    _write(job, held, group, chosen, before.name)
                    adopted += len(group)
                sample += len(chosen)
                verdict = "not adopted" if difference else "adopted"
                said = f"{len(group)} {verdict} after {len(chosen)} run again"
                _say(console, f"  {_name(chosen[0])}: {said}; {clock.left(chosen)}")
        finally:
            _tidy(job)
    return Adopted(adopted, refused, sample, time.monotonic() - start)


def _candidates(job: Job, held: Held, before: Commit) -> tuple[list[_Candidate], Counter[str]]:
    """Return the records that may be adopted, and how many may not, by reason.

    They were measured by the commit's code, and nothing but code has changed since.
    """
    refused: Counter[str] = Counter()
    chosen: list[tuple[Record, Entries]] = []
    sets = {*job.data}.union(*(record.data for record in held.records.values()))
    present = {name: fetched(name).sha256 for name in sets}
    for record in held.records.values():
        if record.status != FINISHED:
            continue
        asked = job.asked(record.trial)
        if asked is None:
            refused["no such trial is asked for any more"] += 1
        elif not _done(job, held, asked):
            entries = job.trials[asked]
            reason = _refusal(job, held, record, entries, present)
            refused.update([reason] if reason else [])
            if not reason:
                chosen.append((record, entries))
    codes = _codes(job, [record for record, _ in chosen], before)
    candidates = [
        _Candidate(record, entries, modules, job.prints.modules(entries))
        for (record, entries), modules in zip(chosen, codes, strict=True)
        if modules is not None
    ]
    if others := len(chosen) - len(candidates):
        refused[f"measured by other code than that of {before.name}"] += others
    return candidates, refused


def _codes(job: Job, records: list[Record], before: Commit) -> list[Modules | None]:
    """Return the modules of the commit's code that measured each record; None for other code."""
    if not records:
        return []
    try:
        answer = before.ask("codes", study=job.name, trials=[record.trial for record in records])
    except FailedError as error:
        raise UserError(f"the code of {before.name} does not answer: {error}") from None
    pairs = zip(records, answer["hashes"], strict=True)
    return [answer["modules"][code] if code == record.code else None for record, code in pairs]


def _done(job: Job, held: Held, asked: str) -> bool:
    """Tell whether a trial is finished under today's code."""
    return is_finished(held.records.get(asked), job.hash_of(job.trials[asked]))


def _refusal(
    job: Job, held: Held, record: Record, entries: Entries, present: Mapping[str, str]
) -> str:
    """Return why a record may not be adopted; empty if it may.

    ``present`` gives the hash of each data set; it is empty for one that is not there.
    """
    if job.study.part_of(entries).needs.alone:
        return "its part measures time"
    later = held.records.get(key(entries))
    if later is not None and later is not record and later.ended > record.ended:
        return "its trial was run again since"
    if record.versions != versions():
        return "the libraries' versions are others"
    for name in sorted({*record.data, *datasets_of(entries)}):
        if not present[name]:
            return f"data set {name} is not there: python -m pipeline fetch {name}"
        if held.facts.get(record.data.get(name, ""), {}).get("sha256") != present[name]:
            return f"data set {name} is another"
    return ""


def _grouped(candidates: Iterable[_Candidate]) -> list[_Group]:
    """Return the groups, each adopted or refused as a whole; the quickest to decide come first."""
    groups: defaultdict[Any, _Group] = defaultdict(list)
    for one in candidates:
        part = one.entries.get("part")
        groups[part, frozenset(one.before), frozenset(one.now)].append(one)
    by_seconds = [sorted(group, key=lambda one: one.record.seconds) for group in groups.values()]
    return sorted(by_seconds, key=lambda group: group[0].record.seconds)


def _sample(group: _Group, share: float) -> _Group:
    """Return the trials of a group, sorted by time, that are run again.

    They are the cheapest; the cheapest with each word or switch; the cheapest with the smallest and
    with the largest value of each number but the seed; and a share of the rest, drawn at random.
    """
    seen: set[Any] = set()
    chosen, rest, ends = [], [], _extremes(one.entries for one in group)
    for one in group:
        words = set(_words(one.record.trial)) | set(_words(one.entries))
        words |= ends & one.entries.items()
        (rest if chosen and words <= seen else chosen).append(one)
        seen |= words
    return chosen + random.Random(0).sample(rest, math.ceil(share * len(rest)))


def _extremes(trials: Iterable[Entries]) -> set[tuple[str, Value]]:
    """Return the smallest and the largest value of each field that is a number; not the seed."""
    found: defaultdict[str, set[float]] = defaultdict(set)
    for trial in trials:
        for name, value in trial.items():
            if name != "seed" and isinstance(value, int | float) and not isinstance(value, bool):
                found[name].add(value)
    return {(name, end) for name, values in found.items() for end in (min(values), max(values))}


def _words(trial: Entries) -> Iterator[tuple[str, Any]]:
    """Iterate over the words and the switches among a trial's values, each with its field."""
    for name, value in trial.items():
        if isinstance(value, str):
            yield from ((name, word) for word in re.findall(r"[^\W\d]\w*", value))
        elif value is None or isinstance(value, bool):
            yield name, value


def _both(job: Job, one: _Candidate) -> Both:
    """Return the requests that run a trial under both codes."""
    about = {"study": job.name, "data": str(DATA.resolve())}
    return Both(
        one.record.key,
        about | {"trial": one.record.trial, "sets": sorted(one.record.data)},
        about | {"trial": one.entries, "sets": datasets_of(one.entries)},
        job.study.part_of(one.entries).times,
    )


def _write(job: Job, held: Held, group: _Group, sample: _Group, commit: str) -> None:
    """Append a group's records to the journal as records of today's code."""
    again = {id(one.record) for one in sample}
    for one in group:
        first = one.record.adopted or Adoption(one.record.code, commit, False)
        code = job.prints.code(one.entries)
        facts: Facts = held.facts | {code: dict(one.now)}
        record = dataclasses.replace(
            one.record,
            hash=job.hash_of(one.entries),
            code=code,
            trial=one.entries,
            data={name: one.record.data[name] for name in datasets_of(one.entries)},
            adopted=dataclasses.replace(first, again=id(one.record) in again),
        )
        job.journal.append(record, facts)


def _tidy(job: Job) -> None:
    """Rewrite the journal, each adopted record in place of those that it replaces."""
    held = job.journal.read()
    kept: dict[str, Record] = {}
    for described, record in held.records.items():
        asked = job.asked(record.trial) or described
        follower = held.records.get(asked)
        if follower is not None and follower.adopted:
            kept[asked] = follower
        else:
            kept[described] = record
    job.journal.replace(Held(kept, held.facts))


class _Clock:
    """Estimates the minutes left from the trials' recorded seconds and the measured pace."""

    def __init__(self, samples: list[_Group]):
        self._left, self._ended = sum(map(_seconds, samples)), 0.0
        self._start = time.monotonic()

    def left(self, ended: _Group | None = None) -> str:
        """Count a sample as ended, if any, and say how long the others will take."""
        self._ended += _seconds(ended or [])
        self._left -= _seconds(ended or [])
        # Every trial runs twice; once enough have run, the pace is measured.
        seen = (time.monotonic() - self._start) / self._ended if self._ended > ENOUGH else 0.0
        return f"about {max(0.0, self._left) * (seen or 2 / SLOTS) / 60:.0f} minutes left"


def _seconds(sample: _Group) -> float:
    return sum(one.record.seconds for one in sample)


def _name(one: _Candidate) -> str:
    """Name a group: its part, and the methods that its trials name."""
    reached = {module.rpartition(".")[2] for module in one.now}
    methods = dict.fromkeys(word for _, word in _words(one.entries) if word in reached)
    return " ".join([str(one.entries.get("part") or "trials"), *methods])


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
