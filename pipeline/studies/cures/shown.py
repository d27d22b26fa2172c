"""What the page shows of the cures: tables of how runs ended, and pictures."""

import math
from collections.abc import Callable

import pandas as pd

from pipeline.studies.cures.outcomes import interval, outcomes
from pipeline.study import Figure, Table


def compared(*varied: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what builds the table of what is ``varied``, beside the references of its tasks."""

    def build(rows: pd.DataFrame) -> pd.DataFrame:
        ends = outcomes(rows)
        tasks = ends.loc[ends["varied"].isin(varied), "task"].unique()
        shown = ends["varied"].isin(["nothing", *varied]) & ends["task"].isin(tasks)
        by = ends[shown].groupby(["task", "cure", "learning_rate"], sort=False)
        lines = [
            {"task": str(task).replace("_", " "), "cure": cure, "rate": rate, **_line(runs)}
            for (task, cure, rate), runs in by
        ]
        return pd.DataFrame(lines, columns=COLUMNS)

    return build


def _line(runs: pd.DataFrame) -> dict[str, str | float]:
    """Sum up the seeds of one cure."""
    solved = runs["succeeded"].dropna().astype(float)
    low, high = interval(solved) if len(solved) else (math.nan, math.nan)
    loss = runs.loc[~runs["diverged"].astype(bool), "final_loss"]
    spread = "" if len(loss) < 2 else f" ± {loss.std():.3f}"
    clipped = runs["clipped"].mean()
    return {
        "solved": f"{int(solved.sum())} of {len(solved)}" if len(solved) else "",
        "95 % interval": f"{low:.0%} to {high:.0%}" if len(solved) else "",
        "updates": runs["updates_to_success"].median()
        if "updates_to_success" in runs
        else math.nan,
        "clipped": "" if math.isnan(clipped) else f"{clipped:.0%}",
        "threshold / norm": runs["threshold_over_norm"].median(),
        "cosine": runs["cosine"].mean(),
        "final loss": f"{loss.mean():.3f}{spread}" if len(loss) else "",
        "diverged": f"{int(runs['diverged'].sum())} of {len(runs)}",
    }


COLUMNS = [
    *["task", "cure", "rate", "solved", "95 % interval", "updates", "clipped"],
    *["threshold / norm", "cosine", "final loss", "diverged"],
]
NOTE = (
    "Solved: from how many starts, with Wilson's interval; updates: the median until then, of "
    "those that were; clipped, threshold / norm (the mean norm before clipping) and cosine (of "
    "the update to the gradient): until then. Final loss: held out, mean ± standard deviation "
    "over runs that did not diverge."
)
LABELS = {
    "threshold_over_norm": "threshold / mean norm",
    "final_loss": "held-out loss at the end",
    "held_out_loss": "held-out loss",
    "learning_rate": "learning rate",
    "step": "updates",
    "kind": "clip",
    "temporal_order": "temporal order",
    "next_character": "next character",
    "adding": "adding",
}
SHOWN = (
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
    Table("clips", "Clipping, at one learning rate", NOTE, compared("nothing", "threshold")),
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
