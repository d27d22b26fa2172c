"""The classes that declare a study: Trial, Part, Study, Claim, Figure, Table.

A study is a module whose docstring holds its question and its numbered expectations. Its STUDY
holds its parts, one or several, and the function that answers the question from their rows. A part
has

    a Trial    the parameters of one run, each declared once, and how the run is measured
    expects    all rows -> the claims that test the expectations
    figures    what to draw of the rows

Declaring is light: torch, Lightning and learners are imported inside the functions that measure.

Above 300 lines because it is one vocabulary.
"""

import abc
import dataclasses
import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import pydantic

from lightning_modules.registry import nearest

if TYPE_CHECKING:
    import pandas as pd

Value = str | int | float | bool | None
Entries = dict[str, Value]
"""A trial as plain values: the form that is sent to workers and kept in the journal."""
Row = dict[str, Value]
Rows = Mapping[str, Value] | Iterable[Mapping[str, Value]]
"""What ``measure`` returns: one row, or several."""
T = TypeVar("T")


LARGEST_SEED, MOST = 2**32 - 1, 10**9
"""The largest seed that every generator accepts, and the largest count that a field accepts."""
Whole = Annotated[int, pydantic.Field(ge=0, le=MOST)]
"""The type of a field that holds a count, from 0 on."""
Count = Annotated[Whole, pydantic.Field(ge=1)]
"""The type of a field that holds a size or a number of repetitions, from 1 on."""


class Section(pydantic.BaseModel):
    """Named values of a file of parameters: frozen, strictly typed, unknown keys refused."""

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class Given(NamedTuple):
    """What a trial is given beside its own entries."""

    data: Mapping[str, Any]
    """The data sets that it names, loaded, by name."""
    scratch: Path
    """The trial's own folder for checkpoints, which outlives a killed worker."""


class Trial(Section, abc.ABC):
    """One run: its parameters as fields, declared nowhere else, and how it is measured.

    In params/<study>.yaml a field is given a value; a list of values, each of which is tried; or a
    mapping from values to further fields that go with each. The trials are all combinations.
    ``seeds: 5`` is short for seeds 0 to 4. A field whose default is None may be left out. Fields
    that are None do not count in a trial's identity, so a field that is added later with that
    default leaves existing trials as they were.

    The data sets that a trial reads are named by its field ``dataset``, or by several fields whose
    names end in ``_dataset``.
    """

    seed: Annotated[int, pydantic.Field(ge=0, le=LARGEST_SEED)]

    @abc.abstractmethod
    def measure(self, given: Given) -> Rows:
        """Run the trial and return its rows, a function of its fields."""

    def entries(self) -> Entries:
        """Return the trial as plain values; structured fields are JSON text."""
        return self.model_dump()


def named(registry: Collection[str]) -> pydantic.AfterValidator:
    """Return a validator that accepts the names in a registry, or in another collection.

    Use it as ``Annotated[str, named(CELLS)]``.
    """

    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(f"{name!r} is unknown: {nearest(name, registry)}")
        return name

    return pydantic.AfterValidator(check)


