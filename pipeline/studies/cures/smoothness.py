"""Does the loss bend more where its gradient is larger, along training?

Local smoothness is how fast the gradient changes along an update, on the same batch:
‖g(θ + Δθ) - g(θ)‖ / ‖Δθ‖. Zhang et al. found it to grow with ‖g‖ in language models, up to a line
on logarithmic axes, where theory had assumed a bound: that is where a step of fixed rate is too
long and a clipped one is not. All here is measured under the reference clip.

References:
    Zhang, He, Sra & Jadbabaie (2020), Why gradient clipping accelerates training: a theoretical
        justification for adaptivity, ICLR, arXiv:1905.11881.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pydantic import model_validator

from pipeline.measuring.evidence import above
from pipeline.measuring.statistics import exponent, with_interval
from pipeline.studies.cures.runs import Cure
from pipeline.study import Claim, Figure, Given, Part, Published, Rows, Table

ZHANG = Published(
    row="zhang-smoothness",
    source="Zhang, He, Sra & Jadbabaie (2020), figure 1: AWD-LSTM on Penn Treebank",
    value="local smoothness grows with the gradient's norm, on logarithmic axes; a picture",
    tolerance="their logarithms correlate over the measurements of a run, on text",
)


class LocalSmoothness(Cure):
    """A task under the reference clip, measured at each evaluation."""

    @model_validator(mode="after")
    def _enough(self) -> "LocalSmoothness":
        if self.steps < 3 * self.every:
            raise ValueError(
                f"steps is {self.steps}: an exponent takes 3 times evaluate_every, {self.every}"
            )
        return self

    def measure(self, given: Given) -> Rows:
        """Train one network; a row for each measurement."""
        probes = {"smoothness": {"every": self.every}}
        rows = self.model_copy(update={"probes": probes}).train(given)
        # What a row tells was measured at the first update since the row before.
        return [
            {**row, "step": max(0, int(row["step"]) - self.every)}
            for row in rows
            if "smoothness" in row
        ]


def fits(rows: pd.DataFrame) -> pd.DataFrame:
    """Return exponent and correlation of each run."""
    lines = []
    for (task, seed), seen in rows.groupby(["task", "seed"], sort=False):
        seen = seen[(seen["norm"] > 0) & (seen["smoothness"] > 0)]
        norm, smoothness = seen["norm"].tolist(), seen["smoothness"].tolist()
        correlation = float(np.corrcoef(np.log(norm), np.log(smoothness))[0, 1])
        lines.append(
            {
                "task": task,
                "seed": seed,
                "exponent": exponent(norm, smoothness)[0],
                "correlation": correlation,
                "measured": len(seen),
            }
        )
    return pd.DataFrame(lines)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Claim both of each task."""
    for task, seen in fits(rows).set_index("seed").groupby("task", sort=False):
        for name in ("exponent", "correlation"):
            claim = f"{task}: smoothness grows with the gradient's norm: {name} above 0"
            found = above(claim, seen[name], 0.0, expected=9)
            published = (task, name) == ("next_character", "correlation")
            yield found.stands_for(ZHANG) if published else found


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the fits by task."""
    lines = []
    for task, seen in fits(rows).groupby("task", sort=False):
        words = {name: with_interval(seen[name], 2) for name in ("exponent", "correlation")}
        lines.append({"task": task, **words, "measurements": int(seen["measured"].sum())})
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    LocalSmoothness,
    expects,
    figures=(
        Figure(
            name="smoothness",
            title="Local smoothness against the gradient's norm, along training",
            caption="Each point is a measurement, on the batch of the update. A loss with bounded "
            "curvature would keep below a level line.",
            x="norm",
            y="smoothness",
            column="task",
            kind="scatter",
            log_x=True,
            log_y=True,
            labels={
                "norm": "‖g‖",
                "smoothness": "‖Δg‖ / ‖Δθ‖",
                "temporal_order": "temporal order",
                "next_character": "next character",
                "adding": "adding",
            },
        ),
        Table(
            name="smoothness-fits",
            title="Smoothness ~ normᵏ",
            caption="The exponent k and the correlation of the logarithms, mean and half-width of "
            "the 95 % interval over seeds.",
            build=_table,
        ),
    ),
)
