"""What becomes of one perceptron per class, on digits that no weights separate?

Each unit learns to tell its digit from all others; the class is the unit with the greatest weighted
sum. Weights start from zero, and the rate is constant, or decays from epoch to epoch.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.measuring.evidence import identity, ordered, within
from pipeline.measuring.training import DataSet, tested
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial, named
from pipeline.tasks import TASKS

LINEAR, TOLERANCE, ALL = 0.12, 0.02, 50_000
"""LeCun's error of a linear classifier, how near is near, and all of MNIST that is trained on."""
PUBLISHED = Published(
    "linear-classifier",
    "LeCun et al. (1998), linear classifier",
    f"{LINEAR:.1%} wrong",
    f"± {TOLERANCE * 100:g} points",
)


class Digits(Trial):
    """One layer of units, learning at one rate from so many digits."""

    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)]
    task: Annotated[str, named(TASKS)]
    dataset: DataSet
    rate: PositiveFloat
    decay: NonNegativeFloat
    train_size: Count
    held_out_size: Count
    batch_size: Count
    """How many digits come at a time, which changes nothing of what is learned."""
    epochs: Count

    def measure(self, given: Given) -> Rows:
        """Train; return a row for each epoch, and one for the test part, at the end."""
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
        for row in [*rows, tested(learner, source, rows)]:
            yield {
                "record": "curve",
                **row,
                "epoch": row["step"] / batches,
                "error": 1 - row["held_out_accuracy"],
                "separated": learner.rule.settled_at is not None,
                "digits": source.trained,
            }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare the rates; what is said of all of MNIST is asked of all of it alone."""
    error, swing = last_errors(rows), _swings(rows)
    least, most, whole = error.columns[0], error.columns[-1], bool((rows["digits"] >= ALL).all())
    both = error.shape[1] > 1 and least == 0
    if both:
        for of, number, words in ((swing, 7, "swings less"), (error, 8, "ends with a lower error")):
            claim = f"a rate that decays {words} than one that does not"
            yield ordered(claim, of[most], of[least], expected=number)
    if whole:
        settled = int(rows.groupby(["decay", "seed"])["separated"].any().sum())
        claim = f"{ALL} digits cannot be separated: no run settles"
        yield identity(claim, settled == 0, f"{settled} settled", expected=6)
    if whole and both:
        points = f"{TOLERANCE * 100:g} points"
        claim = f"a rate that decays ends within {points} of LeCun's {LINEAR:.0%} wrong"
        bounds = LINEAR - TOLERANCE, LINEAR + TOLERANCE
        near = within(claim, error[most], *bounds, unit="% wrong", expected=9)
        yield near.stands_for(PUBLISHED)


def last_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the error on the test part, by seed and decay."""
    return rows[rows["record"] == "test"].pivot_table(index="seed", columns="decay", values="error")


def _swings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the deviation of the error over the second half, by seed and decay."""
    late = rows[(rows["record"] == "curve") & (rows["epoch"] > rows["epoch"].max() / 2)]
    return late.groupby(["seed", "decay"])["error"].std(ddof=0).unstack("decay")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the ends in words."""
    means = {"error at the end": last_errors(rows), "deviation, second half": _swings(rows)}
    table = pd.DataFrame({words: of.mean() for words, of in means.items()})
    return table.map(lambda value: f"{value:.2%}").reset_index()


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
            where={"record": "curve"},
            hue="decay",
        ),
        Table(
            name="digits-ends",
            title="Digits: how the runs ended",
            caption="Means over seeds: the error on the test part, looked at once, at the end.",
            build=_table,
        ),
    ),
)
