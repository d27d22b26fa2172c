"""How a study's records are called and described where people browse their runs.

Names say what varies within the study and nothing that is constant. A run's charts come in the
order in which people look: MLflow sorts sections by name and shows what is in none last. So losses
and accuracies are in the first, other measured columns in the second, those of a probe in one of
its own, and what only tells how far a trial was in none.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipeline.running.journal import Record
from pipeline.study import Entries, Row, Study, Value

if TYPE_CHECKING:
    from pipeline.running.jobs import Job

LEARNING, MEASURED = "Learning", "Measured"
"""Sections of charts; capitals sort before the probes' names."""
LEARNED = {"loss", "losses", "accuracy", "error", "bits", "perplexity"}
"""Words in the names of what people look at first."""
PROGRESS = {"diverged", "epoch", "examples", "seconds"}
"""Columns that tell how far a trial was, not what it found."""
PROBED = 1000
"""Values of probes that a run shows as metrics; more are in its artifact alone."""
WAYS = 12
"""Words of a column that rows without a step may be told apart by."""


class About(NamedTuple):
    """What a person is told of a study's runs."""

    question: str = ""
    parts: Mapping[str, str] = {}
    """The question of each part, by its name."""
    telling: Mapping[str, Sequence[str]] = {}
    """The fields that tell a part's trials apart, but for the seed, by the part's name."""
    command: str = ""
    """What runs the trials."""
    page: str = ""
    """The study's page, from the project's folder."""


NOTHING = About()


def about(job: "Job") -> About:
    """Return what is to be told of a study at a scale."""
    of: dict[str, list[Entries]] = {}
    for trial in job.trials.values():
        of.setdefault(str(trial.get("part", "")), []).append(trial)
    return About(
        opening(job.study.doc),
        _questions(job.study),
        {part: telling(trials) for part, trials in of.items()},
        f"python -m pipeline run {job.name} --scale {job.scale}",
        f"reports/{job.scale}/{job.name}/index.html",
    )


def opening(doc: str | None) -> str:
    """Return a docstring's first paragraph in one line: a study's question."""
    return " ".join((doc or "").strip().split("\n\n")[0].split())


def _questions(study: Study) -> dict[str, str]:
    return {name: opening(part.doc) for name, part in study.parts.items() if name}


def telling(trials: Sequence[Entries]) -> list[str]:
    """Return the fewest fields, words first, that tell trials of different seeds apart.

    A field whose values follow from others' tells nothing.
    """
    fields = [name for name in _fields(trials) if name not in ("part", "seed")]
    kinds = dict.fromkeys(tuple(trial.get(name) for name in fields) for trial in trials)
    trials = [dict(zip(fields, kind, strict=True)) for kind in kinds]  # of all seeds one
    worded = [name for name in fields if any(_is_word(trial.get(name)) for trial in trials)]
    numbered = [n for n in fields if not any(isinstance(t.get(n), str) for t in trials)]
    chosen: list[str] = []
    for among in (worded, numbered):
        while True:
            told = {name: _told_apart(trials, [*chosen, name]) for name in among}
            best = max(told, key=told.__getitem__, default="")
            if not best or told[best] == _told_apart(trials, chosen):
                break
            chosen.append(best)
    return [name for name in [*worded, *numbered] if name in chosen]


def _fields(trials: Iterable[Entries]) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name in trial))


def _told_apart(trials: Sequence[Entries], names: Sequence[str]) -> int:
    """Return how many kinds of trials these fields tell apart."""
    return len({tuple(trial.get(name) for name in names) for trial in trials})


def _is_word(value: Value) -> bool:
    """Tell whether a value is text to read, which JSON is not."""
    return isinstance(value, str) and value[:1] not in ("{", "[")


