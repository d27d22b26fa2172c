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
from pydantic import Field, PositiveFloat

from lightning_modules.networks import NETWORKS
from pipeline.measuring import evidence
from pipeline.studies.backpropagation.depth import descend, target
from pipeline.studies.backpropagation.starts import Start
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Published,
    Rows,
    Table,
    Trial,
    named,
)

NEAR = 0.15
"""How far times may be from the theory's."""
PUBLISHED = Published(
    "saxe-modes",
    "Saxe, McClelland & Ganguli (2014), the time a mode takes to be learned",
    "ln(2 s / ε²) / (2 s) to its half",
    f"± {NEAR:.0%}",
)


class Modes(Trial):
    """The singular values, and where the weights start."""

    network: Annotated[str, named(NETWORKS)]
    singular_values: Annotated[list[PositiveFloat], Field(min_length=1), *AS_TEXT]
    start: Start
    scale: PositiveFloat
    """Of the start: ε."""
    size: Count
    rate: PositiveFloat
    steps: Count
    every: Count
    """Steps from one row of the curve to the next."""

    def measure(self, given: Given) -> Rows:
        """Return rows of each mode along training, and one of when it was half learned."""
        import torch

        from lightning_modules.networks import _starts

        torch.manual_seed(self.seed)
        s_M = self.singular_values
        y_NO = target(self.size, s_M)
        u_NM, _, v_MO = torch.linalg.svd(y_NO, full_matrices=False)
        layers: Any = NETWORKS[self.network](self.size, len(s_M), [self.size], "linear").double()
        _starts.start(layers, self.start, self.scale)
        weights = [layers.hidden1.weight, layers.output.weight]
        x_NI, half = torch.eye(self.size, dtype=torch.float64), dict[int, float]()
        for step in range(self.steps + 1):
            z_NO, time = layers(x_NI), step * self.rate
            strength_M = (u_NM.t() @ z_NO.detach() @ v_MO.t()).diagonal().tolist()
            for mode, (strength, s) in enumerate(zip(strength_M, s_M, strict=True)):
                if strength >= s / 2:
                    half.setdefault(mode, time)
                if step % self.every == 0:
                    of = {"mode": mode, "singular_value": s, "strength": strength}
                    yield {"record": "curve", **of, "time": time}
            descend((z_NO - y_NO).square().sum() / 2, weights, self.rate)
        for mode, s in enumerate(s_M):
            theory = math.log(2 * s / self.scale**2) / (2 * s)
            of = {"mode": mode, "singular_value": s, "theory": theory}
            yield {"record": "half", **of, "time": half.get(mode)}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold order and times to the theory."""
    half = rows[rows["record"] == "half"]
    half = half.assign(time=half["time"].astype(float).fillna(math.inf))
    times = half.pivot_table(index="seed", columns="mode", values="time")
    claim = "singular values are learned one by one, the largest first"
    yield evidence.monotone(claim, times, expected=17)
    near = evidence.every(
        f"each is half learned at ln(2 s / ε²) / (2 s), to {NEAR:.0%}",
        (
            evidence.within(
                f"s = {s:g}",
                of["time"] / of["theory"] - 1,
                -NEAR,
                NEAR,
                unit="% later",
                expected=18,
            )
            for s, of in half.set_index("seed").groupby("singular_value")
        ),
    )
    yield near.stands_for(PUBLISHED)


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return measured and predicted times by singular value."""
    half = rows[rows["record"] == "half"].groupby("singular_value", sort=False)
    return half[["time", "theory"]].mean().round(3).reset_index()


PART = Part(
    __doc__,
    Modes,
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
