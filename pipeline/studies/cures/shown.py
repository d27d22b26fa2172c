"""What the page shows of the cures: tables of how runs ended, and pictures."""

import math
from collections.abc import Callable

import pandas as pd

from pipeline.studies.cures.outcomes import interval, outcomes
from pipeline.study import Figure, Table


def compared(*varied: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what builds the table of the references and of what else is ``varied``."""

    def build(rows: pd.DataFrame) -> pd.DataFrame:
        ends = outcomes(rows)
        ends = ends[ends["varied"].isin(["nothing", *varied])]
        by = ends.groupby(["task", "cure", "learning_rate"], sort=False)
        return pd.DataFrame(
            [
                {**dict(zip(("task", "cure", "rate"), key, strict=True)), **_line(runs)}
                for key, runs in by
            ]
        )

    return build


def _line(runs: pd.DataFrame) -> dict[str, str | float]:
    """Sum up the seeds of one cure."""
    solved = runs["succeeded"].dropna().astype(float)
    low, high = interval(solved) if len(solved) else (math.nan, math.nan)
    loss = runs["final_loss"]
    spread = "" if len(loss) < 2 or math.isinf(loss.max()) else f" ± {loss.std():.3f}"
    return {
        "solved": f"{int(solved.sum())} of {len(solved)}" if len(solved) else "",
        "95 % interval": f"{low:.0%} to {high:.0%}" if len(solved) else "",
        "updates": runs["updates_to_success"].median()
        if "updates_to_success" in runs
        else math.nan,
        "clipped": f"{runs['clipped'].mean():.0%}",
        "threshold / norm": runs["threshold_over_norm"].median(),
        "cosine": runs["cosine"].mean(),
        "final loss": f"{loss.mean():.3f}{spread}",
        "diverged": f"{int(runs['diverged'].sum())}",
    }


NOTE = (
    "Solved: from how many starts, with Wilson's interval; updates: the median until then, of "
    "those that were; clipped, threshold / norm (the mean norm before clipping) and cosine (of "
    "the update to the gradient): until then. Final loss: held out, mean ± standard deviation."
)
LABELS = {
    "threshold_over_norm": "threshold / mean norm",
    "final_loss": "held-out loss at the end",
    "held_out_loss": "held-out loss",
    "learning_rate": "learning rate",
    "step": "updates",
    "kind": "clip",
}
SHOWN = (
    Table("clips", "Clipping, at one learning rate", NOTE, compared("threshold")),
    Figure(
        name="thresholds",
        title="How a run ends, by its threshold over its mean norm",
        caption="Each point is a run; Pascanu et al. advise thresholds of 1/2 to 10 times the mean "
        "norm, of clips by norm. Those by value and by unit bound single entries or units, so "
        "theirs lie lower.",
        where={
            "record": "outcome",
            "varied": ("nothing", "threshold"),
            "kind": ("norm", "value", "adaptive"),
        },
        x="threshold_over_norm",
        y="final_loss",
        hue="kind",
        column="task",
        kind="scatter",
        log_x=True,
        log_y=True,
        labels=LABELS,
    ),
    Figure(
        name="curves",
        title="Learning with the reference clip and without any",
        caption="Held-out loss, mean and range over seeds.",
        where={"record": "curve", "varied": "nothing"},
        x="step",
        y="held_out_loss",
        hue="cure",
        column="task",
        log_y=True,
        labels=LABELS,
    ),
    Figure(
        name="rates",
        title="Learning rates with the reference clip and without any",
        caption="Held-out loss at the end, mean and range over seeds.",
        where={"record": "outcome", "varied": ("nothing", "rate")},
        x="learning_rate",
        y="final_loss",
        hue="cure",
        column="task",
        log_x=True,
        log_y=True,
        labels=LABELS,
    ),
    Table("rates-table", "Learning rates", NOTE, compared("rate")),
    Table("decays", "Decay of weights, alone and with the reference clip", NOTE, compared("decay")),
)
