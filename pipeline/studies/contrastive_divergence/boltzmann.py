"""Does a Boltzmann machine with hidden units learn a small distribution, and find a code?

One learns bars and stripes of 2×2 by exact statistics: its divergence goes to 0. One learns the
encoder 8-3-8, by annealing in both phases: eight states of two groups of eight units, which three
hidden units have to tell apart, as nothing else links the groups. It is solved where the likeliest
hidden states of the eight are all different.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from pipeline.measuring.evidence import below, share
from pipeline.measuring.statistics import share_in_words, with_interval
from pipeline.studies.contrastive_divergence.runs import EnergyTraining
from pipeline.study import AS_TEXT, Claim, Count, Given, Part, Rows, Table

CLOSE, SOLVED = 0.02, 0.5
STEPS = "small steps stay where two states share a code; the paper's were coarse, of one size"
"""Why fewer would be solved."""
PUBLISHED = "16 of 20 (Ackley, Hinton & Sejnowski 1985, second-hand)"


class Machine(EnergyTraining):
    """One machine."""

    task: Literal["bars_and_stripes", "encoder"]  # pyright: ignore[reportIncompatibleVariableOverride]
    units: Count
    """The side of bars and stripes, or of each of the encoder's groups."""
    noise: Annotated[list[float], Field(min_length=2, max_length=2), *AS_TEXT] | None = None
    """How often a clamped unit that is on is turned off, and one that is off on, by annealing."""

    def measure(self, given: Given) -> Rows:
        """Return the divergence, of the encoder the codes it found and what it makes of half."""
        import math

        import torch

        from lightning_modules.energies.boltzmann import Boltzmann
        from pipeline.tasks.bars_and_stripes import BarsAndStripes
        from pipeline.tasks.encoder import Encoder

        torch.manual_seed(self.seed)
        encodes = self.task == "encoder"
        kind: Any = Encoder if encodes else BarsAndStripes
        source = kind(self.seed, self.batch_size, self.held_out_size, self.units)
        groups = range(self.units), range(self.units, 2 * self.units)
        of = self.estimator_of(**({"noise": tuple(self.noise)} if self.noise else {}))
        apart = [groups] if encodes else []
        net = Boltzmann(source.input_size, self.hidden_size, of, apart, spread=self.spread)
        self.train(given, source, net)
        v_NV = source.examples_NI
        with torch.no_grad():
            if not encodes:
                kl = -math.log(len(v_NV)) - float(net.log_probability(v_NV).mean())
                return {"kl": kl}
            code_NH = self._codes(net, v_NV)
            told_NK = self._told(net, v_NV)
        right = (told_NK.argmax(dim=1) == torch.arange(self.units)).double().mean()
        found = len({tuple(code) for code in code_NH.tolist()})
        return {"codes": found, "solved": found == self.units, "right": float(right)}

    def _codes(self, net: Any, v_NV: Any) -> Any:
        """Return the likeliest hidden state of each visible one."""
        import torch

        from pipeline.studies.contrastive_divergence.bias import states_of

        h_MH = states_of(self.hidden_size).to(v_NV)
        pairs = [torch.cat([v_V.expand(len(h_MH), -1), h_MH], dim=1) for v_V in v_NV]
        return torch.stack([h_MH[net.energy(s_MS).argmin()] for s_MS in pairs])

    def _told(self, net: Any, v_NV: Any) -> Any:
        """Return -F of each first half with each second one, (N, K)."""
        import torch

        first_NK, second_NK = v_NV.split(self.units, dim=1)
        told = []
        for first_K in first_NK:
            both = torch.cat([first_K.expand(len(second_NK), -1), second_NK], dim=1)
            told.append(-net.free_energy(both))
        return torch.stack(told)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the one to a divergence of next to nothing, the other to finding codes."""
    exact = rows[rows["task"] == "bars_and_stripes"].set_index("seed")
    if len(exact):
        claim = f"by exact statistics the divergence comes below {CLOSE} nats"
        yield below(claim, exact["kl"], CLOSE, expected=5)
    encoder = rows[rows["task"] == "encoder"].set_index("seed")
    if len(encoder):
        claim = "8-3-8: all codes differ, from more than half of the starts"
        solved = encoder["solved"].astype(bool)
        yield share(claim, solved, at_least=SOLVED, expected=5).if_missed(STEPS)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each came to."""
    lines = []
    for task, of in rows.groupby("task", sort=False):
        line: dict[str, Any] = {"task": task, "hidden": int(of["hidden_size"].iloc[0])}
        if task == "encoder":
            solved = of["solved"].astype(bool)
            line |= {"solved": share_in_words(solved), "published": PUBLISHED}
            line |= {"second half right": f"{100 * of['right'].mean():.0f} %"}
        else:
            line |= {"KL": with_interval(of["kl"], 4)}
        lines.append(line)
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Machine,
    expects,
    figures=(
        Table(
            name="boltzmann",
            title="What Boltzmann machines learned",
            caption="The published share is printed beside, not gated on.",
            build=table,
        ),
    ),
)
