"""What the rows of the part ``memory`` say: how each network ended, how far error flowed back."""

import math

import pandas as pd

from pipeline.measuring.measures import line
from pipeline.studies.lstm_gates.judging import LABELS
from pipeline.studies.lstm_gates.training import ends, of_probe
from pipeline.study import Figure, Table

AT_THE_END = ("adding", "temporal_order")
"""Tasks of which the last step alone has a loss: all error comes from there."""
FLAT = 1e-6


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's loss at the end of each task, and how many seeds solved it."""
    lines: dict[str, dict[str, str]] = {}
    for (variant, task), seen in ends(rows).groupby(["variant", "task"], sort=False):
        solved = int(seen["solved"].astype(bool).sum())
        words = f"{seen['held_out_loss'].median():.4f}, {solved}/{len(seen)}"
        lines.setdefault(str(variant), {})[str(task)] = words
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()])


def strings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each network gets right of the embedded Reber grammar."""
    seen = ends(rows[rows["task"] == "embedded_reber"])
    told = {
        "strings_right": "strings",
        "last_but_one_right": "last but one",
        "steps_right": "steps",
    }
    means = seen.groupby("variant", sort=False)[list(told)].mean()
    return means.rename(columns=told).rename_axis("network").reset_index().round(3)


def rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how much ln ‖∂L/∂h‖ falls a step back, by task, network, seed and stretch."""
    seen = of_probe(rows, "error_flow", "log10").dropna(subset=["value"])
    seen = seen[seen["task"].isin(AT_THE_END)]
    lines = []
    for at, flow in seen.groupby(["task", "variant", "seed", "step"], sort=False):
        if len(flow) > 1:
            slope, _, _ = line(flow["t"].tolist(), flow["value"].tolist())
            lines.append([*at, slope * math.log(10)])  # pyright: ignore[reportGeneralTypeIssues]
    return pd.DataFrame(lines, columns=["task", "variant", "seed", "step", "rate"])


def horizons(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the horizon of each network, early and late, on the tasks judged at their end."""
    lines: dict[str, dict[str, str]] = {}
    for (variant, task), seen in rates(rows).groupby(["variant", "task"], sort=False):
        rate = seen.groupby("step")["rate"].median()
        words = f"{_steps(rate.iloc[0])} → {_steps(rate.iloc[-1])}"
        lines.setdefault(str(variant), {})[str(task)] = words
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()]).fillna("")


def _steps(rate: float) -> str:
    """Return 1 / rate as words; a rate within rounding of the probe's float32 is none."""
    if abs(rate) < FLAT:
        return "no decay"
    return f"{1 / rate:.1f}" if rate > 0 else "grows"


FINAL = Table(
    name="memory-final",
    title="Held-out loss at the end, and how many seeds solved the task",
    caption="Median over seeds; squared error of adding, nats of the others.",
    build=final,
)
STRINGS = Table(
    name="memory-strings",
    title="What is right of the embedded Reber grammar",
    caption="Share of held-out strings right throughout, of those right at the last symbol but "
    "one, and of steps; means over seeds.",
    build=strings,
)
HORIZONS = Table(
    name="memory-horizons",
    title="Horizon of error, early and late in training, in steps",
    caption="Steps over which ‖∂L/∂h‖ falls by e, by its slope over the whole sequence, in the "
    "first and in the last stretch of training; of tasks whose loss is all at the last step. "
    "Median over seeds.",
    build=horizons,
)
FLOW = Figure(
    name="memory-flow",
    title="Error along the sequence over training, adding problem",
    caption="log₁₀ ‖∂L/∂h‖ by step of the sequence, mean over the batches since the column before, "
    "and over seeds; all of it comes from the last step.",
    where={
        "probe": "error_flow",
        "task": "adding",
        "variant": ("lstm", "gru", "srn", "forget bias -1"),
    },
    x="step",
    y="t",
    hue="value",
    column="variant",
    kind="heatmap",
    labels={**LABELS, "t": "step of the sequence", "value": "log₁₀ of the norm"},
)
