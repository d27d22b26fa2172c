"""How well does Hebb's rule keep patterns at a load, and where does it break down as networks grow?

Networks start at patterns that they store and settle, all units at once, which takes a tenth of the
time of one at a time and ends with the same overlap; the diagonal is zero. Overlap is that of
patterns that stay above .7, the theory's is of infinitely many units. The load at which half of the
patterns are recalled is read off between those that were tried.
"""

from collections.abc import Iterator

import pandas as pd
from pydantic import PositiveFloat

from pipeline.measuring.evidence import below, every, monotone, ordered, within
from pipeline.measuring.statistics import with_interval
from pipeline.studies.hopfield_capacity import theory
from pipeline.studies.hopfield_capacity.patterns import RECALLED, lost_at, patterns, stored
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial

STAYED, SURE, LARGE, NEAR = 0.7, 0.12, 1000, 0.003
"""Overlap of patterns that count; loads and units up to, and from, which theory is held to."""


class Limit(Trial):
    """One network, one load."""

    units: Count
    load: PositiveFloat
    """Patterns stored, by units."""
    tried: Count
    """How many of the patterns are started from, at most."""
    sweeps: Count
    """That are gone at most."""

    def measure(self, given: Given) -> Rows:
        """Return overlaps beside the theory's, and how many patterns were recalled."""
        import torch

        from lightning_modules.energies.hopfield import overlap
        from lightning_modules.energies.storage.hebb import Hebb

        torch.manual_seed(self.seed)
        x_MS = patterns(round(self.load * self.units), self.units)
        net = stored(Hebb(), x_MS, updates="synchronous", sweeps=self.sweeps)
        start_NS = x_MS[: self.tried]
        settled = net.settle(start_NS)
        m_N = overlap(settled.states_NS, start_NS).double()
        known = theory.overlap(self.load)
        stayed = bool((m_N > STAYED).any())
        return {
            "overlap": float(m_N[m_N > STAYED].mean()) if stayed else None,
            "theory": None if known != known else known,
            "recalled": float((m_N > RECALLED).double().mean()),
            "swing": float((settled.period_N == 2).double().mean()),
            "gone": float(settled.sweeps_N.double().mean()),
        }


def crossings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the load at which half are recalled, by seed: the index, and units, the columns."""
    return pd.DataFrame({int(of["units"].iloc[0]): lost_at(of) for _, of in rows.groupby("units")})


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold overlaps to theory, and the crossing to a fall towards the limit."""
    sure = rows[(rows["load"] <= SURE + 1e-9) & (rows["units"] >= LARGE)]
    if len(sure):
        yield (
            every(
                f"up to {SURE} patterns a unit the overlap is the theory's to {NEAR}",
                [
                    within(
                        f"{load:g} of {units:,.0f} units",
                        (of["overlap"] - of["theory"]).set_axis(of["seed"]),
                        -NEAR,
                        NEAR,
                        expected=1,
                        digits=2,
                    )
                    for (load, units), of in sure.groupby(["load", "units"])  # pyright: ignore[reportGeneralTypeIssues]
                ],
            )
            .stands_for(OVERLAP)
            .if_missed(FINITE)
        )
    at = crossings(rows).dropna()
    if at.shape[1] > 1:
        yield monotone(
            "the load at which half are recalled falls as networks grow", at, expected=2, falls=True
        )
        largest = at.columns[-1]
        bound = f"and with {largest:,} units lies above the limit of {theory.LIMIT:.4f}"
        least = pd.Series(theory.LIMIT, index=at.index)
        yield ordered(bound, least, at[largest], expected=2).stands_for(BREAK)
        yield below(
            f"by less than .03 with {largest:,}", at[largest] - theory.LIMIT, 0.03, expected=2
        )


OVERLAP = Published(
    row="hopfield-overlap",
    source="Amit, Gutfreund & Sompolinsky (1985), the equation for m at temperature 0",
    value="m = .9996 (.08), .9980 (.10), .9963 (.11), .9932 (.12)",
    tolerance="±.003, of 1,000 units and more",
)
BREAK = Published(
    row="hopfield-limit",
    source="Amit, Gutfreund & Sompolinsky (1985): α_c",
    value=".138 patterns a unit, of infinitely many units",
    tolerance="from above, nearer as networks grow",
)
FINITE = "the theory is of infinitely many units; patterns near the break leave it first"
"""Why overlaps would be others."""


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return overlaps and recall by units and load."""
    lines = []
    for (_, load), of in rows.groupby(["units", "load"]):  # pyright: ignore[reportGeneralTypeIssues]
        known = of["theory"].iloc[0] if "theory" in of else None
        lines.append(
            {
                "units": int(of["units"].iloc[0]),
                "patterns a unit": load,
                "overlap": with_interval(of["overlap"].dropna(), 5),
                "theory": None if pd.isna(known) else f"{known:.5f}",
                "recalled": f"{with_interval(100 * of['recalled'], 0)} %",
                "swing": f"{100 * of['swing'].mean():.0f} %",
                "sweeps": with_interval(of["gone"], 1),
            }
        )
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Limit,
    expects,
    figures=(
        Figure(
            name="recalled",
            title="Patterns that are recalled from themselves",
            caption=f"Share with an overlap above {RECALLED}; the limit of infinitely many units "
            "is .138 patterns a unit.",
            x="load",
            y="recalled",
            hue="units",
            labels={"load": "patterns a unit", "recalled": "share recalled"},
        ),
        Figure(
            name="overlap",
            title="Overlap with the pattern",
            caption=f"Mean over patterns with more than {STAYED}; dashed: theory, of infinitely "
            "many units, where it has a solution.",
            x="load",
            y="overlap",
            hue="units",
            theory="theory",
            labels={"load": "patterns a unit", "overlap": "overlap m"},
        ),
        Table(
            name="limit",
            title="Overlaps beside theory's",
            caption="Means over seeds with their 95 % intervals.",
            build=table,
        ),
    ),
)
