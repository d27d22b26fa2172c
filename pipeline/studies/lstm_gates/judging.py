"""What the ends of trials say: the checks and figures that memory and text share.

Losses are compared by their medians over seeds, so that one run which has not begun to learn, or
is thrown back in its last batch, decides nothing.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.studies.lstm_gates.training import RANGES, ends
from pipeline.study import Check, Figure

WITHOUT = "without "
DEAREST = (f"{WITHOUT}forget", f"{WITHOUT}output activation")
LABELS = {
    "progress": "training (%)",
    "saturated": "below .1 or above .9",
    "share": "share of values",
    "range": "gate's value",
    "held_out_loss": "held-out loss",
    "steps_back": "horizon (steps)",
}


def losses(rows: pd.DataFrame) -> pd.Series:
    """Return each variant's median loss at the end."""
    return ends(rows).groupby("variant", sort=False)["loss"].median()


def ordering(where: str, rows: pd.DataFrame) -> Iterator[Check]:
    """Check what it costs to take out each part, and to couple the gates."""
    loss = losses(rows)
    parts = loss[loss.index.str.startswith(WITHOUT)].sort_values(ascending=False)
    if len(parts) > 1:
        said = ", ".join(f"{str(part).removeprefix(WITHOUT)} {v:.4g}" for part, v in parts.items())
        claim = f"{where}: of the parts, forget gate or output activation costs most"
        yield Check(claim, parts.index[0] in DEAREST, f"{said}; whole {loss['lstm']:.4g}")
    if "coupled_lstm" in loss and set(DEAREST) <= set(loss.index):
        coupled, least = loss["coupled_lstm"], min(loss[name] for name in DEAREST)
        claim = f"{where}: coupled gates cost less than either"
        yield Check(claim, bool(coupled < least), f"{coupled:.4g} against {least:.4g}")


def saturating(where: str, rows: pd.DataFrame) -> Iterator[Check]:
    """Check that LSTM's gates are further saturated at the end of training than at its start."""
    seen = rows[(rows["kind"] == "saturation") & (rows["variant"] == "lstm")]
    seen = seen[seen["gate"] != "h"]
    early, late = (seen[seen["step"] == at]["saturated"].mean() for at in _span(seen))
    yield Check(
        f"{where}: training saturates lstm's gates", late > early, f"{early:.1%} → {late:.1%}"
    )


def _span(seen: pd.DataFrame) -> tuple[int, int]:
    return seen["step"].min(), seen["step"].max()


def curves(name: str, title: str, row: str | None = None) -> Figure:
    """Return the learning curves of the networks that are no LSTM with a part taken out."""
    return Figure(
        name=name,
        title=title,
        caption="Held-out loss along training.",
        where={"kind": "evaluation"},
        x="progress",
        y="held_out_loss",
        hue="variant",
        column="task",
        row=row,
        log_y=True,
        labels=LABELS,
    )


def saturation(name: str, title: str, row: str | None) -> Figure:
    """Return a heat map of training × network for each gate."""
    return Figure(
        name=name,
        title=title,
        caption="Share of a gate's values below .1 or above .9, mean over seeds; of h, of its "
        "absolute values.",
        where={"kind": "saturation", "gate": ("input", "forget", "output", "h")},
        x="progress",
        y="variant",
        hue="saturated",
        column="gate",
        row=row,
        kind="heatmap",
        labels=LABELS,
    )


def histogram(name: str, title: str, row: str | None) -> Figure:
    """Return LSTM's gates as histograms over training."""
    return Figure(
        name=name,
        title=title,
        caption=f"Share of each gate's values {', '.join(RANGES)} over training, mean over seeds.",
        where={"kind": "histogram", "variant": "lstm", "gate": ("input", "forget", "output")},
        x="progress",
        y="range",
        hue="share",
        column="gate",
        row=row,
        kind="heatmap",
        labels=LABELS,
    )
