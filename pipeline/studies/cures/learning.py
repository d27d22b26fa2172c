"""Which cure makes a simple recurrent network learn, and at what price?

A row for each evaluation, with what clipping did since the one before, and one that sums up the
run: whether and when it succeeded, and the mean of what clipping did until then.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, PositiveFloat, model_validator

from pipeline.measuring.statistics import share_interval
from pipeline.studies.cures.predictions import expects, outcomes
from pipeline.studies.cures.runs import Cure
from pipeline.study import Figure, Given, Part, Row, Rows, Table

Measured = Mapping[str, Any]
"""A row of an evaluation with what was probed before it."""
COLUMNS = [
    *["task", "cure", "rate", "solved", "95 % interval", "updates", "clipped"],
    *["threshold / norm", "cosine", "final loss", "diverged"],
]
NOTE = (
    "Solved: from how many starts, with Wilson's interval; updates: the median until then, of "
    "those that were; clipped, threshold / norm (the mean norm before clipping) and cosine (of "
    "the update to the gradient): until then. Final loss: held out, mean ± 95 % interval "
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


class Learning(Cure):
    """A task and a cure that is tried on it.

    The references are no cure and the reference clip, a clip by norm at one threshold, at the
    task's own learning rate. What is varied puts other values in place of theirs.
    """

    varied: Literal["nothing", "threshold", "decay", "rate"]
    success: PositiveFloat | None = None
    """Below this it is solved: the wrong fraction of classes, or the squared error of values."""
    clip: Annotated[
        Literal["norm", "value", "adaptive"] | None,
        BeforeValidator(lambda name: None if name == "none" else name),
    ] = None
    """``none`` is none: a name for it, to stand beside the others."""

    @model_validator(mode="after")
    def _ends_evaluated(self) -> "Learning":
        if self.steps % self.every:
            raise ValueError(f"steps must be a multiple of evaluate_every, {self.every}")
        return self

    def measure(self, given: Given) -> Rows:
        """Train one network."""
        rows = self.train(given)
        about = {"cure": self.cure(), "kind": self.clip or "none"}
        curve = [{**about, "record": "curve", **row, "error": _wrong(row)} for row in rows]
        summed = outcome(rows, self.threshold, self.success)
        return [*curve, {**about, "record": "outcome", **summed}]

    def cure(self) -> str:
        """Return what the cure is called: its kinds, each with its number."""
        pairs = (self.clip, self.threshold), (self.decay, self.strength)
        named = [f"{kind} {number:g}" for kind, number in pairs if kind and number]
        return ", ".join(named) or "none"


def _wrong(row: Measured) -> float | None:
    """Return the fraction of outputs that are wrong; where they are values, the squared error."""
    accuracy = row["held_out_accuracy"]
    return row["held_out_loss"] if accuracy is None else 1 - accuracy


def outcome(rows: Sequence[Measured], threshold: float | None, success: float | None) -> Row:
    """Sum up one run.

    What a clip does is averaged over the updates before the first success, since afterwards next
    to no gradient is left: ``norm`` is Pascanu's mean norm, of gradients before clipping.
    """
    least, trained = success or 0.0, [row for row in rows if row["step"] > 0]
    errors = ((row["step"], _wrong(row)) for row in trained)
    solved = [step for step, error in errors if error is not None and error < least]
    before = [row for row in trained if row["step"] <= min(solved, default=math.inf)]
    norm, last = _mean(before, "norm"), rows[-1]
    return {
        "succeeded": None if success is None else bool(solved),
        "updates_to_success": min(solved, default=None),
        "final_loss": last["held_out_loss"],
        "diverged": last["diverged"],
        "norm": norm,
        "threshold_over_norm": threshold / norm if threshold and norm else None,
        "clipped": _mean(before, "clipped"),
        "kept": _mean(before, "kept"),
        "cosine": _mean(before, "cosine"),
    }


def _mean(rows: Sequence[Measured], name: str) -> float | None:
    """Return the mean of what is there; None where nothing is."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return sum(values) / len(values) if values else None


def _compared(*varied: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what builds the table of what is ``varied``, beside the references of its tasks."""

    def build(rows: pd.DataFrame) -> pd.DataFrame:
        ends = outcomes(rows)
        tasks = ends.loc[ends["varied"].isin(varied), "task"].unique()
        kept = ends["varied"].isin(["nothing", *varied]) & ends["task"].isin(tasks)
        by = ends[kept].groupby(["task", "cure", "learning_rate"], sort=False)
        lines = [
            {"task": str(task).replace("_", " "), "cure": cure, "rate": rate, **_line(runs)}
            for (task, cure, rate), runs in by
        ]
        return pd.DataFrame(lines, columns=COLUMNS)

    return build


def _line(runs: pd.DataFrame) -> dict[str, str | float]:
    """Sum up the seeds of one cure."""
    solved = runs["succeeded"].dropna().astype(float)
    low, high = share_interval(solved) if len(solved) else (math.nan, math.nan)
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


FIGURES = (
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
    Table("clips", "Clipping, at one learning rate", NOTE, _compared("nothing", "threshold")),
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
    Table("rates-table", "Learning rates", NOTE, _compared("rate")),
    Table(
        "decays", "Decay of weights, alone and with the reference clip", NOTE, _compared("decay")
    ),
)
PART = Part(__doc__, Learning, expects, figures=FIGURES)
