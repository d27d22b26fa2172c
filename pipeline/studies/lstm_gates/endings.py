"""What the rows of the part ``memory`` say: how each network ended, how far error flowed back."""

import pandas as pd

from pipeline.studies.lstm_gates.judging import LABELS
from pipeline.studies.lstm_gates.training import ends
from pipeline.study import Figure, Table


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
HORIZONS = Figure(
    name="memory-horizon",
    title="Horizon of error over training",
    caption="Steps over which error falls by e from the last step on, mean over seeds. Error that "
    "does not fall has none.",
    where={"probe": "horizon"},
    x="step",
    y="variant",
    hue="value",
    column="task",
    kind="heatmap",
    labels={**LABELS, "value": "steps"},
)
FLOW = Figure(
    name="memory-flow",
    title="Error at every tenth step of a sequence",
    caption="‖∂L/∂h‖ on the adding problem, mean over training and seeds; all of it comes from the "
    "last step.",
    where={"probe": "error_flow", "task": "adding"},
    x="t",
    y="value",
    hue="variant",
    log_y=True,
    labels={**LABELS, "t": "step of the sequence", "value": "norm of the error"},
)
