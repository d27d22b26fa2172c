"""The circle in the square, in one pass: how often is fuzzy ARTMAP right, and by which order?

Each seed draws points, which are learned from in several orders, once each; then the orders vote,
the lowest class where votes are equal. Beside them stand the nearest neighbour, which keeps all
points, and a guess, right on a half.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat

from lightning_modules.maps import MAPS
from pipeline.measuring.evidence import every, ordered, within
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.maps._map import Map

SEEN = {100: 0.887, 1_000: 0.926, 10_000: 0.957}
"""Measured beforehand, by points: what is right."""
VOTE = {1_000: 0.953}
"""The same of a vote of five."""
NEAR = 0.03


class Circle(Trial):
    """One number of points."""

    task: Annotated[str, named(TASKS)]
    map: Annotated[str, named(MAPS)]
    category: Annotated[str, named(MAPS)]
    """What makes its categories."""
    vigilance: NonNegativeFloat
    choice: PositiveFloat
    capacity: Count
    points: Count
    held_out_size: Count
    orders: Count

    def measure(self, given: Given) -> Rows:
        """Return a row for each order, one for the vote, and one for the nearest neighbour."""
        from pipeline.studies.self_organisation.voting import asked, nearest, voted

        task = TASKS[self.task](self.seed, self.points, self.held_out_size, self.points)
        found, right = [], []
        for order in range(self.orders):
            classes_N, facts = asked(task, self.points, order, given.scratch, self._build)
            found.append(classes_N)
            right.append(facts["right"])
            yield {"record": "order", "order": order, **facts}
        yield {"record": "vote", "right": voted(found, task), "mean": sum(right) / len(right)}
        yield {"record": "neighbour", "right": nearest(task, self.points)}

    def _build(self, x_NI: "Tensor") -> "Map":
        """Return the map, which sees these points complement-coded."""
        from lightning_modules.maps._coding import Coded

        options = {"vigilance": self.vigilance, "choice": self.choice}
        art = MAPS[self.category](2 * x_NI.shape[1], self.capacity, **options)
        return Coded.by(MAPS[self.map](art), x_NI)


UNLIKE = (
    "what was measured beforehand came from few draws of points and orders, which spread as "
    "widely as the figure's own range"
)


def votes_of(rows: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Return the votes, and the mean of their orders, by seed, for each number of points."""
    votes = rows[rows["record"] == "vote"]
    return {int(float(str(k))): of.set_index("seed") for k, of in votes.groupby("points")}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the share that is right to what was measured beforehand, and a vote above an order."""
    several = []
    for points, of in votes_of(rows).items():
        if points in SEEN:
            text = f"{points:,} points: one pass is right on {SEEN[points]} ± {NEAR}"
            low, high = SEEN[points] - NEAR, SEEN[points] + NEAR
            yield within(text, of["mean"], low, high, expected=6).if_missed(UNLIKE)
        orders = int(of["orders"].min())
        if points in VOTE and orders >= 5:
            text = (
                f"{points:,} points: a vote of {orders} orders is right on {VOTE[points]} ± {NEAR}"
            )
            low, high = VOTE[points] - NEAR, VOTE[points] + NEAR
            yield within(text, of["right"], low, high, expected=7)
        if orders > 1:
            several.append(ordered(f"{points:,} points", of["mean"], of["right"], expected=7))
    if several:
        yield every("a vote of orders is right more often than one order", several)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what is right, by points."""
    lines: list[dict[str, Any]] = []
    for points, of in rows.groupby("points"):
        by = {str(record): at for record, at in of.groupby("record")}
        votes, orders = by["vote"], by["order"]
        spread = orders.groupby("seed")["right"].agg(["min", "max"]).mean()
        lines.append(
            {
                "points": f"{points:,g}",
                "one order": with_interval(votes["mean"]),
                "worst to best of the orders": f"{spread['min']:.3f} to {spread['max']:.3f}",
                "orders": int(of["orders"].iloc[0]),
                "their vote": with_interval(votes["right"]),
                "categories": with_interval(orders.groupby("seed")["categories"].mean(), 1),
                "nearest neighbour": with_interval(by["neighbour"]["right"]),
            }
        )
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Circle,
    expects,
    figures=(
        Table(
            name="circle",
            title="The circle in the square after one pass",
            caption="Share of held-out points that are right, with 95 % intervals over seeds; a "
            "guess has .5.",
            build=table,
        ),
        Figure(
            name="orders",
            title="What order alone does",
            caption="Each point is an order of one seed's points.",
            x="categories",
            y="right",
            where={"record": "order"},
            hue="points",
            kind="scatter",
            labels={"right": "share right"},
        ),
    ),
)
