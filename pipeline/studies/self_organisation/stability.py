"""When do categories come to rest? Fuzzy ART, pass after pass over the same points.

A change is a point that moved a template. Where α is next to nothing, the smallest box that holds a
point is tried first, and a point lies in one from the first pass on; where it is not, a larger box
may be preferred, and grow. Each pass is in an order of its own.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat

from lightning_modules.maps import MAPS
from pipeline.measuring.evidence import above, identity
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial, named
from pipeline.tasks import TASKS

NEXT_TO_NOTHING = 1e-5
"""An α up to this counts as going to 0."""


class Stability(Trial):
    """One map, one α."""

    task: Annotated[str, named(TASKS)]
    map: Annotated[str, named(MAPS)]
    vigilance: NonNegativeFloat
    choice: PositiveFloat
    """α."""
    points: Count
    capacity: Count
    passes: Count

    def measure(self, given: Given) -> Rows:
        """Return a row for each pass."""
        from lightning_modules.maps._coding import Coded
        from lightning_modules.probes.maps import Maps
        from lightning_modules.training.fit import fit
        from lightning_modules.training.map import MapLearner

        source = TASKS[self.task](self.seed, self.points, self.points, self.points)
        art = MAPS[self.map](2 * source.input_size, self.capacity, self.vigilance, self.choice)
        made = Coded.by(art, source.batch(0).x_TBI[0]).double()
        learner = MapLearner(made, source.loss)
        of = {"seed": self.seed, "scratch": given.scratch, "probes": [Maps()]}
        told: dict[int, dict[str, float]] = {}
        for row in fit(learner, source, steps=self.passes, evaluate_every=1, **of):
            if "probe" in row:
                told.setdefault(row["step"], {})[row["quantity"]] = row["value"]
        for number, found in told.items():
            yield {"pass": number, **found}


ONE_PASS = Published(
    row="fuzzy-art-one-pass",
    source="Carpenter, Grossberg & Rosen (1991), section 8; Georgiopoulos et al. (1996): fast "
    "learning as α goes to 0",
    value="no change after the first pass",
    tolerance="none: a theorem",
)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold templates to what is proven, and the passes to where it is not."""
    later = rows[rows["pass"] > 1]
    tiny = later[later["choice"] <= NEXT_TO_NOTHING]
    if len(tiny):
        changes = int(tiny["changes"].sum())
        text = "α → 0: nothing changes from the second pass on"
        seen = f"{changes} changes in {len(tiny)} passes"
        yield identity(text, changes == 0, seen, expected=4).stands_for(ONE_PASS)
    for choice, of in later[later["choice"] > NEXT_TO_NOTHING].groupby("choice"):
        second = of[of["pass"] == 2].set_index("seed")["changes"]
        yield above(
            f"α = {choice}: the second pass still changes some", second, 0, expected=4, digits=1
        )
    rise = float(rows["rise"].max())
    text = "templates only shrink: no weight rises in any pass"
    yield identity(text, rise <= 0, f"at most by {rise:g}", expected=5)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return changes by pass, and categories at the end."""
    lines = []
    for choice, of in rows.groupby("choice"):
        last = of[of["pass"] == of["pass"].max()]
        by = {
            f"pass {number}": with_interval(at["changes"], 1) for number, at in of.groupby("pass")
        }
        lines.append({"α": f"{choice:g}", **by, "categories": with_interval(last["categories"], 1)})
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Stability,
    expects,
    figures=(
        Table(
            name="changes",
            title="Points that moved a template",
            caption="By pass, and how many categories there were at the end; 95 % intervals over "
            "seeds, each with points of its own.",
            build=table,
        ),
        Figure(
            name="stability",
            title="Changes a pass",
            caption="Mean and range over seeds.",
            x="pass",
            y="changes",
            hue="choice",
            labels={"choice": "α"},
        ),
    ),
)
