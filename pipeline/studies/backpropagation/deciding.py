"""What the rows say of what decides: of XOR by which setting, of depth by which start."""

import math
from typing import Any

import pandas as pd

from pipeline.measuring.statistics import apart, listed, share_interval, with_interval
from pipeline.studies.backpropagation.depth import GAUSSIAN, ORTHOGONAL, slower

SETTINGS = {
    "hidden_size": "the number of hidden units",
    "spread": "the start range",
    "rate": "the learning rate",
    "stop": "the stopping rule",
}
STOPS = {"right": "right answers", "still": "still weights"}
STARTS = {ORTHOGONAL: "orthogonal", GAUSSIAN: "Gaussian"}


def spans(xor: pd.DataFrame) -> dict[str, pd.Series]:
    """Return by how much the share of runs that solve XOR differs within each setting, by seed.

    It is the share at the setting's best value less that at its worst, over all values of the
    others, the largest mean first; the name of a series tells both values. Stopping rules are
    compared at the rates that both were tried at, all else where right answers end a run.
    """
    found = []
    for setting in SETTINGS:
        shares = _by_value(xor, setting)
        if shares.shape[1] > 1:
            order = shares.mean().sort_values().index
            found.append((setting, _between(shares, order[0], order[-1], setting)))
    return dict(sorted(found, key=lambda of: -of[1].mean()))


def _by_value(xor: pd.DataFrame, setting: str) -> pd.DataFrame:
    """Return the share of runs that solve it, by seed and the setting's value."""
    if setting == "stop":
        seen = xor[xor["rate"].isin(xor.loc[xor["stop"] == "still", "rate"])]
    else:
        seen = xor[xor["stop"] == "right"]
    return seen.assign(solved=seen["solved"].astype(float)).pivot_table(
        index="seed", columns=setting, values="solved"
    )


def _between(shares: pd.DataFrame, worst: Any, best: Any, setting: str) -> pd.Series:
    """Return the difference, under the name of both values."""
    sign = "±" if setting == "spread" else ""
    values = (STOPS[of] if setting == "stop" else f"{sign}{of:g}" for of in (worst, best))
    return (shares[best] - shares[worst]).rename(" and ".join(values))


def ranked(xor: pd.DataFrame) -> str:
    """Say which setting decides most whether XOR is solved, as far as seeds tell them apart."""
    found = spans(xor)
    groups: list[list[str]] = []
    for setting, span in found.items():
        if not groups or apart(span, found[groups[-1][0]]):
            groups.append([])
        groups[-1].append(setting)
    called = [listed([SETTINGS[of] for of in group]) for group in groups]
    if len(called) < 2:
        return "Which setting decides most whether XOR is learned these seeds do not tell"
    most = f"Whether XOR is learned is decided most by {called[0]}"
    return ", then by ".join([most, *called[1:]])


def sizes(xor: pd.DataFrame) -> str:
    """Say how far shares differ within each setting, and by range of the fewest units alone."""
    said = [
        f"{_points(span)} points by {SETTINGS[setting]} ({span.name})"
        for setting, span in spans(xor).items()
    ]
    few = xor["hidden_size"].min()
    alone = spans(xor[xor["hidden_size"] == few]).get("spread")
    by_range = (
        ""
        if alone is None
        else f"; with {few:g} hidden units alone {_points(alone)} by the start range"
    )
    return (
        "Between the worst and the best value that was tried, the share of runs that solve XOR "
        f"differs by {', '.join(said)}{by_range}."
        if said
        else ""
    )


def _points(span: pd.Series) -> str:
    return with_interval(span * 100, 0)


def slowed(depth: pd.DataFrame) -> tuple[str, str]:
    """Return whether the start decides how much depth slows a linear network, and the numbers."""
    slow, least, most = slower(depth), depth["depth"].min(), depth["depth"].max()
    said = [
        f"from {words} weights {_times(slow[of])}" for of, words in STARTS.items() if of in slow
    ]
    numbers = (
        f"With {most:g} hidden layers, compared with {least:g}, learning takes {', '.join(said)}."
    )
    sure = False
    if len(said) == len(STARTS):
        both = pd.DataFrame({of: slow[of] for of in STARTS}).dropna()
        sure = share_interval(both[GAUSSIAN] > both[ORTHOGONAL])[0] > 1 / 2
    decided = (
        "how much depth slows a linear network down is decided by its start"
        if sure
        else "whether the start decides how much depth slows a linear network down they do not tell"
    )
    return decided, numbers if said else ""


def _times(ratio: pd.Series) -> str:
    """Return median and range of how many times the steps it takes, all seeds counted."""
    lost = int((~ratio.map(math.isfinite)).sum())
    middle = _number(ratio.median())
    if len(ratio) == 1:
        return middle if lost else f"{middle} times the steps (one seed)"
    most = f"no end, as {lost} of {len(ratio)} never learned" if lost else _number(ratio.max())
    return f"{middle} times the steps (median; {_number(ratio.min())} to {most})"


def _number(ratio: float) -> str:
    return f"{ratio:.3g}" if math.isfinite(ratio) else "infinitely many"
