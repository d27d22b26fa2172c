"""A small study with every kind of figure, its rows, and an ear for its page."""

import dataclasses
import math
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.running import journal as records

from pipeline.reporting import report
from pipeline.running.fingerprint import Fingerprints
from pipeline.study import Check, Figure, Row, Section, Study, Table, Trial

NAME, SCALE = "forgetting", "quick"
DOC = """How fast does a network forget, & does <depth> matter?

A state decays by a factor a step. See ``decay``.

Expected:
    1. The slope is what theory says,
       to 10 %.
    2. Depth does not matter.

References:
    Nobody (1990), A title that goes on and on until it
    is done, Journal 1(2).
    Somebody (1991), Another, arXiv:1234.56789.
"""


class Params(Section):
    """Sizes of the sweep."""

    sizes: list[int]
    seeds: int


def trials(p: Params) -> Iterator[Trial]:
    for rule in ("fast", "slow", "same"):
        for size in p.sizes:
            for seed in range(p.seeds):
                yield {"rule": rule, "size": size, "deep": size > 20, "seed": seed}


def measure(rule: str, size: int, deep: bool, seed: int) -> Iterator[Row]:
    power = {"fast": 2, "slow": 1, "same": 1}[rule]
    for step in (1, 10, 100):
        value = size**power * step * (1 + 0.05 * seed)
        lost = rule == "slow" and size == 10 and step == 100
        yield {
            "step": step,
            "value": math.nan if lost else value,
            "expected": float(size**power * step),
            "word": "late" if step > 1 else "early",
        }


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    fast = rows[rows["rule"] == "fast"]
    yield Check("depth does not matter", fast["value"].max() < 10, f"{fast['value'].max():.0f}")
    yield Check("values are positive", rows["value"].min() > 0, "all")


def _means(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby("rule", sort=False)["value"].max().reset_index().assign(lost=math.nan)


FIGURES = (
    Figure(
        "growth", "Growth", "By rule.", "size", "value", {"step": (1, 10)}, "rule",
        column="word", row="deep", theory="expected", log_x=True, log_y=True,
        labels={"size": "units n", "fast": "the fast rule"},
    ),
    Figure("curves", "Curves", "All.", "step", "value", hue="rule", log_y=True),
    Figure("plain", "Plain", "One series.", "size", "value"),
    Figure("words", "Words", "A line over words.", "word", "value", hue="size"),
    Figure("points", "Points", "Each row.", "size", "value", hue="rule", kind="scatter"),
    Figure(
        "bars", "Bars", "Means.", "rule", "value", hue="word", kind="bar", theory="expected"
    ),
    Figure("map", "Map", "Means.", "size", "rule", hue="value", column="word", kind="heatmap"),
)  # fmt: skip
TABLES = (Table("means", "Means", "Most of each rule.", _means),)
STUDY = Study(DOC, Params, trials, measure, expects, (*FIGURES[2:3], *TABLES))
"""With one figure, for what does not depend on figures."""
FULL = dataclasses.replace(STUDY, figures=(*FIGURES, *TABLES))
REAL = {
    "requested": "mnist",
    "served": "MNIST",
    "reason": "",
    "embedded": False,
    "files": {"images": "ab" * 32},
    "count": 60_000,
    "unit": "images",
    "address": "https://example.org/mnist",
    "licence": "CC BY-SA 3.0",
    "citation": "LeCun et al., 1998.",
}
STAND_IN = REAL | {
    "served": "scikit-learn's digits",
    "reason": "no address of MNIST could be reached",
    "embedded": True,
    "count": 1_797,
}


def put(
    root: Path,
    study: Study = STUDY,
    lost: int = 0,
    stale: int = 0,
    data: dict[str, Any] = REAL,
) -> None:
    """Write the table of a study: the first ``lost`` trials failed, ``stale`` are of older code."""
    params = Params(sizes=[10, 20, 40], seeds=2)
    section = {part: params.model_dump() for part in study.parts} or params.model_dump()
    given = study.Params.model_validate(section)
    ended, prints = {}, Fingerprints(study, {})
    for i, trial in enumerate(study.trials(given)):
        failed = i < lost
        rows = [] if failed else study.run(trial, {}, root)
        error = "WorkerCrashedError: <gone>" if failed else ""
        status = records.FAILED if failed else records.FINISHED
        code = "older" if i < stale else prints.code(trial)
        record = records.Record(f"{i:08x}", code, trial, rows, status, error, 1e9, 2.0, {}, {})
        ended[record.key] = record
    facts = {"study": NAME, "scale": SCALE, "params": section, "provenance": [data]}
    facts["versions"] = {"torch": "2.13.0"}
    frame = records.table(ended, study.trials(given), facts)
    records.save(frame, records.parquet(NAME, SCALE, root / "rows"))


def built(root: Path, study: Study = STUDY, **given: Any) -> tuple[str, Path]:
    """Write the table, build the report, return the page and the folder."""
    put(root, study, **given)
    folder = report.build(NAME, SCALE, root, {NAME: study})
    return (folder / "index.html").read_text(encoding="utf-8"), folder


class Elements(HTMLParser):
    """Every element's name and attributes, and the text outside the style sheet."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in ("meta", "link", "img", "source"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]
