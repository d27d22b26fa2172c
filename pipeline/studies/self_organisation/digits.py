"""A plane of digits: what do its two errors cost each other, and what has no plane?

Maps start at digits drawn at random and learn in batches or digit by digit, under a radius that
falls to several last ones. Errors are those of the test part, looked at once, at the end. Without
learning in a plane: k-means of as many centres, which are in no order; units spread over the plane
of the two principal components; and each map's own units, put into its plane at random.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import PositiveFloat, model_validator

from lightning_modules.maps import MAPS
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import DataSet
from pipeline.studies.self_organisation.predictions import BASELINES, PLANE, ends_of, expects
from pipeline.study import AS_TEXT, Count, Figure, Given, Part, Row, Rows, Table, Trial, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

EIGHT = 8
"""The more of the two kinds of neighbours on a rectangular grid."""
SMALL = 14
"""Rows and columns that pictures of units are drawn in, at most."""


class Digits(Trial):
    """One map under one last radius, or one baseline."""

    task: Annotated[str, named(TASKS)]
    dataset: DataSet
    train_size: Count
    held_out_size: Count
    batch_size: Count
    rows: Count
    columns: Count
    method: Annotated[str, named((*MAPS, *BASELINES))]
    """A map of Kohonen's, or a baseline."""
    grid: Literal["rectangular", "hexagonal"]
    first_radius: PositiveFloat | None = None
    last_radius: PositiveFloat | None = None
    rate: Annotated[list[PositiveFloat], *AS_TEXT] | None = None
    """The first and the last, of a map that has one."""
    passes: Count | None = None
    pictured: bool | None = None
    """Whether seed 0 keeps its units to be shown."""

    @model_validator(mode="after")
    def _all_of_a_map(self) -> "Digits":
        of_map = self.first_radius, self.last_radius, self.passes
        if any((value is None) == (self.method in MAPS) for value in of_map):
            raise ValueError("first_radius, last_radius and passes go with a map, all of them")
        return self

    def measure(self, given: Given) -> Rows:
        """Return the error along training, errors at the end, and units as pictures."""
        import torch

        from pipeline.studies.self_organisation.planes import errors

        torch.manual_seed(self.seed)
        images = given.data[self.dataset]
        sizes = self.batch_size, self.held_out_size
        source = TASKS[self.task](images, self.seed, *sizes, train_size=self.train_size)
        batches = source.trained // self.batch_size
        x_NI = torch.cat([source.batch(index).x_TBI[0] for index in range(batches)])
        test_NI = torch.cat([batch.x_TBI[0] for batch in source.test()])
        facts = {"pictures": len(images.train_y_N)}
        if self.method in BASELINES:
            w_MI = self._without(x_NI)
        else:
            start_MI = x_NI[torch.randperm(len(x_NI))[: self.rows * self.columns]]
            w_MI = yield from self._trained(source, start_MI, len(x_NI), given)
        for found in errors(w_MI, test_NI, self.grid, self.rows, self.columns):
            yield {"record": "end", **facts, **found}
        if self.pictured and self.seed == 0:
            yield from self._pictures(w_MI, source.shape_CYX)

    def _trained(
        self, source: Any, start_MI: "Tensor", size: int, given: Given
    ) -> Iterator[dict[str, Any]]:
        """Yield evaluations; return the units."""
        from lightning_modules.training.fit import fit
        from lightning_modules.training.map import MapLearner

        assert self.passes is not None
        options: dict[str, Any] = {} if self.rate is None else {"rate": self.rate}
        made = MAPS[self.method](
            start_MI.shape[1],
            self.rows,
            self.columns,
            self.grid,
            radius=(self.first_radius, self.last_radius),
            passes=self.passes,
            pass_size=size,
            **options,
        )
        made.place(start_MI)
        batches = size // self.batch_size
        found = fit(
            MapLearner(made, source.loss),
            source,
            steps=self.passes * batches,
            evaluate_every=max(batches, self.passes * batches // 10),
            seed=self.seed,
            scratch=given.scratch,
        )
        for row in found:
            at = row["step"] / batches
            yield {"record": "curve", "pass": at, "held_out": row["held_out_loss"]}
        return made.w_MI

    def _without(self, x_NI: "Tensor") -> "Tensor":
        """Return the units of a baseline."""
        import torch
        from sklearn.cluster import KMeans

        from lightning_modules.maps._grids import grid_named
        from lightning_modules.maps._planes import plane

        if self.method == PLANE:
            return plane(x_NI, grid_named(self.grid).places(self.rows, self.columns))
        means: Any = KMeans
        of = means(self.rows * self.columns, init="random", n_init=1, random_state=self.seed)
        return torch.from_numpy(of.fit(x_NI.numpy()).cluster_centers_)

    def _pictures(self, w_MI: "Tensor", shape_CYX: tuple[int, int, int]) -> Iterator[Row]:
        """Yield each unit as a picture."""
        from torch.nn.functional import adaptive_avg_pool2d

        from pipeline.measuring.pictures import packed

        w_MCYX = w_MI.reshape(-1, *shape_CYX)
        _, Y, X = shape_CYX
        small_MCYX = adaptive_avg_pool2d(w_MCYX, (min(SMALL, Y), min(SMALL, X)))
        for number, x_CYX in enumerate(small_MCYX):
            row, column = divmod(number, self.columns)
            yield {"record": "unit", "down": row, "across": column, "picture": packed(x_CYX[0])}


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return both errors of all."""
    lines: list[dict[str, Any]] = []
    ends = ends_of(rows)
    by = ["method", "grid", "last_radius"]
    for (name, grid, radius), of in ends.groupby(by, sort=False, dropna=False):
        line: dict[str, Any] = {"method": str(name).replace("_", " "), "grid": grid}
        line |= {"last σ": f"{radius:g}".replace("nan", "")}
        line |= {"quantisation": with_interval(of.groupby("seed")["error"].mean())}
        for many in sorted(ends["neighbours"].unique()):
            at = of[of["neighbours"] == many]
            line[f"topographic, {many:g}"] = with_interval(at["topographic"]) if len(at) else ""
        line["scrambled"] = with_interval(of[of["neighbours"] != EIGHT]["scrambled"])
        lines.append(line)
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Digits,
    expects,
    figures=(
        Table(
            name="digits",
            title="Maps of digits",
            caption="Quantisation error, and topographic errors by 4, 8 and 6 neighbours, on test "
            "digits; scrambled: of the same units at random places, by 4 or 6. 95 % intervals over "
            "seeds.",
            build=table,
        ),
        Figure(
            name="map",
            title="The map",
            caption="Units in their plane, each as the digit that it stands for; seed 0, in "
            "batches.",
            x="across",
            y="down",
            hue="picture",
            column="grid",
            where={"record": "unit"},
            kind="pictures",
            labels={"across": "column", "down": "row"},
        ),
        Figure(
            name="passes",
            title="Quantisation error along training",
            caption="On held-out digits, mean and range over seeds; it is least where the radius "
            "is.",
            x="pass",
            y="held_out",
            where={"record": "curve"},
            hue="last_radius",
            column="method",
            row="grid",
            labels={"pass": "passes", "held_out": "quantisation error", "last_radius": "last σ"},
        ),
    ),
)
