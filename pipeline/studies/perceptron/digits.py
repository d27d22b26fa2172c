"""What becomes of one perceptron per class, on digits that no weights separate?

Each unit learns to tell its digit from all others; the class is the unit with the greatest weighted
sum. Weights start from zero, and the rate is constant, or decays from epoch to epoch.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.measuring.training import DataSet
from pipeline.study import Check, Figure, Given, Part, Rows, Table, Trial, named
from pipeline.tasks import TASKS

LINEAR, TOLERANCE, ALL = 0.12, 0.02, 60_000
"""LeCun's error of a linear classifier, how near is near, and how many digits MNIST has."""


class Digits(Trial):
    """One layer of units, learning at one rate from so many digits."""

    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)]
    task: Annotated[str, named(TASKS)]
    dataset: DataSet
    rate: PositiveFloat
    decay: NonNegativeFloat
    train_size: PositiveInt
    held_out_size: PositiveInt
    batch_size: PositiveInt
    """How many digits come at a time, which changes nothing of what is learned."""
    epochs: PositiveInt

    def measure(self, given: Given) -> Rows:
        """Train; return a row for each epoch."""
        import torch

        from lightning_modules.training.by_rule import RuleLearner
        from lightning_modules.training.fit import fit

        torch.manual_seed(self.seed)
        source = TASKS[self.task](
            given.data[self.dataset],
            seed=self.seed,
            batch_size=self.batch_size,
            held_out_size=self.held_out_size,
            train_size=self.train_size,
        )
        batches = source.trained // self.batch_size
        learner = RuleLearner(
            NETWORKS[self.network](source.input_size, source.output_size, spread=0.0),
            RULES[self.rule](self.rate, self.decay, epoch=batches * self.batch_size),
            source.loss,
        )
        rows = fit(
            learner,
            source,
            steps=self.epochs * batches,
            evaluate_every=batches,
            seed=self.seed,
            scratch=given.scratch,
        )
        for row in rows:
            yield {
                **row,
                "epoch": row["step"] / batches,
                "error": 1 - row["held_out_accuracy"],
                "separated": learner.rule.settled_at is not None,
                "digits": source.trained,
            }


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare the rates; what is said of all of MNIST is asked of all of it alone."""
    by_decay, whole = _by_decay(rows), bool((rows["digits"] >= ALL).all())
    constant, decaying = by_decay.iloc[0], by_decay.iloc[-1]
    both = len(by_decay) > 1 and by_decay.index[0] == 0
    if both:
        for name, words in (("swing", "swings less"), ("error", "ends with a lower error")):
            low, high = decaying[name], constant[name]
            claim = f"a rate that decays {words} than one that does not"
            yield Check(claim, bool(low < high), f"{low:.2%} against {high:.2%}")
    if whole:
        settled = int(rows.groupby(["decay", "seed"])["separated"].any().sum())
        claim = f"{ALL} digits cannot be separated: no run settles"
        yield Check(claim, settled == 0, f"{settled} settled")
    if whole and both:
        claim = f"a rate that decays ends within {TOLERANCE:.0%} of LeCun's {LINEAR:.0%}"
        error = decaying["error"]
        yield Check(claim, bool(abs(error - LINEAR) <= TOLERANCE), f"{error:.2%}")


def _by_decay(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, by decay, the error at the end and its deviation over the second half."""
    late = rows[rows["epoch"] > rows["epoch"].max() / 2]
    swing = late.groupby(["decay", "seed"])["error"].std(ddof=0).groupby("decay").mean()
    last = late[late["epoch"] == late["epoch"].max()].groupby("decay")["error"].mean()
    return pd.DataFrame({"error": last, "swing": swing})


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the ends in words."""
    words = _by_decay(rows).map(lambda value: f"{value:.2%}").reset_index()
    return words.rename(columns={"error": "error at the end", "swing": "deviation, second half"})


PART = Part(
    __doc__,
    Digits,
    expects,
    figures=(
        Figure(
            name="digits",
            title="One perceptron per digit",
            caption="Share of held-out digits that are taken for another, mean and range over "
            "seeds; a linear classifier of LeCun et al. (1998) has 12 %.",
            x="epoch",
            y="error",
            hue="decay",
        ),
        Table(
            name="digits-ends",
            title="Digits: how the runs ended",
            caption="Means over seeds.",
            build=_table,
        ),
    ),
)
