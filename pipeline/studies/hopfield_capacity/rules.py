"""How many patterns does each storage rule keep, and how many does it recall from wrong bits?

All rules store the same patterns at random. Kept are those that a sweep leaves as they are;
recalled those that are come back to when a tenth of their bits is turned over first.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import Field, PositiveFloat

from lightning_modules.energies.storage import STORAGE
from pipeline.measuring.evidence import every, identity, ordered, within
from pipeline.measuring.statistics import with_interval
from pipeline.studies.hopfield_capacity.patterns import RECALLED, flipped, lost_at, patterns, stored
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial, named

PROJECTION, ABOVE = "pseudo_inverse", ("storkey", "perceptron_rule")
COLLAPSE = {True: 0.4, False: 0.5}
"""Where the projection recalls half of its patterns, by whether its diagonal is kept."""
NEAR = 0.1


class StoredBy(Trial):
    """One rule, one load."""

    storage: Annotated[str, named(STORAGE)]
    diagonal: bool
    """Whether units see themselves; else the diagonal counts as zero."""
    units: Count
    load: PositiveFloat
    flips: Annotated[float, Field(ge=0, le=0.5)]

    def measure(self, given: Given) -> Rows:
        """Return the shares of patterns that are kept and that are recalled."""
        import torch

        from lightning_modules.energies.hopfield import overlap

        torch.manual_seed(self.seed)
        x_MS = patterns(round(self.load * self.units), self.units).double()
        start_MS = flipped(x_MS, self.flips)
        net = stored(STORAGE[self.storage](), x_MS, diagonal=self.diagonal)
        kept_M = (net.update(x_MS) == x_MS).all(dim=1)
        m_M = overlap(net.settle(start_MS).states_NS, x_MS)
        return {
            "rule": called(self.storage, self.diagonal),
            "kept": float(kept_M.double().mean()),
            "recalled": float((m_M > RECALLED).double().mean()),
        }


def called(storage: str, diagonal: bool) -> str:
    """Return what a rule is called in figures."""
    known = {PROJECTION: "projection", "storkey": "Storkey's rule", "hebb": "Hebb's rule"}
    name = known.get(storage, storage.replace("_", " "))
    return f"{name}, diagonal kept" if diagonal else name


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the projection to what it keeps and where it collapses, two rules to be above Hebb's."""
    projected = rows[rows["storage"] == PROJECTION]
    if len(projected):
        kept, most = projected["kept"].min(), projected["load"].max()
        yield identity(
            f"the projection keeps every pattern at every load up to {most:g}",
            kept == 1,
            f"{kept:.1%} at least",
            expected=4,
        ).stands_for(KEPT)
        for diagonal, of in projected.groupby("diagonal"):
            at, known = lost_at(of), COLLAPSE[bool(diagonal)]
            words = "kept" if diagonal else "zero"
            claim = f"diagonal {words}: recall from wrong bits is lost at {known} ± {NEAR}"
            yield within(claim, at, known - NEAR, known + NEAR, expected=4)
    loads = sorted(rows["load"].unique())
    middle = [load for load in loads if 0.2 <= load <= 0.3]
    hebb = rows[rows["storage"] == "hebb"]
    for storage in ABOVE:
        other = rows[rows["storage"] == storage]
        if len(hebb) and len(other) and middle:
            name = called(storage, diagonal=False)
            yield every(
                f"{name}: recalls more patterns than Hebb's",
                [
                    ordered(f"at {load:g} a unit", _at(hebb, load), _at(other, load), expected=5)
                    for load in middle
                ],
            ).stands_for(_higher(storage))


def _at(rows: pd.DataFrame, load: float) -> pd.Series:
    return rows[rows["load"] == load].set_index("seed")["recalled"]


def _higher(storage: str) -> Published:
    source = {
        "storkey": "Storkey (1997)",
        "perceptron_rule": "Gardner (1988); Gardner, Gutfreund & Yekutieli (1989)",
    }[storage]
    name = storage.replace("_", "-")
    return Published(f"hopfield-{name}", source, "more than Hebb's .138", "at .2 to .3 a unit")


KEPT = Published(
    row="hopfield-projection",
    source="Personnaz, Guyon & Dreyfus (1985)",
    value="every pattern kept while there are fewer than units",
    tolerance="none: a theorem",
)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return where each rule's recall falls below a half."""
    return pd.DataFrame(
        {
            "rule": rule,
            "units": int(of["units"].iloc[0]),
            "half recalled at": with_interval(lost_at(of), 3),
            "patterns a unit, tried": f"{of['load'].min():g} to {of['load'].max():g}",
        }
        for (rule, _), of in rows.groupby(["rule", "units"], sort=False)  # pyright: ignore[reportGeneralTypeIssues]
    )


LABELS = {"load": "patterns a unit", "recalled": "share recalled", "kept": "share kept"}
PART = Part(
    __doc__,
    StoredBy,
    expects,
    speaks_of={"storage": ("hebb", PROJECTION, *ABOVE)},
    figures=(
        Figure(
            name="recall",
            title="Patterns recalled from wrong bits",
            caption="A tenth of the bits was turned over; recalled is an overlap above "
            f"{RECALLED}.",
            x="load",
            y="recalled",
            hue="rule",
            column="units",
            labels=LABELS,
        ),
        Figure(
            name="kept",
            title="Patterns that a sweep leaves as they are",
            caption="Where one bit is turned over a pattern is not kept.",
            x="load",
            y="kept",
            hue="rule",
            column="units",
            labels=LABELS,
        ),
        Table(
            name="rules",
            title="Where recall is lost",
            caption="The load at which half of the patterns are recalled, between those tried.",
            build=table,
        ),
    ),
)
