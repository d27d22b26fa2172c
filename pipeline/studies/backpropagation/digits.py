"""How well does the classical rule learn digits, by start range and rate, and what beats it?

784-300-10 on MNIST. The classical settings have logistic units and squared error, and an update
after each digit; a setting without a rule is today's form, ReLU and cross-entropy under Adam.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from lightning_modules.networks import NETWORKS, _starts
from lightning_modules.rules import RULES
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.by_rule import RuleLearner
from lightning_modules.training.fit import fit
from pipeline.measuring import finals
from pipeline.study import Check, Figure, Rows, Section, Study, Table, Trial, named
from pipeline.tasks import TASKS

LECUN, MODERN, ALL = 0.047, 0.022, 60_000
"""LeCun's error of 300 hidden units, what cross-entropy should come to, and all of MNIST."""
USUAL, WIDE, NOW = "usual", "wide", "cross_entropy"
"""The settings that are spoken of."""
BATCH = 100
"""Digits of an update where there is no rule; with one they only come together."""


class Setting(Section):
    """A rule, or none, and where the weights start."""

    rule: Annotated[str, named(RULES)] | None
    start: Annotated[str, named(_starts.STARTS)]
    scale: PositiveFloat
    rate: PositiveFloat
    decay: NonNegativeFloat
    epochs: PositiveInt


class Params(Section):
    """Every setting, on so many digits."""

    network: Annotated[str, named(NETWORKS)]
    task: Annotated[str, named(TASKS)]
    dataset: Literal["mnist"]
    hidden_size: PositiveInt
    settings: dict[str, Setting]
    train_size: PositiveInt
    held_out_size: PositiveInt
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every setting under every seed."""
    shared = p.model_dump(exclude={"settings", "seeds"})
    for name, setting in p.settings.items():
        for seed in range(p.seeds):
            yield {**shared, "setting": name, **setting.model_dump(), "seed": seed}


def measure(
    network: str,
    task: str,
    dataset: str,
    hidden_size: int,
    train_size: int,
    held_out_size: int,
    setting: str,
    rule: str | None,
    start: str,
    scale: float,
    rate: float,
    decay: float,
    epochs: int,
    seed: int,
    data: Mapping[str, Any],
    scratch: Path,
) -> Rows:
    """Train one network; a row for each epoch."""
    del setting
    torch.manual_seed(seed)
    source = TASKS[task](
        data[dataset],
        seed=seed,
        batch_size=BATCH,
        held_out_size=held_out_size,
        train_size=train_size,
    )
    every = source.trained // BATCH
    units = ("relu", "linear") if rule is None else ("logistic", "logistic")
    layers = NETWORKS[network](source.input_size, source.output_size, [hidden_size], *units)
    _starts.start(layers, start, scale)
    if rule is None:
        learner = BackpropLearner(layers, source.loss, "adam", rate)
    else:
        teacher = RULES[rule](rate, decay, epoch=every * BATCH)
        learner = RuleLearner(layers, teacher, source.loss)
    steps = epochs * every
    rows = fit(learner, source, steps=steps, evaluate_every=every, seed=seed, scratch=scratch)
    for row in rows:
        accuracy = row["held_out_accuracy"]
        error = None if accuracy is None else 1 - accuracy
        yield {**row, "epoch": row["step"] / every, "error": error, "digits": source.trained}


def ends(rows: pd.DataFrame) -> pd.Series:
    """Return the error at the end of each setting, mean over seeds; 1 where a run diverged."""
    last = finals.ends(rows, ("setting", "seed"))
    return (
        last.assign(error=last["error"].fillna(1.0)).groupby("setting", sort=False)["error"].mean()
    )


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare the starts; hold what learned from all of MNIST to the literature."""
    error, whole = ends(rows), bool((rows["digits"] >= ALL).all())
    if {USUAL, WIDE} <= set(error.index):
        claim = "U(±1) ends with a higher error than 1/√I"
        words = f"{error[WIDE]:.2%} against {error[USUAL]:.2%}"
        yield Check(claim, bool(error[WIDE] > error[USUAL]), words)
    for setting, most, words in (
        (USUAL, LECUN, "the classical rule comes to LeCun's 4.7 % or below"),
        (NOW, MODERN, "cross-entropy comes to 2.2 % or below"),
    ):
        if whole and setting in error.index:
            yield Check(words, bool(error[setting] <= most), f"{error[setting]:.2%}")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the error at the end of each setting."""
    last = finals.ends(rows, ("setting", "seed"))
    by = last.groupby("setting", sort=False)
    told = by[["start", "scale", "rate", "decay"]].first()
    error = by["error"].agg(["mean", "min", "max"]).map(lambda value: f"{value:.2%}")
    return told.join(error).join(by["epoch"].max()).reset_index()


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Figure(
            name="digits",
            title="Digits by the classical rule, and by cross-entropy with Adam",
            caption="Share of held-out digits that are taken for another, mean and range over "
            "seeds; LeCun et al. (1998) have 4.7 % for 300 hidden units and squared error.",
            x="epoch",
            y="error",
            hue="setting",
            log_y=True,
        ),
        Table(
            name="digits-ends",
            title="Digits: how the runs ended",
            caption="Held-out error at the end: mean over seeds, least and most.",
            build=_table,
        ),
    ),
    data=("mnist",),
)
