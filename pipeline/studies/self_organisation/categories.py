"""ART on digits: how many categories by vigilance, what order does, and what a vote does.

Digits are complement-coded, or for ART 1 black where a pixel is above a half. Each seed draws them;
they are learned from once, in several orders. ARTMAP learns their classes. Beside it stands the
nearest neighbour of the same digits, which keeps all of them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat, model_validator

from lightning_modules.maps import MAPS
from pipeline.measuring.evidence import every, monotone, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import DataSet
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.maps._map import Map


class Categories(Trial):
    """One map at one vigilance."""

    task: Annotated[str, named(TASKS)]
    dataset: DataSet
    map: Annotated[str, named(MAPS)]
    category: Annotated[str, named(MAPS)] | None = None
    """What makes the categories of a map of classes, which the following is then of."""
    threshold: NonNegativeFloat | None = None
    """Above which a pixel is 1; None has digits complement-coded."""
    vigilance: NonNegativeFloat
    choice: PositiveFloat
    train_size: Count
    held_out_size: Count
    capacity: Count
    orders: Count

    @model_validator(mode="after")
    def _orders(self) -> "Categories":
        if self.capacity > self.train_size:
            raise ValueError(f"capacity is {self.capacity}, of {self.train_size} digits")
        return self

    def measure(self, given: Given) -> Rows:
        """Return a row for each order, and where there are classes the vote and the neighbour."""
        from pipeline.studies.self_organisation.voting import asked, nearest, voted

        images = given.data[self.dataset]
        sizes = self.train_size, self.held_out_size
        task = TASKS[self.task](images, self.seed, *sizes, train_size=self.train_size)
        size = min(self.train_size, task.trained)
        found, right, facts = [], [], {"pictures": len(images.train_y_N), "digits": size}
        for order in range(self.orders):
            classes_N, told = asked(task, size, order, given.scratch, self._build)
            yield {"record": "order", "order": order, **told, **facts}
            if classes_N is not None:
                found.append(classes_N)
                right.append(told["right"])
        if found:
            mean = sum(right) / len(right)
            yield {"record": "vote", "right": voted(found, task), "mean": mean, **facts}
            yield {"record": "neighbour", "right": nearest(task, size), **facts}

    def _build(self, x_NI: "Tensor") -> "Map":
        """Return the map, which sees bits, or these digits complement-coded."""
        from lightning_modules.maps._coding import Bits, Coded

        kind, inputs = MAPS[self.category or self.map], x_NI.shape[1]
        if self.threshold is not None:
            return Bits(kind(inputs, self.capacity, self.vigilance, self.choice), self.threshold)
        art = kind(2 * inputs, self.capacity, self.vigilance, self.choice)
        return Coded.by(art if self.category is None else MAPS[self.map](art), x_NI)


def counts(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each map with its categories by seed, on average over orders, and vigilance."""
    orders = rows[rows["record"] == "order"]
    for name, of in orders.groupby("map", sort=False):
        yield str(name), of.pivot_table(index="seed", columns="vigilance", values="categories")


def votes_of(rows: pd.DataFrame) -> dict[float, pd.DataFrame]:
    """Return the votes by vigilance, by seed."""
    votes = rows[rows["record"] == "vote"]
    return {float(str(k)): of.set_index("seed") for k, of in votes.groupby("vigilance")}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold counts to vigilance, and votes to single orders."""
    claims = [monotone(name, by, expected=12) for name, by in counts(rows) if by.shape[1] > 1]
    if claims:
        yield every("higher vigilance makes more categories, on average over orders", claims)
    votes = votes_of(rows)
    claims = [
        ordered(f"ρ̄ = {vigilance:g}", of["mean"], of["right"], expected=13)
        for vigilance, of in votes.items()
        if int(of["orders"].min()) > 1
    ]
    if claims:
        yield every("a vote of orders is right more often than one order", claims)
    neighbours = rows[rows["record"] == "neighbour"]
    claims = [
        ordered(
            f"ρ̄ = {vigilance:g}",
            votes[float(str(vigilance))]["right"],
            of.set_index("seed")["right"],
            expected=13,
        )
        for vigilance, of in neighbours.groupby("vigilance")
    ]
    if claims:
        yield every("the nearest neighbour, which keeps all digits, is right more often", claims)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return categories and what is right, by map and vigilance."""
    lines: list[dict[str, Any]] = []
    for (name, vigilance), of in rows.groupby(["map", "vigilance"], sort=False):
        orders = of[of["record"] == "order"]
        seeds = orders.groupby("seed")["categories"]
        line: dict[str, Any] = {"map": str(name).replace("_", " "), "vigilance": f"{vigilance:g}"}
        line |= {"digits": int(of["digits"].iloc[0]), "orders": int(of["orders"].iloc[0])}
        line |= {"categories": with_interval(seeds.mean(), 1)}
        least, most = seeds.min().mean(), seeds.max().mean()
        line |= {"fewest to most": f"{least:.0f} to {most:.0f}"}
        votes, other = of[of["record"] == "vote"], of[of["record"] == "neighbour"]
        if len(votes):
            line |= {
                "right": with_interval(votes["mean"]),
                "their vote": with_interval(votes["right"]),
            }
            line |= {"nearest neighbour": with_interval(other["right"])}
        lines.append(line)
    return pd.DataFrame(lines).fillna("")


PART = Part(
    __doc__,
    Categories,
    expects,
    figures=(
        Table(
            name="categories",
            title="Categories of digits after one pass",
            caption="Means over orders with 95 % intervals over seeds, each with digits of its "
            "own; fewest and most of a seed's orders on average.",
            build=table,
        ),
        Figure(
            name="vigilance",
            title="Categories by vigilance",
            caption="Mean and range over seeds and orders.",
            x="vigilance",
            y="categories",
            where={"record": "order"},
            hue="map",
            log_y=True,
        ),
        Figure(
            name="digit-orders",
            title="Digits that ARTMAP has right, by order",
            caption="Each point is an order of one seed's digits.",
            x="categories",
            y="right",
            where={"record": "order", "map": "artmap"},
            hue="vigilance",
            kind="scatter",
            log_x=True,
            labels={"right": "share right"},
        ),
    ),
)
