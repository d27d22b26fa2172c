"""How the networks compare at the end: the checks, figures and tables that memory and text share.

Losses are compared by their medians over seeds, so that one run which has not begun to learn, or
is thrown back in its last batch, decides nothing.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.statistics import last_evaluations
from pipeline.study import Check, Figure, Table

WITHOUT = "without "
DEAREST = (f"{WITHOUT}forget", f"{WITHOUT}output activation")
CURVES = (
    *("lstm", "coupled_lstm", "gru", "janet", "srn", "without input", "without forget"),
    *("without output activation", "forget bias -1", "forget bias 4"),
)
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


def final_evaluations(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each trial's last evaluation; a run that diverged has an infinite loss."""
    evaluations = rows[rows["probe"].isna()] if "probe" in rows else rows
    return last_evaluations(evaluations, ("task", "variant", "seed"))


def probe_rows(rows: pd.DataFrame, probe: str, quantity: str) -> pd.DataFrame:
    """Return a probe's rows of one quantity, none where it was not attached."""
    if "probe" not in rows:
        return rows.head(0)
    return rows[(rows["probe"] == probe) & (rows["quantity"] == quantity)]


def final_losses(rows: pd.DataFrame) -> pd.Series:
    """Return each network's median loss at the end."""
    return final_evaluations(rows).groupby("variant", sort=False)["held_out_loss"].median()


def what_parts_cost(where: str, rows: pd.DataFrame) -> Iterator[Check]:
    """Check what it costs to take out each part, and to couple the gates."""
    loss = final_losses(rows)
    parts = loss[loss.index.str.startswith(WITHOUT)].sort_values(ascending=False)
    if len(parts) > 1 and "lstm" in loss:
        each = ", ".join(f"{str(k).removeprefix(WITHOUT)} {v:.4g}" for k, v in parts.items())
        claim = f"{where}: of the parts, forget gate or output activation costs most"
        yield Check(claim, parts.index[0] in DEAREST, f"{each}; whole {loss['lstm']:.4g}")
    if "coupled_lstm" in loss and set(DEAREST) <= set(loss.index):
        coupled, least = loss["coupled_lstm"], min(loss[name] for name in DEAREST)
        claim = f"{where}: coupled gates cost less than either"
        yield Check(claim, bool(coupled < least), f"{coupled:.4g} against {least:.4g}")


def training_saturates(where: str, rows: pd.DataFrame) -> Iterator[Check]:
    """Check that LSTM's gates are further saturated at the end of training than at its start."""
    seen = probe_rows(rows, "gates", "saturated")
    seen = seen[(seen["variant"] == "lstm") & (seen["gate"] != "h")]
    if len(seen):
        by_step = seen.groupby("step")["value"].mean()
        early, late = by_step.iloc[0], by_step.iloc[-1]
        claim = f"{where}: training saturates lstm's gates"
        yield Check(claim, bool(late > early), f"{early:.1%} → {late:.1%}")


def learning_curves(name: str, title: str) -> Figure:
    """Return the learning curves of the networks that are most unlike each other."""
    return Figure(
        name=name,
        title=title,
        caption="Held-out loss along training; the table has the other networks.",
        where={"diverged": False, "variant": CURVES},
        x="step",
        y="held_out_loss",
        hue="variant",
        column="task",
        log_y=True,
        labels=LABELS,
    )


def lstm_gates(name: str, row: str | None) -> Figure:
    """Return a heat map of training × gate: how much of LSTM's gates is shut, open, or either."""
    return Figure(
        name=name,
        title="LSTM's gates over training",
        caption="Share of each gate's values that are below .1, above .9, or either; what is "
        "missing lies between. Mean over the batches since the column before, and over seeds; of "
        "h, of its absolute values.",
        where={"probe": "gates", "variant": "lstm", "quantity": ("below", "above", "saturated")},
        x="step",
        y="gate",
        hue="value",
        column="quantity",
        row=row,
        kind="heatmap",
        labels=LABELS,
    )


def saturation(name: str) -> Table:
    """Return the table of how far each network's gates are saturated, early and late."""
    return Table(
        name=name,
        title="Saturation of every network's gates, in %",
        caption="Share of a gate's values below .1 or above .9, in the first and the last stretch "
        "of training, mean over tasks and seeds; of h, of its absolute values.",
        build=_saturation,
    )


def _saturation(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how much of each gate is saturated early and late, by network, tasks together."""
    seen = probe_rows(rows, "gates", "saturated")
    lines: dict[str, dict[str, str]] = {}
    for (variant, gate), of_gate in seen.groupby(["variant", "gate"], sort=False):
        share = of_gate.groupby(["task", "step"])["value"].mean().groupby("task")
        early, late = share.first().mean(), share.last().mean()
        lines.setdefault(str(variant), {})[str(gate)] = f"{100 * early:.0f} → {100 * late:.0f}"
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()]).fillna("")
