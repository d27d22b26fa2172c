"""How often is a bit wrong after one step from a pattern, and where do synchronous networks end?

Bits: the share of bits that one synchronous step turns over, beside ½ erfc(1/√(2α)), α being the
other patterns by units, to three standard errors of as many independent bits as one network has.

Orbits: a network starts at states at random and updates all its units at once. How long its orbit
is, whether -s(t+1)'W s(t) ever rose, and, beside it, whether energy ever rose where units are
updated one at a time.
"""

import math
from collections.abc import Iterator

import pandas as pd
from pydantic import PositiveFloat

from pipeline.measuring.evidence import every, identity, within
from pipeline.studies.hopfield_capacity import theory
from pipeline.studies.hopfield_capacity.patterns import patterns, stored
from pipeline.study import Claim, Count, Given, Part, Published, Rows, Table, Trial

ERRORS = 3
"""Standard errors within which a share has to lie."""


class Steps(Trial):
    """One network of Hebb's rule."""

    units: Count
    load: PositiveFloat
    starts: Count
    """States at random."""
    sweeps: Count
    """That are gone at most."""

    def measure(self, given: Given) -> Rows:
        """Return the share of wrong bits, and what orbits did."""
        import torch

        from lightning_modules.energies.storage.hebb import Hebb

        torch.manual_seed(self.seed)
        x_MS = patterns(round(self.load * self.units), self.units)
        net = stored(Hebb(), x_MS, updates="synchronous", sweeps=self.sweeps)
        wrong = int((net.update(x_MS) != x_MS).sum())
        start_NS = patterns(self.starts, self.units)
        period_N = net.settle(start_NS).period_N
        return {
            "bits": x_MS.numel(),
            "wrong": wrong,
            "theory": theory.wrong_bits((len(x_MS) - 1) / self.units),
            "open": int((period_N == 0).sum()),
            "swing": float((period_N == 2).double().mean()),
            "two_step_rises": self._rises(net, start_NS),
            "energy_rises": self._energy_rises(stored(Hebb(), x_MS), start_NS),
        }

    def _rises(self, net, s_NS) -> int:
        """Count the steps at which -s(t+1)'W s(t) rose, over all starts."""
        import torch

        rises, last_N = 0, torch.full((len(s_NS),), math.inf)
        for _ in range(self.sweeps):
            next_NS = net.update(s_NS)
            now_N = -(next_NS * net.field(s_NS)).sum(dim=1).detach()
            rises += int((now_N > last_N).sum())
            if torch.equal(now_N, last_N):
                break
            s_NS, last_N = next_NS, now_N
        return rises

    def _energy_rises(self, net, s_NS) -> int:
        """Count the sweeps, one unit at a time, after which energy had risen."""
        rises = 0
        for _ in range(self.sweeps):
            next_NS = net.update(s_NS)
            rises += int((net.energy(next_NS) > net.energy(s_NS)).sum())
            if bool((next_NS == s_NS).all()):
                break
            s_NS = next_NS
        return rises


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold wrong bits to theory, orbits to two theorems."""
    yield every(
        f"one step turns over ½ erfc(1/√(2α)) of the bits, to {ERRORS} standard errors",
        [_near(float(str(load)), of) for load, of in rows.groupby("load")],
    ).stands_for(WRONG)
    rises, length = int(rows["two_step_rises"].sum()), int(rows["open"].sum())
    runs = f"{int(rows['starts'].sum()):,} orbits"
    yield identity(
        "all at once: -s(t+1)'W s(t) never rises", rises == 0, f"{rises} rises, {runs}", expected=3
    ).stands_for(TWO)
    yield identity(
        "and no orbit is longer than two", length == 0, f"{length} of {runs}", expected=3
    )
    rises = int(rows["energy_rises"].sum())
    claim = "one unit at a time: energy never rises"
    yield identity(claim, rises == 0, f"{rises} rises, {runs}", expected=3)


def _near(load: float, rows: pd.DataFrame) -> Claim:
    """Claim that networks of one load lie by the theory's share."""
    known = rows["theory"].mean()
    error = math.sqrt(known * (1 - known) / rows["bits"].mean())
    shares = (rows["wrong"] / rows["bits"]).set_axis(rows["seed"])
    low, high = known - ERRORS * error, known + ERRORS * error
    return within(f"at {load:g} a unit", shares, low, high, expected=3, digits=5)


WRONG = Published(
    row="hopfield-wrong-bits",
    source="Hertz, Krogh & Palmer (1991), Introduction to the Theory of Neural Computation, ch. 2",
    value="½ erfc(1/√(2α)): .1 % at .105, .36 % at .138, 1 % at .185 patterns a unit",
    tolerance="three standard errors of one network's independent bits",
)
TWO = Published(
    row="hopfield-period-two",
    source="Goles & Olivos (1981)",
    value="rest, or period two",
    tolerance="none: a theorem",
)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return wrong bits and orbits by load."""
    return pd.DataFrame(
        {
            "units": int(of["units"].iloc[0]),
            "patterns a unit": load,
            "wrong bits": f"{of['wrong'].sum() / of['bits'].sum():.3e}",
            "theory": f"{of['theory'].mean():.3e}",
            "swing": f"{of['swing'].mean():.0%} of {int(of['starts'].sum()):,}",
        }
        for load, of in rows.groupby("load")
    )


PART = Part(
    __doc__,
    Steps,
    expects,
    figures=(
        Table(
            name="steps",
            title="Wrong bits after a step, and orbits that swing",
            caption="Starts at random, all units at once: the others come to rest.",
            build=table,
        ),
    ),
)
