"""The vocabulary of a declaration: Trial, Part, Study, Claim, Figure, Table.

A study is a module whose docstring is its question and its numbered expectations, and which names
STUDY: its parts, one or several, and the answer that their rows give. A part is

    a Trial    what one run is described by, every parameter once, and how it is measured
    expects    all rows -> the claims that its prediction makes
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
"""A trial as plain values, which is how it travels and what the journal keeps."""
Row = dict[str, Value]
Rows = Mapping[str, Value] | Iterable[Mapping[str, Value]]
"""What ``measure`` returns: one row, or several."""
T = TypeVar("T")


LARGEST_SEED, MOST = 2**32 - 1, 10**9
"""The largest seed that every generator takes, and what no run lives to count to."""
Whole = Annotated[int, pydantic.Field(ge=0, le=MOST)]
"""The type of a field that holds how many there are, where it may be none."""
Count = Annotated[Whole, pydantic.Field(ge=1)]
"""The type of a field that holds a size, or how often something is done: from 1 on."""


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
    """A folder of its own for checkpoints, which outlives a killed worker."""


class Trial(Section, abc.ABC):
    """One run: its parameters as fields, written here alone, and how it is measured.

    In params/<study>.yaml a field has a value; a list of values, each tried; or a mapping from
    values to what else each of them brings. All that is swept is multiplied out. ``seeds: 5`` is
    short for seeds 0 to 4. A field may be left out where None is its default; None says nothing,
    so trials are described as before where a field is added later with that default.

    A trial names the data sets that it reads in the field ``dataset``, or in several that end in
    ``_dataset``.
    """

    seed: Annotated[int, pydantic.Field(ge=0, le=LARGEST_SEED)]

    @abc.abstractmethod
    def measure(self, given: Given) -> Rows:
        """Run the trial and return its rows, a function of its fields."""

    def entries(self) -> Entries:
        """Return the trial as plain values; what is structured is JSON."""
        return self.model_dump()


def named(registry: Collection[str]) -> pydantic.AfterValidator:
    """Return the validator of a registry's names, or of other names that are allowed.

    Use it as ``Annotated[str, named(CELLS)]``.
    """

    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(f"{name!r} is unknown: {nearest(name, registry)}")
        return name

    return pydantic.AfterValidator(check)


class Structured:
    """Marks a field whose value is a mapping or a list itself, not several values to try.

    Use it as ``Annotated[dict[str, int], *AS_TEXT]``: among a trial's entries it is JSON, in the
    order in which it was written.
    """


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _written(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


AS_TEXT = (Structured(), pydantic.BeforeValidator(_read), pydantic.PlainSerializer(_written))
Options = Annotated[dict[str, Any], *AS_TEXT]
"""The type of a field that holds what something is built with, by name."""


def key(entries: Mapping[str, Value]) -> str:
    """Return a trial as canonical text, whatever the order of its entries; None says nothing."""
    said = {name: value for name, value in entries.items() if value is not None}
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def datasets_of(entries: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the data sets that a trial names."""
    fields = (name for name in entries if name == "dataset" or name.endswith("_dataset"))
    return tuple(sorted({str(entries[name]) for name in fields if entries[name] is not None}))


HOLDS, MISSED, UNDECIDED = "holds", "missed", "undecided"
"""The verdicts on a claim."""
LEVEL = 0.05
"""Of the family of a study's claims, and one minus that of each interval."""
BEFORE = "before the first run"
"""When a claim was stated that no look at a result has changed."""


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
    """When; what changed after a look is said here in a sentence."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """One prediction and what is known of it; ``pipeline.measuring.evidence`` makes claims."""

    text: str
    expected: int
    """The number of the expectation in the study's text that it checks."""
    seen: str
    """What was seen, in words, with its interval."""
    wanted: str
    """Where the number was expected, in words."""
    exact: bool
    """Whether there is no chance in it: a count, a theorem."""
    p: tuple[float, float]
    """The p-values of its being false, and of its being true; of an exact claim 0 and 1."""
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    """The ends of the 95 % interval."""
    effect: float = math.nan
    """How far within the region, in standard deviations of the replicates."""
    replicates: int = 0
    parts: int = 1
    """How many claims it joins."""
    published: Published | None = None
    cause: str = ""
    """Why it is likely missed, where it is."""

    @property
    def verdict(self) -> str:
        """Return the verdict on it alone, before its family is corrected for."""
        return self.judged(2 * min(self.p))

    def judged(self, corrected: float) -> str:
        """Return the verdict on it, given its p-value of both sides, corrected for its family."""
        if not corrected <= LEVEL:
            return UNDECIDED
        return HOLDS if self.p[0] < self.p[1] else MISSED

    def stands_for(self, published: Published) -> "Claim":
        """Return it as what reproduces a published figure."""
        return dataclasses.replace(self, published=published)

    def if_missed(self, cause: str) -> "Claim":
        """Return it with the likely cause, should it be missed."""
        return dataclasses.replace(self, cause=cause)


@dataclasses.dataclass(frozen=True)
class Figure:
    """One picture of the rows; ``where`` picks the rows, the rest says what to draw.

    ``kind`` is line (mean and range over seeds), scatter, bar or heatmap, whose cells show the
    mean of ``hue``, or pictures, whose cells show the first of it, as ``packed`` makes text of one.
    ``theory`` names a column of predicted values, drawn dashed beside the measured ones. ``labels``
    says how columns, and values that are words, are called.
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
    """What a part's trials need of a machine; None is what params.yaml gives every trial."""

    cpus: int | None = None
    gpus: float | None = None
    alone: bool = False
    """Whether nothing else may run on the machine meanwhile: for parts that measure time."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A question, how it is put to the machine, and what is expected of the answer."""

    doc: str | None
    trial: type[Trial]
    expects: "Callable[[pd.DataFrame], Iterator[Claim]]"
    figures: tuple[Figure | Table, ...] = ()
    needs: Needs = Needs()
    speaks_of: Mapping[str, Collection[str]] = dataclasses.field(default_factory=dict)
    """The names that its claims and figures look up in a field whose values are free, by field."""
    times: tuple[str, ...] = ()
    """Columns that hold times, which differ from run to run; of a part alone, all may."""
    formerly: Callable[[Entries], Entries] | None = None
    """A trial's entries as they were described before -> as they are now, for ``adopt``."""


Answer = Callable[["pd.DataFrame"], str]
"""All rows -> two or three sentences whose every number is computed, uncertainty included."""
OTHER = "other studies"


@dataclasses.dataclass(frozen=True)
class Study:
    """A question of several parts, told apart by the column ``part``, or of one without a name."""

    doc: str | None
    parts: Mapping[str, Part]
    answer: Answer | None = None
    theme: str = OTHER
    """Of which studies the page over all of them shows it as one: ``pictures``."""

    def part_of(self, entries: Mapping[str, Value]) -> Part:
        """Return the part that a trial belongs to; KeyError if there is none such."""
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
    """Return the study of several parts."""
    return Study(doc, parts, answer, theme)


def single(part: Part, answer: Answer | None = None, theme: str = OTHER) -> Study:
    """Return the study of one part, whose question is the study's own."""
    return Study(part.doc, {"": part}, answer, theme)


def rows_of(rows: "pd.DataFrame", part: str) -> "pd.DataFrame":
    """Return a part's rows and the columns that it fills; all of them where it has no name."""
    chosen = rows[rows["part"] == part] if part else rows
    return chosen.dropna(axis="columns", how="all") if part else chosen
