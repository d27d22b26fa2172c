"""What does a biased gradient do to likelihood, where that is known exactly?

Machines learn bars and stripes from all patterns at once, by each way to the gradient, under the
Trainer. The divergence of the model from the data is exact; beside it stands how well patterns are
reconstructed, which is what can be had without it. A uniform model has a divergence of
9 ln 2 - ln 14 for 3×3.
"""

import math
from collections.abc import Iterator
from typing import Any, Literal

import pandas as pd

from pipeline.measuring.evidence import below, monotone
from pipeline.measuring.statistics import with_interval
from pipeline.studies.contrastive_divergence.runs import EnergyTraining, gradient_by
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table

LEARNED = 0.15
"""The divergence that the exact gradient is expected to come below."""
ORDER = "exact", "CD-10", "CD-1"


class Small(EnergyTraining):
    """One machine, one way to the gradient."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["bars_and_stripes"]  # pyright: ignore[reportIncompatibleVariableOverride]
    side: Count

    def measure(self, given: Given) -> Rows:
        """Return divergence and reconstruction along training, and the end."""
        import torch

        from pipeline.tasks.bars_and_stripes import BarsAndStripes

        torch.manual_seed(self.seed)
        source = BarsAndStripes(self.seed, self.batch_size, self.held_out_size, self.side)
        v_NV = source.examples_NI
        learned = self.train(given, source, self.rbm(source))
        by = gradient_by(self.estimator, self.sweeps, self.centred)
        entropy = math.log(len(v_NV))
        told: dict[int, dict[str, Any]] = {}
        for row in learned.rows:
            at = told.setdefault(row["step"], {"record": "curve", "by": by, "step": row["step"]})
            if "probe" not in row:
                at["reconstruction"] = row["held_out_loss"]
            elif row["quantity"] == "log_p":
                at["kl"] = -entropy - float(row["value"])
        yield from told.values()
        net = learned.learner.energy
        with torch.no_grad():
            kl = -entropy - float(net.log_probability(v_NV).mean())
        last = [row for row in learned.rows if "probe" not in row][-1]
        yield {"record": "end", "by": by, "kl": kl, "reconstruction": last["held_out_loss"]}


def divergences(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the divergence at the end, by way to the gradient, by seed."""
    end = rows[rows["record"] == "end"].set_index("seed")
    return {str(by): of["kl"] for by, of in end.groupby("by", sort=False)}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the exact gradient to learning, others to their order, and reconstruction to lying."""
    by = divergences(rows)
    if "exact" in by:
        claim = f"the exact gradient comes below a divergence of {LEARNED} nats"
        yield below(claim, by["exact"], LEARNED, expected=4).if_missed(SHORT)
    if set(ORDER) <= set(by):
        levels = pd.DataFrame({name: by[name] for name in ORDER})
        yield monotone("divergence: exact below CD-10 below CD-1", levels, expected=4)
    rise = misled(rows)
    if len(rise):
        claim = "CD-1: from its least divergence on that rises, while reconstruction gets better"
        yield below(claim, -rise, 0, expected=4).if_missed(
            "at this rate divergence was still falling when training ended"
        )


SHORT = "it was still falling when training ended"


def misled(rows: pd.DataFrame) -> pd.Series:
    """Return by how much CD-1's divergence ends above its least, where reconstruction improved."""
    curve = rows[(rows["record"] == "curve") & (rows["by"] == "CD-1")]
    found: dict[int, float] = {}
    for seed, of in curve.dropna(subset=["kl"]).groupby("seed"):
        least, last = of.nsmallest(1, "kl").iloc[0], of.nlargest(1, "step").iloc[0]
        better = last["reconstruction"] < least["reconstruction"]
        found[int(str(seed))] = float(last["kl"] - least["kl"]) if better else 0.0
    return pd.Series(found, dtype=float).rename_axis("seed")


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return both at the end, by way to the gradient."""
    end = rows[rows["record"] == "end"]
    return pd.DataFrame(
        {
            "gradient": by,
            "KL": with_interval(of["kl"]),
            "reconstruction error": f"{of['reconstruction'].mean():.2e}",
        }
        for by, of in end.groupby("by", sort=False)
    )


LABELS = {"kl": "KL (nats)", "reconstruction": "reconstruction error", "step": "updates", "by": ""}
PART = Part(
    __doc__,
    Small,
    expects,
    figures=(
        Figure(
            name="divergence",
            title="Divergence from the data",
            caption="Exact, mean since the evaluation before; mean and range over seeds.",
            x="step",
            y="kl",
            where={"record": "curve"},
            hue="by",
            log_y=True,
            labels=LABELS,
        ),
        Figure(
            name="reconstruction",
            title="How well patterns are reconstructed",
            caption="Mean squared error of a pixel; mean and range over seeds. It tells nothing of "
            "the divergence beside it.",
            x="step",
            y="reconstruction",
            where={"record": "curve"},
            hue="by",
            log_y=True,
            labels=LABELS,
        ),
        Table(
            name="small",
            title="What each way to the gradient came to",
            caption="Bars and stripes, each pattern counted once; means with their 95 % intervals.",
            build=table,
        ),
    ),
)
