"""A small study with every kind of figure, its journal, and an ear for its page."""

import math
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import PositiveInt

from pipeline import params
from pipeline.measuring.evidence import below, identity, within
from pipeline.measuring.statistics import with_interval
from pipeline.reporting import report
from pipeline.running import journal
from pipeline.running.fingerprint import Fingerprints
from pipeline.running.jobs import Job
from pipeline.running.journal import FAILED, FINISHED, Adoption, Held, Record
from pipeline.study import (
    Claim,
    Figure,
    Given,
    Part,
    Published,
    Row,
    Rows,
    Study,
    Table,
    Trial,
    single,
)

NAME, SCALE = "forgetting", "quick"
DOC = """How fast does a network forget, & does <depth> matter?

A state decays by a factor a step. See ``decay``.

Expected:
    1. The slope is what theory says,
       to 10 %.
    2. Depth does not matter.
    3. Nobody looks at ``this``.

References:
    Nobody (1990), A title that goes on and on until it
    is done, Journal 1(2).
    Somebody (1991), Another, arXiv:1234.56789.
"""
SECTION = """
  {part}rule: [fast, slow, same]
  {part}size:
    {part}10:
      {part}deep: false
    {part}20:
      {part}deep: false
    {part}40:
      {part}deep: true
  {part}seeds: 2
"""


class Forgetting(Trial):
    """A state that decays."""

    rule: str
    size: PositiveInt
    deep: bool

    def measure(self, given: Given) -> Rows:
        """Return a curve of three points, of which one is lost."""
        return curve(self)


def curve(trial: Forgetting) -> Iterator[Row]:
    power = {"fast": 2, "slow": 1, "same": 1}[trial.rule]
    for step in (1, 10, 100):
        value = trial.size**power * step * (1 + 0.05 * trial.seed)
        lost = trial.rule == "slow" and trial.size == 10 and step == 100
        yield {
            "step": step,
            "value": math.nan if lost else value,
            "expected": float(trial.size**power * step),
            "word": "late" if step > 1 else "early",
        }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    most = rows[rows["rule"] == "fast"].groupby("seed")["value"].max()
    depth = below("depth does not matter", most, 10, expected=2).if_missed("It was made so.")
    yield depth.stands_for(Published("depth", "Nobody (1990), table 1", "9 ± 1", "below 10"))
    yield identity("values are positive", rows["value"].min() > 0, "all", expected=1)
    slope = rows[rows["rule"] == "same"].groupby("seed")["value"].max() / 4_000
    yield within("the slope is 1", slope, 0.97, 1.07, expected=1)


def answer(rows: pd.DataFrame) -> str:
    return f"By a factor & no more: {with_interval(rows.groupby('seed')['value'].max(), 0)}."


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
PART = Part(DOC, Forgetting, expects, (*FIGURES[2:3], *TABLES))
STUDY = single(PART, answer)
"""With one figure, for what does not depend on figures."""
FULL = single(Part(DOC, Forgetting, expects, (*FIGURES, *TABLES)), answer, "forgetting")
REAL = {
    "requested": "mnist",
    "served": "MNIST",
    "reason": "",
    "embedded": False,
    "count": 60_000,
    "unit": "images",
    "address": "https://example.org/mnist",
    "licence": "CC BY-SA 3.0",
    "citation": "LeCun et al., 1998.",
    "sha256": "ab" * 32,
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
    ended: int | None = None,
    adopted: Mapping[int, Adoption] | None = None,
    data: dict[str, Any] = REAL,
) -> Job:
    """Write the file of parameters and the journal of a study; return the job.

    Of its trials, those of the fast rule first, the first ``lost`` failed, the first ``stale`` are
    of older code, and no more than ``ended`` have ended.
    """
    parts = [name for name in study.parts if name]
    sections = [f"\n  {p}:{SECTION.format(part='  ')}" for p in parts] or [SECTION.format(part="")]
    folder = root / "params"
    folder.mkdir(exist_ok=True)
    (folder / f"{NAME}.yaml").write_text(f"{SCALE}:{''.join(sections)}")
    trials = params.trials(NAME, study, SCALE, folder)
    job = Job(NAME, study, SCALE, trials, params.section(NAME, SCALE, folder))
    prints, (served,), records = Fingerprints(study), journal.fact(data), dict[str, Record]()
    order = sorted(trials.items(), key=lambda t: (str(t[1].get("part")), t[1]["rule"] != "fast"))
    for i, (key, trial) in enumerate(order[:ended]):
        failed, code = i < lost, "older" if i < stale else prints.code(trial)
        rows = [] if failed else study.run(trial, Given({}, root))
        error = "WorkerCrashedError: <gone>" if failed else ""
        records[key] = Record(
            f"{i:08x}", code, trial, rows, FAILED if failed else FINISHED, error, 1e9, 2.0,
            {"torch": "2.13.0"}, {"mnist": served}, (adopted or {}).get(i),
        )  # fmt: skip
    path = root / "rows" / SCALE / f"{NAME}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(journal.written(Held(records, {served: data})), encoding="utf-8")
    vars(job)["journal"] = journal.Journal(path)
    return job


def built(root: Path, study: Study = STUDY, **given: Any) -> tuple[str, Path]:
    """Write the journal, build the page, return it and its folder."""
    folder = report.build(put(root, study, **given), root)
    return (folder / "index.html").read_text(encoding="utf-8"), folder


def text_of(page: str) -> str:
    """Return a page's words, a space between any two."""
    return " ".join(Elements(page).text.split())


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
        if not {"style", "script"} & {*self.open}:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]
