"""What is expected of digits that are asked for, and how the page shows them."""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import above, ordered, within
from pipeline.measuring.statistics import with_interval
from pipeline.studies.adversarial_dynamics.digits import DOC, GAME, REAL, Digits
from pipeline.study import Claim, Figure, Part, Table

RECOGNISED, WEAKEST, VARIETY = 0.95, 0.9, (0.7, 1.3)


def ends(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return how each method was judged, by seed: the index."""
    end = rows[rows["record"] == "end"]
    return {str(of): seen.set_index("seed") for of, seen in end.groupby("method", sort=False)}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the game's digits to what was expected of them, and its labels to mattering."""
    by = ends(rows)
    if GAME in by:
        of = by[GAME]
        for text, column, least in (
            ("of asked-for digits 95 % are recognised", "recognised", RECOGNISED),
            ("of the weakest class 90 % are", "weakest", WEAKEST),
        ):
            claim = above(text, of[column].astype(float), least, expected=10)
            yield claim.if_missed(SHORT)
        low, high = VARIETY
        said = f"within a class they vary {low} to {high} times as much as real ones"
        claim = within(said, of["variety"].astype(float), low, high, expected=10)
        yield claim.if_missed(SHORT)
    label = rows[rows["record"] == "label"].set_index("seed")
    if len(label):
        said = "told another class, the discriminator thinks less of a real digit"
        yield ordered(said, label["other"], label["own"], expected=11)
    if {GAME, REAL} <= by.keys():
        said = "who learned from generated digits alone is right less often than from real ones"
        yield ordered(said, by[GAME]["score"], by[REAL]["score"], expected=12)


SHORT = "the game was short: a few epochs of half of the digits"


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how the digits of each method were judged."""
    return pd.DataFrame(
        {
            "digits": method,
            "recognised, %": with_interval(100 * of["recognised"], 1),
            "weakest class, %": with_interval(100 * of["weakest"], 1),
            "variety": with_interval(of["variety"], 2),
            "from these alone, %": with_interval(100 * of["score"], 1),
            "to the nearest known": with_interval(of["nearest"], 2),
            "judge on real ones, %": with_interval(100 * of["judge"], 1),
        }
        for method, of in ends(rows).items()
    )


LABELS = {
    "step": "batches",
    "copy": "sample",
    "recognised": "recognised",
    "held_out_loss": "D's loss",
}
PART = Part(
    DOC,
    Digits,
    expects,
    figures=(
        Table(
            name="judged",
            title="Asked-for digits, judged",
            caption="Variety: within classes, variance over that of real digits. From these alone: "
            "how often a network is right on the test part that learned from these digits alone. "
            "To the nearest known: distance to the nearest digit that was learned from, over that "
            "of unseen real digits. Mean and 95 % interval over seeds.",
            build=table,
        ),
        Figure(
            name="asked-for",
            title="Digits that were asked for",
            caption="Of the first seed, as they came.",
            x="copy",
            y="digit",
            where={"record": "picture"},
            hue="picture",
            column="method",
            kind="pictures",
            labels=LABELS,
        ),
        Figure(
            name="classes",
            title="Recognised, class by class",
            caption="The share that a judge of other digits takes for what was asked for.",
            x="digit",
            y="recognised",
            where={"record": "class"},
            hue="method",
            kind="bar",
            labels=LABELS,
        ),
        Figure(
            name="game",
            title="The discriminator's loss on held-out digits",
            caption="Without what regularisers add; log 4 is that of a draw.",
            x="step",
            y="held_out_loss",
            where={"record": "curve"},
            labels=LABELS,
        ),
        Figure(
            name="digits-gradients",
            title="Both players' gradients",
            caption="Norms, mean since the evaluation before; mean and range over seeds.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "players", "quantity": "norm"},
            hue="player",
            log_y=True,
            labels={**LABELS, "value": "‖∂L/∂w‖"},
        ),
        Figure(
            name="digits-turns",
            title="Cosine of successive steps",
            caption="Of either player and of both together.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "players", "quantity": "cosine"},
            hue="player",
            labels={**LABELS, "value": "cosine"},
        ),
    ),
)