def name_of(record: Record, told: About) -> str:
    """Return what a run is called: its part, what tells it from others, its seed."""
    trial, part = record.trial, str(record.trial.get("part", ""))
    fields = told.telling.get(part, [name for name in trial if _is_word(trial[name])])
    said = [part, *(_said(name, trial.get(name)) for name in fields if name != "part")]
    seed = f"seed {trial['seed']}" if "seed" in trial else ""
    return ", ".join(filter(None, [*said, seed])) or record.hash


def _said(name: str, value: Value) -> str:
    """Return a value in words; one that is no word is said with its name."""
    if value is None or isinstance(value, str):
        return value or ""
    words = name.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"not {words}"
    return f"{words} {value:g}"


def description_of(record: Record, told: About) -> str:
    """Return what a run's page says of it, in Markdown: its question, its page, its command."""
    part = str(record.trial.get("part", ""))
    place = f"{told.page}#part-{part}" if part else told.page
    return _paragraphs(told.parts.get(part, told.question), *_ways(told, place))


def introduction(told: About, answers: Sequence[str] = ()) -> str:
    """Return what an experiment's page says of it, in Markdown, with what reports answer."""
    return _paragraphs(heading(told), *(answers or _ways(told)))


def heading(told: About) -> str:
    """Return how the introduction begins."""
    return f"**{told.question}**" if told.question else ""


def answered(scale: str, told: About, answer: str) -> str:
    """Return what the run that keeps a study's report says, in Markdown."""
    return _paragraphs(f"At scale {scale}: {answer}" if answer else "", *_ways(told))


def _ways(told: About, place: str = "") -> list[str]:
    """Return where the page is and how its trials are run, where that is known."""
    page = f"Page: `{place or told.page}`." if told.page else ""
    return [page, f"Run by `{told.command}`." if told.command else ""]


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def curves(record: Record) -> Iterator[tuple[str, int, float]]:
    """Yield what was measured: a metric's name, step, value; a row without a step is its place.

    Rows without a step that words tell apart are each a metric of its own.
    """
    probed = sum(bool(row.get("probe")) for row in record.rows)
    ways = _telling_words(record.rows)
    for place, row in enumerate(record.rows):
        step = row.get("step")
        at = step if isinstance(step, int) else place
        if row.get("probe"):
            value = row.get("value")
            if probed <= PROBED and isinstance(value, int | float):
                yield metric_of(row), at, float(value)
            continue
        way = "" if "step" in row else "".join(f" {row[n]}" for n in ways if row.get(n))
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                yield f"{_sorted_in(name)}{way}", at, float(value)
    yield "seconds", 0, record.seconds


def _telling_words(rows: Sequence[Row]) -> list[str]:
    """Return the columns of words that tell a trial's rows apart, where these are few."""
    plain = [row for row in rows if not row.get("probe")]
    names = dict.fromkeys(n for row in plain for n, v in row.items() if isinstance(v, str))
    return [n for n in names if 1 < len({row.get(n) for row in plain}) <= WAYS]


def _sorted_in(name: str) -> str:
    """Return a column's name behind the section of charts that it belongs to."""
    if name in PROGRESS:
        return name
    return f"{LEARNING if LEARNED & set(name.split('_')) else MEASURED}/{name}"


def metric_of(row: Row) -> str:
    """Return what the value of a probe's row is called among a run's metrics.

    Words and whole numbers tell the rows apart; a fraction is measured, and names nothing.
    """
    named = {"probe", "quantity", "step", "value"}
    rest = [f"{k} {v}" for k, v in row.items() if k not in named and isinstance(v, str | int)]
    return f"{row['probe']}/{' '.join([str(row['quantity']), *rest])}"


def allowed(name: str) -> str:
    """Return a metric's name in the characters and the length that MLflow allows."""
    return re.sub(r"[^\w\-. /:]", "_", name)[:250]


def has_diverged(record: Record) -> bool:
    """Return whether the trial says so, or measured something that is not finite."""
    values = [v for row in record.rows for v in row.values() if isinstance(v, float)]
    return any(row.get("diverged") for row in record.rows) or not all(map(math.isfinite, values))
