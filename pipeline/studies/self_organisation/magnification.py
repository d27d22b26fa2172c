"""How dense are the units of a chain where data are dense?

Data come from a density on [0, 1] that rises as a power, units learn with all that are no further
than the half-width in the chain. Where such a map is at rest follows from the density's integrals
between units, of which it is a root; there the map is put and learns for some passes from that
density's quantiles, so that who stays is our map. The exponent is the slope of the logarithm of the
units' density over that of the data's, in the middle half of the chain, where its ends are far.

Without neighbours, half-width 0, it is k-means, whose exponent is 1/3.
"""

import dataclasses
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import PositiveFloat

from lightning_modules.maps import MAPS
from pipeline.measuring.evidence import exact
from pipeline.study import (
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Published,
    Rows,
    Table,
    Trial,
    Whole,
    named,
)

NEAR, STILL = 0.005, 0.01
"""What an exponent may be off by, and what a unit may move by, in distances to the next."""


class Magnification(Trial):
    """One density and one half-width."""

    map: Annotated[str, named(MAPS)]
    half_width: Whole
    units: Count
    power: PositiveFloat
    """Of x, to which the density rises."""
    points: Count
    """Quantiles of the density that the map learns from."""
    passes: Count

    def measure(self, given: Given) -> Rows:
        """Return the exponent, the theory's, and how far units moved; and each unit's place."""
        import torch

        start_M = at_rest(self.half_width, self.units, self.power)
        radius = [max(self.half_width, 0.5)] * 2  # below 1 no other unit is reached
        chain = MAPS[self.map](1, 1, self.units, neighbourhood="bubble", radius=radius).double()
        chain.place(torch.from_numpy(start_M)[:, None])
        share_N = (torch.arange(self.points, dtype=torch.float64) + 0.5) / self.points
        for _ in range(self.passes):
            chain.learn(share_N.pow(1 / (self.power + 1))[:, None])
        w_M = chain.w_MI[:, 0].numpy()
        moved = np.abs(w_M - start_M)[1:-1] / (start_M[2:] - start_M[:-2]) * 2
        yield {
            "record": "end",
            "exponent": exponent(w_M, self.power),
            "theory": theory(self.half_width),
            "moved": float(moved.max()),
        }
        for place, density, data in zip(w_M[1:-1], *densities(w_M, self.power), strict=True):
            yield {
                "record": "unit",
                "place": float(place),
                "density": float(density),
                "data": float(data),
            }


def theory(half_width: int) -> float:
    """Return the exponent of a bubble."""
    n = half_width
    return 2 / 3 - 1 / (3 * n**2 + 3 * (n + 1) ** 2)


def at_rest(half_width: int, units: int, power: float) -> np.ndarray:
    """Return where the units of a chain are at rest, (M,), by a root of how they would move.

    A unit is moved by the data between the midpoints around every unit that takes it along.
    """
    from scipy.optimize import root

    number_M = np.arange(units)
    reached_MM = (np.abs(number_M[:, None] - number_M) <= half_width).astype(float)
    k = power

    def moves(w_M: np.ndarray) -> np.ndarray:
        edges = np.concatenate([[0.0], (w_M[1:] + w_M[:-1]) / 2, [1.0]])
        mass_M = np.diff(edges ** (k + 1))
        moment_M = (k + 1) / (k + 2) * np.diff(edges ** (k + 2))
        return reached_MM @ moment_M - w_M * (reached_MM @ mass_M)

    start_M = ((number_M + 0.5) / units) ** (1 / (1 + k * 0.65))
    found = root(moves, start_M, tol=1e-13)
    if np.abs(moves(found.x)).max() > 1e-12 or (np.diff(found.x) <= 0).any():
        raise ArithmeticError(f"no chain of {units} units at rest was found: {found.message}")
    return found.x


def densities(w_M: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Return units per unit of length, and the data's density, at all units but the ends."""
    return 2 / (w_M[2:] - w_M[:-2]) / len(w_M), (power + 1) * w_M[1:-1] ** power


def exponent(w_M: np.ndarray, power: float) -> float:
    """Return the slope between the logarithms, in the middle half of the chain."""
    from pipeline.measuring.statistics import exponent as fitted

    middle = slice(len(w_M) // 4, 3 * len(w_M) // 4)
    density, data = densities(w_M, power)
    return fitted(data[middle].tolist(), density[middle].tolist())[0]


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the exponents to theory."""
    ends = rows[rows["record"] == "end"]
    for width, of in ends.groupby("half_width"):
        n = int(float(str(width)))
        off = float((of["exponent"] - of["theory"]).abs().max())
        claim = exact(
            f"bubble of half-width {n}: the exponent is {theory(n):.4f}", off, NEAR, expected=1
        )
        claim = dataclasses.replace(claim, seen=", ".join(f"{v:.4f}" for v in of["exponent"]))
        yield claim.stands_for(ritter(n)) if n else claim
    text = f"the map at rest stays within {STILL} of the distance to the next unit"
    moved = float(ends["moved"].max())
    claim = exact(text, moved, STILL, expected=1)
    yield dataclasses.replace(claim, seen=f"{moved:.4f} at most")


def ritter(half_width: int) -> Published:
    """Return the published exponent."""
    return Published(
        row=f"magnification-{half_width}",
        source="Ritter (1991), the exponent of a chain with a bubble",
        value=f"2/3 - 1/(3n² + 3(n+1)²) = {theory(half_width):.4f} for n = {half_width}",
        tolerance=f"± {NEAR}",
    )


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return exponents beside theory."""
    ends = rows[rows["record"] == "end"]
    return pd.DataFrame(
        {
            "half-width": [f"{n:g}" for n in ends["half_width"]],
            "density rises as x to the": [f"{power:g}" for power in ends["power"]],
            "exponent": ends["exponent"].round(4).tolist(),
            "theory": ends["theory"].round(4).tolist(),
            "moved": ends["moved"].round(4).tolist(),
        }
    )


PART = Part(
    __doc__,
    Magnification,
    expects,
    figures=(
        Table(
            name="exponents",
            title="Magnification exponents",
            caption="Of units over data, and by theory (Ritter 1991); half-width 0 is k-means. "
            "Moved: the most that a unit went in the map's own passes, in distances to the next.",
            build=table,
        ),
        Figure(
            name="densities",
            title="Density of units against density of data",
            caption="Data whose density rises linearly. Each point is a unit; the slope in the "
            "middle is the exponent; units near the ends of a chain stray.",
            x="data",
            y="density",
            where={"record": "unit", "power": 1.0},
            hue="half_width",
            kind="scatter",
            log_x=True,
            log_y=True,
            labels={
                "data": "density of data",
                "density": "density of units",
                "half_width": "half-width",
            },
        ),
    ),
)
