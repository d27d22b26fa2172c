"""What the rows of the part ``saturation`` say: error and saturation by layer."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.measuring import finals
from pipeline.study import Check

USUAL, NORMALISED = "fan_in", "normalised"
BY = "activation", "start"
KEPT = {
    ("tanh", USUAL): (0.45, 0.65, "usual start, tanh: some 1/√3 of the error a layer (.45 to .65)"),
    ("tanh", NORMALISED): (0.8, 1.2, "normalised start, tanh: a layer keeps the error (.8 to 1.2)"),
    ("logistic", USUAL): (0.0, 0.25, "usual start, logistic: less than 1/4 of the error a layer"),
}
"""What a layer leaves of the error at the start: least, most, and the claim."""


def kept(rows: pd.DataFrame, by: Sequence[str] = BY) -> pd.Series:
    """Return what a layer leaves of the error's norm in the first batch, geometric mean."""
    first = rows[(rows["record"] == "layer") & (rows["step"] == 0)]
    mean: Any = first.groupby([*by, "layer"])["log10_error"].mean().unstack()
    return 10 ** ((mean.iloc[:, 0] - mean.iloc[:, -1]) / (mean.shape[1] - 1))


def ends(rows: pd.DataFrame, by: Sequence[str] = BY) -> pd.DataFrame:
    """Return held-out loss and share of wrong answers at the end, means over seeds."""
    curve = rows[rows["record"] == "curve"]
    last = finals.ends(curve, (*by, "seed"))
    last = last.assign(error=1 - last["held_out_accuracy"].fillna(0.0).astype(float))
    return last.groupby(list(by), sort=False)[["held_out_loss", "error"]].mean()


def along(rows: pd.DataFrame, quantity: str, by: Sequence[str] = BY) -> pd.DataFrame:
    """Return a quantity of each layer in training, by step, means over seeds."""
    layers = rows[(rows["record"] == "layer") & (rows["step"] > 0)]
    return layers.groupby([*by, "step", "layer"])[quantity].mean().unstack()


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the layers to Glorot and Bengio's findings."""
    left, loss = kept(rows), ends(rows)["held_out_loss"]
    for network, (least, most, claim) in KEPT.items():
        if network in left.index:
            yield Check(claim, bool(least <= left[network] <= most), f"{left[network]:.3f}")
    shares: Any = along(rows, "saturated")
    means: Any = along(rows, "mean")
    there = set(loss.index)
    if ("logistic", USUAL) in there:
        low = means.loc[("logistic", USUAL)].min()
        claim = "usual start, logistic: in training, the highest hidden layer is pushed down most"
        told = f"least mean output, from below {_told(low)}"
        yield Check(claim, bool(low.iloc[-1] < low.iloc[:-1].min()), told)
        peak = shares.loc[("logistic", USUAL)].max()
        claim = "usual start, logistic: in training, the highest hidden layer saturates most"
        told = f"greatest share, from below {_told(peak)}"
        yield Check(claim, bool(peak.iloc[-1] > peak.iloc[:-1].max()), told)
    starts = [start for start in (USUAL, NORMALISED) if ("logistic", start) in there]
    for start in starts:
        others = loss.xs(start, level="start").drop("logistic")
        if len(others):
            own = loss["logistic", start]
            claim = f"{start}: logistic units end worst"
            yield Check(claim, bool(own > others.max()), f"{own:.3f} against {others.max():.3f}")
    if {("tanh", USUAL), ("softsign", USUAL)} <= there:
        soft, tanh = (shares.loc[(name, USUAL)].iloc[-1].mean() for name in ("softsign", "tanh"))
        claim = "usual start: softsign saturates less than tanh"
        yield Check(claim, bool(soft < tanh), f"{soft:.3f} against {tanh:.3f}")
    if {("tanh", USUAL), ("tanh", NORMALISED)} <= there:
        usual, normalised = loss["tanh", USUAL], loss["tanh", NORMALISED]
        claim = "tanh ends better from the normalised start than from the usual one"
        yield Check(claim, bool(normalised < usual), f"{normalised:.4f} against {usual:.4f}")


def table(rows: pd.DataFrame, by: Sequence[str] = BY) -> pd.DataFrame:
    """Return for each network what a layer keeps, its ends, and its saturation by layer."""
    last = along(rows, "saturated", by).groupby(list(by)).last()
    told = last.apply(_told, axis=1)
    columns = {"kept a layer": kept(rows, by).round(3), "saturated, from below": told}
    return ends(rows, by).round(4).join(pd.DataFrame(columns)).reset_index()


def _told(shares: pd.Series) -> str:
    return ", ".join(f"{share:.2f}" for share in shares)
