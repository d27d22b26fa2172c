"""What is expected of digits that are asked for, and how they are shown."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.measuring.evidence import above, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.studies.deep_belief import generation
from pipeline.studies.deep_belief.generation import GREEDY, INDEPENDENT, TUNED, Generation
from pipeline.study import Claim, Figure, Part, Table

GOAL, WEAKEST = 0.9, 0.5
"""The share of asked-for digits that the judge takes for them, and that of the weakest class."""


def by_stage(rows: pd.DataFrame, record: str, column: str, how: str = "mean") -> dict[str, Any]:
    """Return the mean, or another reduction, of a column of a record by stage, by seed."""
    of = rows[rows["record"] == record].groupby(["stage", "seed"], sort=False)[column].agg(how)
    return {str(stage): of.loc[stage] for stage in of.index.unique("stage")}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold asked-for digits to what is taken for them, and up-down to reading better."""
    means, least = (by_stage(rows, "asked", "recognised", how) for how in ("mean", "min"))
    claim = f"asked-for digits: at least {GOAL:.0%} are taken for what was asked"
    yield above(claim, means[TUNED], GOAL, expected=5).if_missed(FEW)
    claim = f"asked-for digits: of each class at least {WEAKEST:.0%} are"
    yield above(claim, least[TUNED], WEAKEST, expected=5).if_missed(FEW)
    wrong = by_stage(rows, "test", "wrong")
    claim = "up-down takes errors away"
    yield ordered(claim, wrong[TUNED], wrong[GREEDY], expected=6)
    claim = "up-down reads digits better than independent pixels do"
    yield ordered(claim, wrong[TUNED], wrong[INDEPENDENT], expected=6)


FEW = "few epochs leave chains that mix slowly: a class that was started wrongly is not left"
"""Why asked-for digits would not be recognised."""


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how digits are read and made, at each stage."""
    wrong = by_stage(rows, "test", "wrong")
    asked = {how: by_stage(rows, "asked", "recognised", how) for how in ("mean", "min")}
    spread = by_stage(rows, "asked", "variety")
    return pd.DataFrame(
        {
            "stage": stage,
            "wrong, %": with_interval(of, 2),
            "recognised, %": with_interval(100 * asked["mean"][stage], 1),
            "weakest class, %": with_interval(100 * asked["min"][stage], 1),
            "variety": with_interval(spread[stage], 2),
        }
        for stage, of in wrong.items()
    )


LABELS = {
    "digit": "class",
    "place": "",
    "step": "batches of up-down",
    "wrong": "wrong, %",
    "recognised": "recognised",
}
PART = Part(
    generation.__doc__,
    Generation,
    expects,
    figures=(
        Figure(
            name="asked",
            title="Digits that were asked for",
            caption="Of the first seed: a column a class, means of the last pass down; on the "
            "right pixels drawn independently of each other.",
            x="digit",
            y="place",
            hue="pixels",
            kind="pictures",
            where={"record": "picture", "stage": (TUNED, INDEPENDENT)},
            column="stage",
            labels=LABELS,
        ),
        Table(
            name="generation",
            title="Digits read and made",
            caption="Wrong: test digits read by the same weights; Hinton, Osindero & Teh (2006) "
            "have 1.25 % after 359 epochs of up-down. Recognised: taken by the judge for what was "
            "asked. Variety: pixels' variance within a class, over that of real ones. Mean ± "
            "95 % interval over seeds.",
            build=_table,
        ),
        Figure(
            name="recognised",
            title="Recognised, by class",
            caption="Share of asked-for digits that the judge takes for them; mean and range.",
            x="digit",
            y="recognised",
            hue="stage",
            kind="bar",
            where={"record": "asked"},
            labels=LABELS,
        ),
        Figure(
            name="filters",
            title="What the lowest units look for",
            caption="The weights of the lowest layer's largest filters after greedy learning, of "
            "the first seed; grey is 0.",
            x="place",
            y="digit",
            hue="pixels",
            kind="pictures",
            where={"record": "filter"},
            labels={"digit": "", "place": ""},
        ),
        Figure(
            name="up-down",
            title="Wrong along up-down",
            caption="Held-out digits, mean and range over seeds.",
            x="step",
            y="wrong",
            where={"record": "curve"},
            log_y=True,
            labels=LABELS,
        ),
    ),
)
