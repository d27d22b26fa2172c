"""How well does the classical rule learn digits, by start range and rate, and what beats it?

784-300-10 on MNIST. The classical settings have logistic units and squared error, and an update
after each digit; a setting without a rule is today's form, ReLU and cross-entropy under Adam.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.measuring import statistics
from pipeline.measuring.evidence import below, ordered
from pipeline.measuring.training import DataSet, tested
from pipeline.studies.backpropagation.starts import Start
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial, named
from pipeline.tasks import TASKS

LECUN, MODERN, ALL = 0.047, 0.022, 50_000
"""LeCun's error of 300 hidden units, what cross-entropy should come to, and all of MNIST that is
trained on."""
USUAL, WIDE, NOW = "usual", "wide", "cross_entropy"
"""The settings that are spoken of,"""
SETTINGS = USUAL, WIDE, NOW, "half", "slow"
"""and all that there are: half the wide range, a tenth of the usual rate."""
RUN = "setting", "seed"
PUBLISHED = Published(
    "mlp-300-squared-error",
    "LeCun et al. (1998), 28x28-300-10 by squared error",
    f"{LECUN:.1%} wrong",
    "at most",
)
BATCH = 100
"""Digits of an update where there is no rule; with one they only come together."""


class Digits(Trial):
    """A rule, or none, and where the weights start."""

    network: Annotated[str, named(NETWORKS)]
    task: Annotated[str, named(TASKS)]
    dataset: DataSet
    setting: Annotated[str, named(SETTINGS)]
    rule: Annotated[str, named(RULES)] | None = None
    start: Start
    scale: PositiveFloat
    rate: PositiveFloat
    decay: NonNegativeFloat
    epochs: Count
    hidden_size: Count
    train_size: Count
    held_out_size: Count

    def measure(self, given: Given) -> Rows:
        """Train one network; a row for each epoch, and one for the test part, at the end."""
        import torch

        from lightning_modules.training.fit import fit

        torch.manual_seed(self.seed)
        source = TASKS[self.task](
            given.data[self.dataset],
            seed=self.seed,
            batch_size=BATCH,
            held_out_size=self.held_out_size,
            train_size=self.train_size,
        )
        every = source.trained // BATCH
        learner = self._learner(source, every)
        rows = fit(
            learner,
            source,
            steps=self.epochs * every,
            evaluate_every=every,
            seed=self.seed,
            scratch=given.scratch,
        )
        for row in [*rows, tested(learner, source, rows)]:
            accuracy = row["held_out_accuracy"]
            error = None if accuracy is None else 1 - accuracy
            epoch = row["step"] / every
            yield {
                "record": "curve",
                **row,
                "epoch": epoch,
                "error": error,
                "digits": source.trained,
            }

    def _learner(self, source: Any, every: int) -> Any:
        """Return what learns by the rule, or without one."""
        from lightning_modules.networks import _starts
        from lightning_modules.training.backprop import BackpropLearner
        from lightning_modules.training.by_rule import RuleLearner

        units = ("relu", "linear") if self.rule is None else ("logistic", "logistic")
        sizes = source.input_size, source.output_size, [self.hidden_size]
        layers = NETWORKS[self.network](*sizes, *units)
        _starts.start(layers, self.start, self.scale)
        if self.rule is None:
            return BackpropLearner(layers, source.loss, "adam", self.rate)
        teacher = RULES[self.rule](self.rate, self.decay, epoch=every * BATCH)
        return RuleLearner(layers, teacher, source.loss)


def last_errors(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return each setting's error on the test part, by seed; 1 where a run diverged."""
    last = _tested(rows).set_index("seed")
    by = last.assign(error=last["error"].fillna(1.0)).groupby("setting", sort=False)
    return {str(setting): error for setting, error in by["error"]}


def _tested(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each run did on the test part."""
    return statistics.last_evaluations(rows[rows["record"] == "test"], RUN)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare the starts; hold what learned from all of MNIST to the literature."""
    error, whole = last_errors(rows), bool((rows["digits"] >= ALL).all())
    if {USUAL, WIDE} <= error.keys():
        claim = "U(±1) ends with a higher error than 1/√I"
        yield ordered(claim, error[USUAL], error[WIDE], expected=7)
    if whole and USUAL in error:
        claim = f"the classical rule comes to LeCun's {LECUN * 100:g} % or below"
        yield below(claim, error[USUAL], LECUN, unit="% wrong", expected=6).stands_for(PUBLISHED)
    if whole and NOW in error:
        claim = f"cross-entropy comes to {MODERN * 100:g} % or below"
        yield below(claim, error[NOW], MODERN, unit="% wrong", expected=8)


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the error at the end of each setting."""
    by = _tested(rows).groupby("setting", sort=False)
    settings = by[["start", "scale", "rate", "decay"]].first()
    error = by["error"].agg(["mean", "min", "max"]).map(lambda value: f"{value:.2%}")
    return settings.join(error).join(by["epoch"].max()).reset_index()


PART = Part(
    __doc__,
    Digits,
    expects,
    figures=(
        Figure(
            name="digits",
            title="Digits by the classical rule, and by cross-entropy with Adam",
            caption="Share of held-out digits that are taken for another, mean and range over "
            "seeds; LeCun et al. (1998) have 4.7 % for 300 hidden units and squared error.",
            x="epoch",
            y="error",
            where={"record": "curve"},
            hue="setting",
            log_y=True,
        ),
        Table(
            name="digits-ends",
            title="Digits: how the runs ended",
            caption="Error on the test part, looked at once, at the end: mean over seeds, "
            "least and most.",
            build=_table,
        ),
    ),
)