class Structured:
    """Marks a field whose one value is a mapping or a list, not several values to try.

    Use it as ``Annotated[dict[str, int], *AS_TEXT]``. Among a trial's entries the value is JSON
    text, its items in the order in which they were written.
    """


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _written(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


AS_TEXT = (Structured(), pydantic.BeforeValidator(_read), pydantic.PlainSerializer(_written))
Options = Annotated[dict[str, Any], *AS_TEXT]
"""The type of a field that holds constructor arguments, by name."""


def key(entries: Mapping[str, Value]) -> str:
    """Return a trial's identity as text: its entries by name, without those that are None."""
    said = {name: value for name, value in entries.items() if value is not None}
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def datasets_of(entries: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the data sets that a trial names."""
    fields = (name for name in entries if name == "dataset" or name.endswith("_dataset"))
    return tuple(sorted({str(entries[name]) for name in fields if entries[name] is not None}))


HOLDS, MISSED, UNDECIDED = "holds", "missed", "undecided"
"""The three verdicts on a claim."""
LEVEL = 0.05
"""The error rate of all of a study's claims together; each interval covers one minus this."""
BEFORE = "before the first run"
"""What ``stated`` says of a claim that no look at a result has changed."""


class Published(NamedTuple):
    """A published figure that a claim holds this project's own to."""

    row: str
    """What it is called in the record and by ``replicate``: letters, digits, hyphens."""
    source: str
    """Authors, year, and where in the work it stands."""
    value: str
    """As published, with its spread where one is given."""
    tolerance: str
    """How near ours has to come."""
    stated: str = BEFORE
    """When the claim was stated; a change made after seeing results is told in a sentence."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """One prediction and the evidence on it; ``pipeline.measuring.evidence`` makes claims."""

    text: str
    expected: int
    """The number of the expectation in the study's text that it checks."""
    seen: str
    """What was measured, in words, with its interval."""
    wanted: str
    """The region in which the number was expected, in words."""
    exact: bool
    """Whether chance plays no part in it, as in a count or a theorem."""
    p: tuple[float, float]
    """The p-values of two null hypotheses: that the claim is false, and that it is true.

    Those of an exact claim are 0 and 1 if it holds, 1 and 0 if it is missed.
    """
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    """The ends of the 95 % interval."""
    effect: float = math.nan
    """How far the estimate lies within the region, in standard deviations of the replicates."""
    replicates: int = 0
    parts: int = 1
    """How many claims are joined in it."""
    published: Published | None = None
    cause: str = ""
    """The likely cause, should it be missed."""

    @property
    def verdict(self) -> str:
        """The verdict on this claim alone, not corrected for the study's other claims."""
        return self.judged(2 * min(self.p))

    def judged(self, corrected: float) -> str:
        """Return the verdict, given the two-sided p-value corrected for the study's claims."""
        if not corrected <= LEVEL:
            return UNDECIDED
        return HOLDS if self.p[0] < self.p[1] else MISSED

    def stands_for(self, published: Published) -> "Claim":
        """Return the claim as the one that reproduces a published figure."""
        return dataclasses.replace(self, published=published)

    def if_missed(self, cause: str) -> "Claim":
        """Return the claim with the likely cause, shown if it is missed."""
        return dataclasses.replace(self, cause=cause)


@dataclasses.dataclass(frozen=True)
class Figure:
    """One picture of the rows; ``where`` picks the rows, the rest says what to draw.

    ``kind`` is line (mean and range over seeds), scatter, bar, heatmap (each cell shows the mean of
    column ``hue``) or pictures (each cell shows the first value of ``hue``, a picture as text made
    by ``pipeline.measuring.pictures.packed``). ``theory`` names a column of predicted values, drawn
    dashed beside the measured ones. ``labels`` gives the printed names of columns and of values
    that are words.
    """

    name: str
    title: str
    caption: str
    x: str
    y: str
    where: Mapping[str, Value | tuple[Value, ...]] = dataclasses.field(default_factory=dict)
    hue: str | None = None
    column: str | None = None
    row: str | None = None
    kind: str = "line"
    theory: str | None = None
    log_x: bool = False
    log_y: bool = False
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Table:
    """One table: ``build`` turns the rows into the frame that is printed."""

    name: str
    title: str
    caption: str
    build: "Callable[[pd.DataFrame], pd.DataFrame]"


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a part's trials need of a machine; None stands for the value in params.yaml."""

    cpus: int | None = None
    gpus: float | None = None
    alone: bool = False
    """Whether nothing else may run on the machine meanwhile, as where time is measured."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A question, the trials that answer it, and the claims that are expected to hold."""

    doc: str | None
    trial: type[Trial]
    expects: "Callable[[pd.DataFrame], Iterator[Claim]]"
    figures: tuple[Figure | Table, ...] = ()
    needs: Needs = Needs()
    speaks_of: Mapping[str, Collection[str]] = dataclasses.field(default_factory=dict)
    """By field: the values that claims and figures look up, where the field accepts any name."""
    times: tuple[str, ...] = ()
    """Columns that hold times, which differ from run to run; if trials run alone, any may."""
    formerly: Callable[[Entries], Entries] | None = None
    """Turns a trial's entries as earlier code described them into today's, for ``adopt``."""


Answer = Callable[["pd.DataFrame"], str]
"""All rows -> two or three sentences whose every number is computed, uncertainty included."""
OTHER = "other studies"


@dataclasses.dataclass(frozen=True)
class Study:
    """A question in several parts, told apart by the column ``part``, or in one unnamed part."""

    doc: str | None
    parts: Mapping[str, Part]
    answer: Answer | None = None
    theme: str = OTHER
    """The heading under which the page over all studies lists it, such as ``pictures``."""

    def part_of(self, entries: Mapping[str, Value]) -> Part:
        """Return the part that a trial belongs to; KeyError if there is no such part."""
        return self.parts[str(entries.get("part", ""))]

    def run(self, entries: Entries, given: Given) -> list[Row]:
        """Measure one trial and return its rows."""
        return measured(self.part_of(entries).trial, entries, given)


def measured(kind: type[Trial], entries: Entries, given: Given) -> list[Row]:
    """Measure one trial of a kind and return its rows."""
    own = {name: value for name, value in entries.items() if name != "part"}
    rows: Any = kind.model_validate(own).measure(given)
    return [dict(row) for row in ([rows] if isinstance(rows, Mapping) else rows)]


def join(doc: str | None, answer: Answer | None = None, theme: str = OTHER, **parts: Part) -> Study:
    """Return a study of several parts, named by keyword."""
    return Study(doc, parts, answer, theme)


def single(part: Part, answer: Answer | None = None, theme: str = OTHER) -> Study:
    """Return a study of one unnamed part, whose question is the study's own."""
    return Study(part.doc, {"": part}, answer, theme)


def rows_of(rows: "pd.DataFrame", part: str) -> "pd.DataFrame":
    """Return a part's rows, without columns that are empty there; all rows if ``part`` is empty."""
    chosen = rows[rows["part"] == part] if part else rows
    return chosen.dropna(axis="columns", how="all") if part else chosen
