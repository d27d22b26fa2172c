"""How many parameters does a network have for sequences of each length?"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import model_validator

from lightning_modules.cells import CELLS
from lightning_modules.networks import NETWORKS
from pipeline.measuring.evidence import identity
from pipeline.study import AS_TEXT, Claim, Count, Figure, Given, Part, Rows, Trial, named

UNTIED = "untied"
"""The form that is expected to grow."""


class Lengths(Trial):
    """A network that reads a sequence of some length; nothing is learned."""

    form: str
    """What it is called."""
    network: Annotated[str, named(NETWORKS)]
    cell: Annotated[str, named(CELLS)] | None = None
    """Of an unrolled network."""
    input_size: Count
    hidden_size: Count
    output_size: Count
    delays: Annotated[list[Count], *AS_TEXT] | None = None
    """Steps that each hidden layer of a TDNN sees."""
    length: Count

    @model_validator(mode="after")
    def _each_its_own(self) -> "Lengths":
        for network, option in (("unrolled", "cell"), ("tdnn", "delays")):
            if (self.network == network) != (getattr(self, option) is not None):
                raise ValueError(f"network {network} and {option} go together: give both or none")
        return self

    def measure(self, given: Given) -> Rows:
        """Build it, let it read, and return its parameters, and the outputs that it gave."""
        import torch

        m, n, outputs = self.input_size, self.hidden_size, self.output_size
        torch.manual_seed(self.seed)
        if self.cell is not None:
            sizes = CELLS[self.cell](m, n), outputs
        elif self.delays is not None:
            sizes = m, outputs, [n] * len(self.delays), self.delays
        else:
            sizes = m, outputs, n, self.length
        network = NETWORKS[self.network](*sizes)
        with torch.no_grad():
            z_TBO = network(torch.randn(self.length, 1, m))
        return {
            "parameters": sum(weights.numel() for weights in network.parameters()),
            "answers": len(z_TBO),
        }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold what is shared over time to one number, and what is not to proportion."""
    rows = rows[rows["seed"] == rows["seed"].min()]  # a count hangs on no draw
    for form, of in rows.groupby("form", sort=False):
        counts = of.set_index("length")["parameters"].sort_index().astype(int)
        short, long = int(counts.index[0]), int(counts.index[-1])
        if form == UNTIED:
            each = counts.diff().dropna() / counts.index.to_series().diff().dropna()
            yield identity(
                f"{form}: each step more has as many parameters more",
                bool(each.nunique() == 1),
                f"{each.iloc[0]:,.0f} a step; {counts[long]:,} for {long} steps",
                expected=4,
            )
        else:
            yield identity(
                f"{form}: as many parameters for {long} steps as for {short}",
                bool(counts.nunique() == 1 and (of["answers"] == of["length"]).all()),
                f"{counts[short]:,} and {counts[long]:,}",
                expected=4,
            )


PART = Part(
    __doc__,
    Lengths,
    expects,
    speaks_of={"form": (UNTIED,)},
    figures=(
        Figure(
            name="lengths",
            title="Parameters by the length of what is read",
            caption="All have as many units a layer. What is shared over steps does not grow.",
            x="length",
            y="parameters",
            hue="form",
            log_x=True,
            log_y=True,
            labels={"length": "steps of the sequence", "form": "network"},
        ),
    ),
)
