"""Maps of the unit square: does any beat the floor, and what does a topographic error mean?

Points are uniform in the square, so that the mean distance to the nearest of M units is known to be
no less than .3772 / √M, which hexagons without end would have. Errors are taken over a fine grid of
points. Beside the maps, on the same points: k-means, which has no neighbours to please, and each
map's own units put into its plane at random.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import PositiveFloat

from lightning_modules.maps import MAPS
from pipeline.measuring.evidence import every, identity, ordered, within
from pipeline.measuring.statistics import with_interval
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
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = (math.log(3) / 4 + 1 / 3) * math.sqrt(2 / (3 * math.sqrt(3)))
"""Mean distance to the middle of a regular hexagon of area 1."""
NEAR = 0.02
"""What the topographic error of scrambled units may be off by on average."""


class Square(Trial):
    """One map and its baselines."""

    task: Annotated[str, named(TASKS)]
    map: Annotated[str, named(MAPS)]
    grid: Literal["rectangular", "hexagonal"]
    neighbourhood: str
    rows: Count
    columns: Count
    radius: Annotated[list[PositiveFloat], *AS_TEXT]
    """The first and the last."""
    rate: Annotated[list[PositiveFloat], *AS_TEXT] | None = None
    """Of a map that has one."""
    passes: Count
    points: Count
    fine: Count
    """Points along a side of the grid that errors are taken over."""

    def measure(self, given: Given) -> Rows:
        """Return errors along training and at the end, with those of the baselines."""
        import torch
        from sklearn.cluster import KMeans

        from lightning_modules.maps._errors import quantisation
        from lightning_modules.training.fit import fit
        from lightning_modules.training.map import MapLearner
        from pipeline.studies.self_organisation.planes import errors

        torch.manual_seed(self.seed)
        source = TASKS[self.task](self.seed, self.points, self.points, self.points)
        size = source.input_size, self.rows, self.columns
        options: dict[str, Any] = {} if self.rate is None else {"rate": self.rate}
        made = MAPS[self.map](
            *size, self.grid, self.neighbourhood, self.radius, passes=self.passes, **options
        )
        learner = MapLearner(made, source.loss)
        of: dict[str, Any] = {"seed": self.seed, "scratch": given.scratch}
        for row in fit(learner, source, steps=self.passes, evaluate_every=1, **of):
            yield {"record": "curve", "pass": row["step"], "error": row["held_out_loss"]}
        fine_N2, units = fine(self.fine), self.rows * self.columns
        x_N2 = source.batch(0).x_TBI[0]
        means: Any = KMeans
        centres = means(units, n_init=1, random_state=self.seed).fit(x_N2.numpy()).cluster_centers_
        end = {
            "record": "end",
            "units": units,
            "floor": FLOOR / math.sqrt(units),
            "k_means": float(quantisation(torch.from_numpy(centres), fine_N2).mean()),
        }
        for found in errors(made.w_MI, fine_N2, self.grid, self.rows, self.columns):
            yield {**end, **found}


def fine(side: int) -> "Tensor":
    """Return the middles of the squares that the unit square is cut into, (N, 2)."""
    import torch

    along = (torch.arange(side) + 0.5) / side
    return torch.cartesian_prod(along, along)


HEXAGONS = Published(
    row="quantisation-floor",
    source="Fejes Tóth (1972), Lagerungen in der Ebene, auf der Kugel und im Raum: the moment "
    "theorem, with the mean distance to the middle of a regular hexagon",
    value=f"≥ {FLOOR:.4f} / √M",
    tolerance="none: a theorem",
)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold all to the floor, and the scrambled to chance."""
    ends = rows[rows["record"] == "end"]
    ratio = (ends[["error", "k_means"]].min(axis=1) / ends["floor"]).min()
    text = f"no map, and no k-means, has a quantisation error below {FLOOR:.4f} / √M"
    seen = f"at least {ratio:.4f} of it, {len(ends)} maps"
    yield identity(text, bool(ratio >= 1), seen, expected=2).stands_for(HEXAGONS)
    claims = [
        within(
            f"{grid}, {many:g} neighbours",
            of.groupby("seed").apply(lambda by: (by["scrambled"] - by["chance"]).mean()),
            -NEAR,
            NEAR,
            expected=3,
        )
        for (grid, many), of in ends.groupby(["grid", "neighbours"], sort=False)
    ]
    text = "scrambled units have a topographic error of 1 - mean neighbours / (M - 1)"
    yield every(text, claims)
    claims = [
        ordered(
            f"{name}, {grid}, {many:g} neighbours",
            of.groupby("seed")["topographic"].mean(),
            of.groupby("seed")["scrambled"].mean(),
            by=0.5,
            expected=3,
        )
        for (name, grid, many), of in ends.groupby(["map", "grid", "neighbours"], sort=False)
    ]
    yield every("every map's topographic error is below that of its scrambled units by .5", claims)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each map's errors."""
    ends = rows[rows["record"] == "end"]
    by = ["map", "neighbourhood", "grid", "rows", "columns", "neighbours"]
    return pd.DataFrame(
        {
            "map": str(name).replace("_", " "),
            "neighbourhood": around,
            "grid": f"{grid}, {down:g}×{across:g}",
            "quantisation": with_interval(of["error"], 4),
            "k-means": with_interval(of["k_means"], 4),
            "floor": f"{of['floor'].iloc[0]:.4f}",
            "neighbours": f"{many:g}",
            "topographic": with_interval(of["topographic"]),
            "scrambled": with_interval(of["scrambled"]),
            "by chance": f"{of['chance'].iloc[0]:.3f}",
        }
        for (name, around, grid, down, across, many), of in ends.groupby(by, sort=False)
    )


PART = Part(
    __doc__,
    Square,
    expects,
    figures=(
        Table(
            name="square",
            title="Maps of the unit square",
            caption="Errors over a fine grid of points, with 95 % intervals over seeds.",
            build=table,
        ),
        Figure(
            name="unfolding",
            title="Quantisation error while a map unfolds",
            caption="On held-out points, mean and range over seeds; the radius falls from pass to "
            "pass, for the map in batches, or from example to example.",
            x="pass",
            y="error",
            where={"record": "curve"},
            hue="map",
            column="grid",
            labels={"pass": "passes", "error": "quantisation error"},
        ),
    ),
)
