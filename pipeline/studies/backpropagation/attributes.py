"""Discrete attributes, one unit a value: does the classical rule solve the MONK's problems?

A network with one hidden layer, of as many units as Thrun et al. used, learns from each problem's
training robots, one after the other, until an epoch's answers were all right or its epochs are
over, and is asked for all 432. There are two outputs, no and yes, where they had one.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import pandas as pd
from pydantic import PositiveFloat

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.measuring import statistics
from pipeline.measuring.evidence import above
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial, named
from pipeline.tasks import TASKS

PUBLISHED = {1: 1.0, 2: 1.0, 3: 0.931}
"""Right, of all robots, by back-propagation in the report."""
NEAR = 0.05
RUN = "problem", "seed"


class Attributes(Trial):
    """The network of one problem, and how it learns."""

    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)]
    task: Annotated[str, named(TASKS)]
    problem: Literal[1, 2, 3]
    hidden_size: Count
    spread: PositiveFloat
    """Weights and biases start from U(-spread, spread)."""
    rate: PositiveFloat
    epochs: Count
    evaluations: Count

    def measure(self, given: Given) -> Rows:
        """Train one network and return its evaluations; a batch is an epoch."""
        import torch

        from lightning_modules.networks import _starts
        from lightning_modules.training.by_rule import RuleLearner
        from lightning_modules.training.fit import fit

        torch.manual_seed(self.seed)
        source = TASKS[self.task](self.seed, self.problem)
        sizes = source.input_size, source.output_size, [self.hidden_size]
        units = NETWORKS[self.network](*sizes, "logistic", "logistic")
        _starts.start(units, "uniform", self.spread)
        learner = RuleLearner(units, RULES[self.rule](self.rate), source.loss)
        rows = fit(
            learner,
            source,
            steps=self.epochs,
            evaluate_every=max(1, self.epochs // self.evaluations),
            seed=self.seed,
            scratch=given.scratch,
        )
        return [row | {"settled": learner.rule.settled_at is not None} for row in rows]


def _last_evaluations(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each run ended; beside other parts' rows whole numbers are not told as such."""
    return statistics.last_evaluations(rows, RUN).astype({"problem": int})


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold what is right of all robots to the report."""
    for problem, right in shares_right(rows).items():
        published = PUBLISHED[problem]
        less = f"at most {NEAR * 100:g} points less"
        claim = f"MONK {problem}: {published:.1%} right as published, or {less}"
        yield (
            above(claim, right, published - NEAR, unit="% right", expected=5)
            .stands_for(
                Published(
                    f"monk-{problem}",
                    "Thrun et al. (1991), back-propagation on the MONK's problems",
                    f"{published:.1%} right",
                    less,
                )
            )
            .if_missed(
                "Single seeds settle at a solution of the training robots that errs on others."
            )
        )


def shares_right(rows: pd.DataFrame) -> dict[int, pd.Series]:
    """Return what is right of all robots in the end, by seed, of each problem."""
    last = _last_evaluations(rows).set_index("seed").groupby("problem")["held_out_accuracy"]
    return {int(str(problem)): right for problem, right in last}


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each problem ended."""
    lines = []
    for problem, runs in _last_evaluations(rows).groupby("problem"):
        right = runs["held_out_accuracy"]
        lines.append(
            {
                "problem": problem,
                "hidden units": int(runs["hidden_size"].iloc[0]),
                "right": f"{right.mean():.1%}",
                "least": f"{right.min():.1%}",
                "published": f"{PUBLISHED[int(str(problem))]:.1%}",
                "settled": f"{int(runs['settled'].sum())} of {len(runs)}",
            }
        )
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Attributes,
    expects,
    figures=(
        Figure(
            name="monks",
            title="The MONK's problems by the classical rule",
            caption="Share of all robots that are answered right, mean and range over seeds.",
            x="step",
            y="held_out_accuracy",
            column="problem",
            labels={"step": "epochs", "held_out_accuracy": "right"},
        ),
        Table(
            name="monks-ends",
            title="The MONK's problems: how the runs ended",
            caption="Right of all 432 robots, mean over seeds; settled: an epoch without mistake.",
            build=_table,
        ),
    ),
)
