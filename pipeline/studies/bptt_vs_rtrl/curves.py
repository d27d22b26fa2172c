"""What the rows of the part ``training`` say: where each run ended."""

import pandas as pd


def last(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each trial's last evaluation."""
    return rows.sort_values("step").groupby("hash").tail(1)


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each rule's last held-out loss on each task."""
    online = last(rows[rows["regime"] == "online"]).groupby(["rule", "task"])["held_out_loss"]
    shown = online.mean().map("{:.3f}".format) + " ± " + online.std().map("{:.3f}".format)
    return shown.unstack("task").reset_index()
