"""Discrete attributes, one unit a value: does the classical rule solve the MONK's problems?

A network with one hidden layer, of as many units as Thrun et al. used, learns from each problem's
training robots, one after the other, until an epoch's answers were all right or its epochs are
over, and is asked for all 432. There are two outputs, no and yes, where they had one.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt, model_validator

from lightning_modules.networks import NETWORKS, _starts
from lightning_modules.rules import RULES
from lightning_modules.training.by_rule import RuleLearner
from lightning_modules.training.fit import fit
from pipeline.measuring import finals
from pipeline.study import Check, Figure, Rows, Section, Study, Table, Trial, named
from pipeline.tasks import TASKS

PUBLISHED = {1: 1.0, 2: 1.0, 3: 0.931}
"""Right, of all robots, by back-propagation in the report."""
NEAR = 0.05
RUN = "problem", "seed"


class Params(Section):
    """The network of each problem, and how it learns."""

    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)]
    task: Annotated[str, named(TASKS)]
    problems: list[Literal[1, 2, 3]]
    hidden_sizes: list[PositiveInt]
    """Units, of each problem."""
    spread: PositiveFloat
    """Weights and biases start from U(-spread, spread)."""
    rate: PositiveFloat
    epochs: PositiveInt
    evaluations: PositiveInt
    seeds: PositiveInt

    @model_validator(mode="after")
    def _alike(self) -> "Params":
        if len(self.problems) != len(self.hidden_sizes):
            raise ValueError("problems and hidden_sizes: give one size for each problem")
        return self


def trials(p: Params) -> Iterator[Trial]:
    """Every problem under every seed."""
    shared = p.model_dump(exclude={"problems", "hidden_sizes", "seeds"})
    each = list(zip(p.problems, p.hidden_sizes, strict=True))
    for (problem, size), seed in itertools.product(each, range(p.seeds)):
        yield {**shared, "problem": problem, "hidden_size": size, "seed": seed}


def measure(
    network: str,
    rule: str,
    task: str,
    problem: int,
    hidden_size: int,
    spread: float,
    rate: float,
    epochs: int,
    evaluations: int,
    seed: int,
    scratch: Path,
) -> Rows:
    """Train one network and return its evaluations; a batch is an epoch."""
    torch.manual_seed(seed)
    source = TASKS[task](seed, problem)
    layers = [source.input_size, source.output_size, [hidden_size], "logistic", "logistic"]
    units = NETWORKS[network](*layers)
    _starts.start(units, "uniform", spread)
    learner = RuleLearner(units, RULES[rule](rate), source.loss)
    every = max(1, epochs // evaluations)
    rows = fit(learner, source, steps=epochs, evaluate_every=every, seed=seed, scratch=scratch)
    return [row | {"settled": learner.rule.settled_at is not None} for row in rows]


def _ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each run ended; beside other parts' rows whole numbers are not told as such."""
    return finals.ends(rows, RUN).astype({"problem": int})


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold what is right of all robots, mean over seeds, to the report."""
    right = _ends(rows).groupby("problem")["held_out_accuracy"].mean()
    for problem, share in right.items():
        published = PUBLISHED[int(str(problem))]
        claim = f"MONK {problem}: {published:.1%} right as published, or at most {NEAR:.0%} less"
        yield Check(claim, bool(share >= published - NEAR), f"{share:.1%}")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each problem ended."""
    lines = []
    for problem, runs in _ends(rows).groupby("problem"):
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


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
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
