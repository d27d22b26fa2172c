"""The non-saturating Dirac-GAN: what simultaneous steps end on, and what the flow does instead.

Steps of size h start at ``start`` times √(2h) from the fixed point; the radius is the mean over
their last turn. The flow, h → 0, is integrated to a relative error of 1e-8
a step; the law is of its mean over a turn, and holds for small radii.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import PositiveFloat, model_validator

from pipeline.measuring.evidence import exact
from pipeline.measuring.playing import AT_ONCE
from pipeline.studies.adversarial_dynamics.dirac import dirac, orbit, place
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial

NEAR = 0.01
TURNS = 4
"""Of the slowest approach, e-fold times that steps are given to come to the cycle."""


class Orbit(Trial):
    """Steps of one size, or the flow."""

    loss: Literal["non_saturating"]
    by: Literal["steps", "flow"]
    step: PositiveFloat | None = None
    start: PositiveFloat
    """Of steps in units of the cycle's radius, of the flow the radius itself."""
    time: PositiveFloat | None = None
    """That the flow is followed."""
    points: Count

    @model_validator(mode="after")
    def _one_of_two(self) -> "Orbit":
        if (self.step is None) != (self.by == "flow") or (self.time is None) != (
            self.by == "steps"
        ):
            raise ValueError("steps have a step and the flow a time: give the one that belongs")
        return self

    def measure(self, given: Given) -> Rows:
        """Return radii along the way; of steps their mean over the last turn as well."""
        angle = float(np.random.default_rng(self.seed).random()) * math.tau
        return self._flow(angle) if self.step is None else self._steps(self.step, angle)

    def _steps(self, h: float, angle: float) -> Rows:
        game, cycle = dirac(self.loss), math.sqrt(2 * h)
        radius = self.start * cycle
        place(game, radius * math.cos(angle), radius * math.sin(angle))
        steps = math.ceil(TURNS * 4 / h**2)
        radii = [math.hypot(*seen) for seen in orbit(game, h, steps, AT_ONCE)]
        turn = round(math.tau / (h / 2))
        for n in np.linspace(0, steps, self.points).round().astype(int).tolist():
            yield {"record": "way", "at": n * h, "radius": radii[n], "theory": cycle}
        yield {"record": "end", "radius": float(np.mean(radii[-turn:])), "theory": cycle}

    def _flow(self, angle: float) -> Rows:
        from scipy.integrate import solve_ivp

        game, start = dirac(self.loss), self.start

        def speed(_: float, w_2: np.ndarray) -> np.ndarray:
            import torch

            from lightning_modules.adversaries._field import field
            from lightning_modules.adversaries._round import Round

            place(game, *w_2.tolist())
            batch = torch.zeros(1, 1).double(), torch.zeros(1).long(), torch.zeros(1, 0).double()
            return field(Round(game, *batch)).numpy()

        begin = [start * math.cos(angle), start * math.sin(angle)]
        times = np.linspace(0, self.time or 0.0, self.points)
        way = solve_ivp(speed, (0, times[-1]), begin, "DOP853", times, rtol=1e-8, atol=1e-12)
        for t, w_2 in zip(times.tolist(), way.y.T, strict=True):
            radius, theory = math.hypot(*w_2), (1 / start**2 + t / 8) ** -0.5
            yield {"record": "flow", "at": t, "radius": radius, "theory": theory}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the radii to what was derived."""
    off = (rows["radius"] / rows["theory"] - 1).abs()
    end, flow = rows["record"] == "end", rows["record"] == "flow"
    if end.any():
        sizes = ", ".join(f"{h:g}" for h in sorted(rows.loc[end, "step"].unique()))
        said = f"simultaneous steps of {sizes} end on a cycle of radius √(2h), to 1 %"
        yield exact(said, float(off[end].max()), NEAR, expected=4)
    if flow.any():
        said = "the flow comes in as 1/r² = 1/r₀² + t/8, to 1 %"
        yield exact(said, float(off[flow].max()), NEAR, expected=4)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the radius that each size of step ends on."""
    end = rows[rows["record"] == "end"].groupby("step")
    return pd.DataFrame(
        {"h": h, "radius": f"{of['radius'].mean():.4f}", "√(2h)": f"{of['theory'].mean():.4f}"}
        for h, of in end
    )


PART = Part(
    __doc__,
    Orbit,
    expects,
    figures=(
        Table(
            name="radius",
            title="The cycle of the non-saturating Dirac-GAN",
            caption="Mean radius over the last turn of simultaneous steps.",
            build=table,
        ),
        Figure(
            name="flow",
            title="The flow comes in ever more slowly",
            caption="Dashed: 1/r² = 1/r₀² + t/8.",
            x="at",
            y="radius",
            where={"record": "flow"},
            hue="start",
            theory="theory",
            log_y=True,
            labels={"at": "time", "start": "r₀"},
        ),
        Figure(
            name="way",
            title="Steps come to a cycle from either side",
            caption="Distance from the fixed point along simultaneous steps of the first seed; "
            "dashed: √(2h).",
            x="at",
            y="radius",
            where={"record": "way", "seed": 0},
            hue="start",
            column="step",
            theory="theory",
            labels={"at": "steps × h", "start": "start, in cycles", "step": "h"},
        ),
    ),
)
