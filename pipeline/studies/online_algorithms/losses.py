"""What the rows of the part ``learning`` say: where each run ended."""

import math

import pandas as pd

from pipeline.measuring import finals
from pipeline.study import Table


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each trial's last row; a run that diverged has an infinite loss."""
    return finals.ends(rows, ("task", "cell", "rule", "seed"))


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each rule's final loss on each task, and the task's chance and floor."""
    lines = {}
    for (task, cell), seen in ends(rows).groupby(["task", "cell"], sort=False):
        column = f"{task}, {cell}"
        for rule, loss in seen.groupby("rule", sort=False)["held_out_loss"]:
            spread = "" if len(loss) < 2 else f" ± {loss.std():.4f}"
            lines.setdefault(str(rule), {})[column] = f"{loss.mean():.4f}{spread}"
        for limit in ("chance", "floor"):
            value = seen[limit].max() if limit in seen else math.nan
            lines.setdefault(limit, {})[column] = "" if math.isnan(value) else f"{value:.4f}"
    return pd.DataFrame([{"rule": rule, **by} for rule, by in lines.items()]).fillna("")


TABLE = Table(
    name="learning-final",
    title="Held-out loss at the end of online learning",
    caption="Mean ± standard deviation over seeds, after the same number of updates of the same "
    "size; nats where classes are told, squared error elsewhere. Chance: the targets' distribution "
    "alone; floor: the least possible, where known.",
    build=final,
)
