"""The vocabulary of a declaration: Section, Study, Check, Figure, Table.

A study is a module whose docstring is its question and prediction, and which names

    Params    its section of params.yaml, validated
    trials    Params -> the flat dicts that describe its trials
    measure   a trial -> the rows that it yields
    expects   all rows -> the prediction's checks
    figures   what to draw of the rows

A study of several parts is the studies of its parts joined: see ``join``.
"""

import dataclasses
import inspect
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd
import pydantic

from lightning_modules.registry import nearest

Value = str | int | float | bool | None
Trial = dict[str, Value]
Row = dict[str, Value]
Rows = Mapping[str, Value] | Iterable[Mapping[str, Value]]
"""What ``measure`` returns: one row, or several."""


class Section(pydantic.BaseModel):
    """A section of params.yaml: frozen, strictly typed, unknown keys refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


def named(registry: Mapping[str, Any]) -> pydantic.AfterValidator:
    """Return the validator of a registry's names.

    Use it as ``Annotated[str, named(CELLS)]``.
    """

    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(f"{name!r} is unknown: {nearest(name, registry)}")
        return name

    return pydantic.AfterValidator(check)


class Check(NamedTuple):
    """One prediction: what was claimed, whether it holds, and what was seen."""

    claim: str
    holds: bool
    seen: str = ""


@dataclasses.dataclass(frozen=True)
class Figure:
    """One picture of the rows; ``where`` picks the rows, the rest says what to draw.

    ``kind`` is line (mean and range over seeds), scatter, bar or heatmap, whose cells show the
    mean of ``hue``. ``theory`` names a column of predicted values, drawn dashed beside the
    measured ones. ``labels`` says how columns, and values that are words, are called.
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
    build: Callable[[pd.DataFrame], pd.DataFrame]


@dataclasses.dataclass(frozen=True)
class Study:
    """A question, how it is put to the machine, and what is expected of the answer.

    ``measure`` takes the trial's entries as keywords. It may ask for two more by name: ``data``,
    a mapping from the names in ``Study.data`` to loaded data sets, and ``scratch``, a folder of
    the trial's own for checkpoints, which outlives a killed worker.
    """

    doc: str | None
    Params: type[Section]
    trials: Callable[[Any], Iterator[Trial]]
    measure: Callable[..., Rows]
    expects: Callable[[pd.DataFrame], Iterator[Check]]
    figures: tuple[Figure | Table, ...] = ()
    data: tuple[str, ...] = ()
    parts: Mapping[str, "Study"] = dataclasses.field(default_factory=dict)

    def of(self, trial: Trial) -> "Study":
        """Return the part that a trial belongs to: the study itself where it has no parts."""
        return self.parts[str(trial["part"])] if self.parts else self

    def run(self, trial: Trial, data: Mapping[str, Any], scratch: pathlib.Path) -> list[Row]:
        """Measure one trial and return its rows."""
        measure = self.of(trial).measure
        given: dict[str, Any] = {k: v for k, v in trial.items() if not (self.parts and k == "part")}
        asked = inspect.signature(measure).parameters
        extra = {k: v for k, v in (("data", data), ("scratch", scratch)) if k in asked}
        rows: Any = measure(**given, **extra)
        return [dict(row) for row in ([rows] if isinstance(rows, Mapping) else rows)]


def join(doc: str | None, **parts: Study) -> Study:
    """Return one study made of several, told apart by the column ``part``."""

    def trials(p: Any) -> Iterator[Trial]:
        for name, part in parts.items():
            yield from ({"part": name, **trial} for trial in part.trials(getattr(p, name)))

    def measure(part: str, **trial: Any) -> Rows:
        return parts[part].measure(**trial)

    def expects(rows: pd.DataFrame) -> Iterator[Check]:
        for name, part in parts.items():
            yield from part.expects(rows_of(rows, name))

    fields: dict[str, Any] = {name: (part.Params, ...) for name, part in parts.items()}
    return Study(
        doc=doc,
        Params=pydantic.create_model("Params", __base__=Section, **fields),
        trials=trials,
        measure=measure,
        expects=expects,
        figures=tuple(_within(name, f) for name, part in parts.items() for f in part.figures),
        data=tuple(sorted({d for part in parts.values() for d in part.data})),
        parts=parts,
    )


def rows_of(rows: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return a part's rows and the columns that it fills."""
    return rows[rows["part"] == part].dropna(axis="columns", how="all")


def _within(part: str, shown: Figure | Table) -> Figure | Table:
    """Return the figure or table restricted to the rows of its part."""
    if isinstance(shown, Figure):
        return dataclasses.replace(shown, where={"part": part, **shown.where})
    return dataclasses.replace(shown, build=lambda rows: shown.build(rows_of(rows, part)))
