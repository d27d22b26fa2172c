"""What the ends of trials say: the checks and figures that memory and text share.

Losses are compared by their medians over seeds, so that one run which has not begun to learn, or
is thrown back in its last batch, decides nothing.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.studies.lstm_gates.training import ends, of_probe
from pipeline.study import Check, Figure

WITHOUT = "without "
DEAREST = (f"{WITHOUT}forget", f"{WITHOUT}output activation")
LABELS = {
    "step": "batches",
    "value": "share of values",
    "held_out_loss": "held-out loss",
    "variant": "network",
    "below": "shut (below .1)",
    "above": "open (above .9)",
    "saturated": "either",
    "lstm": "LSTM",
    "h": "|h|",
}


def losses(rows: pd.DataFrame) -> pd.Series:
    """Return each network's median loss at the end."""
    return ends(rows).groupby("variant", sort=False)["held_out_loss"].median()


def ordering(where: str, rows: pd.DataFrame) -> Iterator[Check]:
    """Check what it costs to take out each part, and to couple the gates."""
    loss = losses(rows)
    parts = loss[loss.index.str.startswith(WITHOUT)].sort_values(ascending=False)
    if len(parts) > 1:
        said = ", ".join(f"{str(k).removeprefix(WITHOUT)} {v:.4g}" for k, v in parts.items())
        claim = f"{where}: of the parts, forget gate or output activation costs most"
        yield Check(claim, parts.index[0] in DEAREST, f"{said}; whole {loss['lstm']:.4g}")
    if "coupled_lstm" in loss and set(DEAREST) <= set(loss.index):
        coupled, least = loss["coupled_lstm"], min(loss[name] for name in DEAREST)
        claim = f"{where}: coupled gates cost less than either"
        yield Check(claim, bool(coupled < least), f"{coupled:.4g} against {least:.4g}")


def saturating(where: str, rows: pd.DataFrame) -> Iterator[Check]:
    """Check that LSTM's gates are further saturated at the end of training than at its start."""
    seen = of_probe(rows, "gates", "saturated")
    seen = seen[(seen["variant"] == "lstm") & (seen["gate"] != "h")]
    if len(seen):
        by_step = seen.groupby("step")["value"].mean()
        early, late = by_step.iloc[0], by_step.iloc[-1]
        claim = f"{where}: training saturates lstm's gates"
        yield Check(claim, bool(late > early), f"{early:.1%} → {late:.1%}")


def curves(name: str, title: str) -> Figure:
    """Return the learning curves."""
    return Figure(
        name=name,
        title=title,
        caption="Held-out loss along training.",
        where={"diverged": False},
        x="step",
        y="held_out_loss",
        hue="variant",
        column="task",
        log_y=True,
        labels=LABELS,
    )


def saturation(name: str, title: str, row: str | None) -> Figure:
    """Return a heat map of training × network for each gate."""
    return Figure(
        name=name,
        title=title,
        caption="Share of a gate's values below .1 or above .9 since the evaluation before, mean "
        "over seeds; of h, of its absolute values.",
        where={
            "probe": "gates",
            "quantity": "saturated",
            "gate": ("input", "forget", "output", "h"),
        },
        x="step",
        y="variant",
        hue="value",
        column="gate",
        row=row,
        kind="heatmap",
        labels=LABELS,
    )


def histogram(name: str, title: str, row: str | None) -> Figure:
    """Return a heat map of training × gate: how much of LSTM's gates is shut, open, or either."""
    return Figure(
        name=name,
        title=title,
        caption="Share of each gate's values that are below .1, above .9, or either; what is "
        "missing lies between. Mean over seeds; of h, of its absolute values.",
        where={"probe": "gates", "variant": "lstm", "quantity": ("below", "above", "saturated")},
        x="step",
        y="gate",
        hue="value",
        column="quantity",
        row=row,
        kind="heatmap",
        labels=LABELS,
    )
