"""Which positions of a source does error come to, and on which ways?

``direct`` is what the decoder sends to a state of the encoder itself, ``total`` what comes to it on
all ways, through later states too: of the loss on strings of the greatest length trained on.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import every, identity, ordered
from pipeline.study import Claim, Figure

PLAIN, ATTENTION = "without attention", "with attention"
FADES = 10
"""How many times less error comes to the first symbol than to the last, as drawn."""


def claims(flow: pd.DataFrame) -> Iterator[Claim]:
    """Without attention error starts at the last state alone; with it at all of them."""
    last = flow["position"].max()
    before = flow[flow["position"] < last]
    direct = {str(m): pd.to_numeric(of["direct"]) for m, of in before.groupby("method")}
    if PLAIN in direct:
        most = direct[PLAIN].max()
        claim = "without attention the decoder sends error to the last state of the encoder alone"
        seen = f"at most {most:g} to any before it"
        yield identity(claim, bool(most == 0), seen, expected=13)
    if ATTENTION in direct:
        least = direct[ATTENTION].min()
        claim = "with attention it sends error to every state at once"
        yield identity(claim, bool(least > 0), f"at least {least:.1e}", expected=13)
    found = []
    for order, of in flow[flow["when"] == "as drawn"].groupby("order", sort=False):
        kept = first_over_last(of)
        if {PLAIN, ATTENTION} <= set(kept):
            found.append(
                ordered(
                    str(order), kept[PLAIN], kept[ATTENTION], by=FADES - 1, ratio=True, expected=14
                )
            )
    if found:
        yield every(
            "as drawn, ten times as much error is left at the first symbol, beside the last, "
            "with attention",
            found,
        )


def first_over_last(flow: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the total error at the first position over that at the last, by method, by seed."""
    found = {}
    for method, of in flow.groupby("method", sort=False):
        total = of.pivot_table(index="seed", columns="position", values="total")
        found[str(method)] = total.iloc[:, 0] / total.iloc[:, -1]
    return found


LABELS = {
    "position": "position in the source",
    "direct": "∂L/∂h, sent by the decoder",
    "total": "dL/dh, on all ways",
    "method": "said",
}
CAPTION = "‖·‖ over 64 strings of the greatest length trained on, mean and range over seeds. "


def _by_position(of: str, title: str, what: str) -> Figure:
    """Return the picture of one of the two errors."""
    return Figure(
        name=f"error-{of}",
        title=title,
        caption=CAPTION + what,
        x="position",
        y=of,
        where={"record": "flow"},
        hue="method",
        column="order",
        row="when",
        log_y=True,
        labels=LABELS,
    )


FIGURES = (
    _by_position(
        "total",
        "Error that comes to each position of the source",
        "Without attention all of it comes through the last.",
    ),
    _by_position(
        "direct",
        "Error that the decoder sends to each position itself",
        "Where nothing is sent there is no point.",
    ),
)
