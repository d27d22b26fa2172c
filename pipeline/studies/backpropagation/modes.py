"""In which order does a linear network with one hidden layer learn singular values?

From a start of two orthogonal matrices times a small ε, error back-propagated through white inputs
makes mode after mode grow. Of mode s it first sees the half of ε² that points the right way, from
where it grows like e^(2 s t), t being steps times rate, so that it is half learned at about
ln(2 s / ε²) / (2 s).
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt

from lightning_modules.networks import NETWORKS, _starts
from pipeline.studies.backpropagation.depth import descend, target
from pipeline.study import Check, Figure, Row, Section, Study, Table, Trial, named

NEAR = 0.15
"""How far times may be from the theory's."""


class Params(Section):
    """The singular values, and where the weights start."""

    network: Annotated[str, named(NETWORKS)]
    singular_values: list[PositiveFloat]
    size: PositiveInt
    scale: PositiveFloat
    """Of the start: ε."""
    rate: PositiveFloat
    steps: PositiveInt
    every: PositiveInt
    """Steps from one row of the curve to the next."""
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every seed; the singular values are entries of their own."""
    shared = p.model_dump(exclude={"singular_values", "seeds"})
    values: Trial = {f"s{i}": value for i, value in enumerate(p.singular_values)}
    for seed in range(p.seeds):
        yield {**shared, "start": "orthogonal", **values, "seed": seed}


def measure(
    network: str,
    size: int,
    scale: float,
    rate: float,
    steps: int,
    every: int,
    start: str,
    seed: int,
    **values: float,
) -> Iterator[Row]:
    """Return rows of each mode along training, and one of the time at which it was half learned."""
    torch.manual_seed(seed)
    s_M = list(values.values())
    y_NO = target(size, s_M)
    u_NM, _, v_MO = torch.linalg.svd(y_NO, full_matrices=False)
    layers: Any = NETWORKS[network](size, len(s_M), [size], "linear").double()
    _starts.start(layers, start, scale)
    weights = [layers.hidden1.weight, layers.output.weight]
    x_NI, half = torch.eye(size, dtype=torch.float64), dict[int, float]()
    for step in range(steps + 1):
        z_NO = layers(x_NI)
        strength_M = (u_NM.t() @ z_NO.detach() @ v_MO.t()).diagonal().tolist()
        for mode, (strength, s) in enumerate(zip(strength_M, s_M, strict=True)):
            if strength >= s / 2:
                half.setdefault(mode, step * rate)
            if step % every == 0:
                of = {"mode": mode, "singular_value": s, "strength": strength}
                yield {"record": "curve", **of, "time": step * rate}
        descend((z_NO - y_NO).square().sum() / 2, weights, rate)
    for mode, s in enumerate(s_M):
        theory = math.log(2 * s / scale**2) / (2 * s)
        of = {"mode": mode, "singular_value": s, "theory": theory}
        yield {"record": "half", **of, "time": half.get(mode)}


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold order and times to the theory."""
    half = rows[rows["record"] == "half"]
    missing = int(half["time"].isna().sum())
    times: Any = half.assign(time=half["time"].fillna(math.inf)).pivot(
        index="seed", columns="mode"
    )["time"]
    in_order = int((times.diff(axis=1).iloc[:, 1:] > 0).all(axis=1).sum())
    claim = "singular values are learned one by one, the largest first"
    yield Check(claim, in_order == len(times) and not missing, f"{in_order} of {len(times)} starts")
    off = (half["time"] / half["theory"] - 1).abs()
    claim = f"each is half learned at ln(2 s / ε²) / (2 s), to {NEAR:.0%}"
    yield Check(claim, bool(off.max() <= NEAR) and not missing, f"off by {off.max():.1%} at most")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return measured and predicted times by singular value."""
    half = rows[rows["record"] == "half"].groupby("singular_value", sort=False)
    return half[["time", "theory"]].mean().round(3).reset_index()


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Figure(
            name="modes",
            title="Singular values, one by one",
            caption="How much of each the network's map has learned; time is steps times rate. "
            "Mean and range over seeds.",
            where={"record": "curve"},
            x="time",
            y="strength",
            hue="singular_value",
            labels={"singular_value": "singular value"},
        ),
        Table(
            name="modes-half",
            title="When each is half learned",
            caption="Measured, mean over seeds, and ln(2 s / ε²) / (2 s).",
            build=_table,
        ),
    ),
)
