"""Is the derivative of a nudge's free energy the difference of two phases, at any strength?

    F_β = -ln Σ_s exp(-E(s) - β C(s))        ∂(F_β - F_0)/∂W = E_β[∂E/∂W] - E_0[∂E/∂W]

On a Boltzmann machine of a few units, over all its states; C is the distance of its output units to
a target. The left side is taken by finite differences. It is the identity that equilibrium
propagation and contrastive learning rest on, not for small β alone.
"""

from collections.abc import Iterator

import pandas as pd
from pydantic import PositiveFloat

from pipeline.measuring.evidence import exact
from pipeline.study import Claim, Count, Given, Part, Rows, Table, Trial

STEP, OFF = 1e-5, 1e-8


class Nudge(Trial):
    """One machine, one strength."""

    units: Count
    outputs: Count
    strength: PositiveFloat
    """β."""
    spread: PositiveFloat

    def measure(self, given: Given) -> Rows:
        """Return how far both sides are apart, at most, and how large they are."""
        import torch

        from lightning_modules.energies.boltzmann import Boltzmann
        from lightning_modules.energies.estimators.exact import Exact
        from pipeline.studies.contrastive_divergence.bias import states_of

        torch.manual_seed(self.seed)
        net = Boltzmann(self.units, 0, Exact(), spread=self.spread).double()
        s_NS, y_O = states_of(self.units), torch.rand(self.outputs).double()
        cost_N = (s_NS[:, -self.outputs :] - y_O).square().sum(dim=1)

        def apart() -> float:
            """Return F_β - F_0."""
            minus_N = -net.energy(s_NS)
            pulled = (minus_N - self.strength * cost_N).logsumexp(dim=0)
            return float(minus_N.logsumexp(dim=0) - pulled)

        with torch.no_grad():
            minus_N = -net.energy(s_NS)
            nudged_N = (minus_N - self.strength * cost_N).softmax(dim=0)
            phases_SS = net.slopes_at(s_NS, nudged_N - minus_N.softmax(dim=0))[0]
            off = 0.0
            for i in range(self.units):
                for j in range(self.units):
                    net.W[i, j] += STEP
                    above = apart()
                    net.W[i, j] -= 2 * STEP
                    below = apart()
                    net.W[i, j] += STEP
                    off = max(off, abs((above - below) / (2 * STEP) - float(phases_SS[i, j])))
        return {"off": off, "largest": float(phases_SS.abs().max())}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold both sides to each other at every strength."""
    strengths = ", ".join(f"{beta:g}" for beta in sorted(rows["strength"].unique()))
    claim = f"the identity holds at every strength, β = {strengths}"
    yield exact(claim, float(rows["off"].max()), OFF, expected=9)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the largest distance and the largest entry, by strength."""
    return rows.groupby("strength")[["off", "largest"]].max().reset_index()


PART = Part(
    __doc__,
    Nudge,
    expects,
    figures=(
        Table(
            name="nudge",
            title="Both sides of the identity",
            caption="The largest distance between finite differences and phases, and the largest "
            "entry, over seeds.",
            build=table,
        ),
    ),
)
