"""What the rows of the part ``decay`` say: measured rates beside theory."""

from collections.abc import Iterator
from typing import cast

import pandas as pd

from pipeline.study import Check

USUAL = "usual"
"""The start that a cell is drawn with."""
AGREES, NEUTRAL, LONG = 0.05, 0.05, 100
"""How far rate and exponent may be apart, of the exponent or of ``NEUTRAL`` if it is smaller."""


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold what was measured to what is known."""
    networks = rows[rows["kind"] == "network"]
    linear = networks[(networks["activation"] == "linear") & (networks["start"] == "orthogonal")]
    off = (linear["whole"] / linear["gain"] ** linear["length"] - 1).abs().max()
    claim = "linear, orthogonal: exactly gain^T is left (to 1e-6)"
    yield Check(claim, bool(off <= 1e-6), f"off by {off:.1e}")
    logistic = networks[networks["activation"] == "logistic"]
    share = (logistic["most"] / logistic["singular_value"]).max()
    claim = "logistic: no step keeps more than 1/4 of W's largest singular value"
    yield Check(claim, bool(share <= 0.25 + 1e-12), f"{share:.4f}")
    residual = networks[networks["cell"] == "residual"]
    if len(residual):
        off = max((residual["most"] - 1).abs().max(), (residual["least"] - 1).abs().max())
        yield Check(
            "residual, h + g(x): every step keeps all (to 1e-12)", off <= 1e-12, f"{off:.0e}"
        )
    yield from _agreement(networks)
    by_cell = networks[networks["start"] == USUAL].groupby("cell")["rate"].mean()
    if {"lstm", "srn"} <= set(by_cell.index):
        lstm, srn = by_cell["lstm"], by_cell["srn"]
        claim = "as drawn, an LSTM keeps more a step than tanh units"
        yield Check(claim, bool(lstm > srn), f"e^{lstm:.3f} > e^{srn:.3f}")


def _agreement(networks: pd.DataFrame) -> Iterator[Check]:
    """Compare rate and exponent, means over seeds, at the lengths that are long."""
    mixing = (networks["length"] >= LONG) & (networks["start"] != "identity")
    long = networks[mixing].fillna({"gain": 0.0})
    mean = long.groupby(["network", "gain", "length"])[["rate", "exponent"]].mean().dropna()
    if mean.empty:
        return
    scale = mean["exponent"].abs().clip(lower=NEUTRAL)
    off = (mean["rate"] - mean["exponent"]).abs() / scale
    near, worst = int((off <= AGREES).sum()), cast("tuple[str, float, int]", off.idxmax())
    yield Check(
        f"over {LONG} steps and more, rate and largest Lyapunov exponent agree to {AGREES:.0%}",
        bool((off <= AGREES).all()),
        f"{near} of {len(off)}; worst {_called(*worst)}: {off.max():.1%}",
    )


def _called(network: str, gain: float, length: int) -> str:
    """Return what a network of some length is called."""
    return f"{network}{f', gain {gain:g}' if gain else ''}, {length} steps"


def rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's rate beside its exponent at the greatest length."""
    networks = rows[(rows["kind"] == "network") & (rows["length"] == rows["length"].max())]
    by = networks.fillna({"gain": 0.0}).groupby(["network", "gain"], sort=False)
    table = by[["rate", "exponent", "least", "most", "singular_value"]].mean().round(4)
    table = table.reset_index().rename(columns={"singular_value": "W's largest singular value"})
    return table.assign(gain=table["gain"].map(lambda gain: f"{gain:g}" if gain else ""))
