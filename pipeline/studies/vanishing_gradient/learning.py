"""Which networks learn to add two numbers that lie many steps apart?

Squared error of the sum, held out; who remembers nothing reaches 1/6. Every network has the same
number of units and sees the same batches; gradients are clipped by norm, so that none is lost to a
single step.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.starts import STARTS
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.measuring.finals import ends
from pipeline.study import Check, Figure, Rows, Section, Study, Table, Trial, named
from pipeline.tasks import TASKS

LEARNED, STUCK, LENGTH = 0.005, 0.1, 50
RUN = "network", "length", "seed"
"""What tells runs apart."""


class Network(Section):
    """A cell, how its units act, and how its recurrent weights start; None is as it is drawn."""

    cell: Annotated[str, named(CELLS)]
    activation: str | None = None
    start: Annotated[str, named(STARTS)] | None = None


class Params(Section):
    """Every network at every distance."""

    task: Annotated[str, named(TASKS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    networks: dict[str, Network]
    lengths: list[PositiveInt]
    hidden_size: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    clip: PositiveFloat
    steps: PositiveInt
    evaluations: PositiveInt
    held_out_size: PositiveInt
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every network and length under every seed."""
    shared = p.model_dump(exclude={"networks", "lengths", "seeds"})
    for (name, network), length, seed in itertools.product(
        p.networks.items(), p.lengths, range(p.seeds)
    ):
        of = network.model_dump()
        yield {"network": name, **of, "length": length, **shared, "seed": seed}


def measure(
    network: str,
    cell: str,
    activation: str | None,
    start: str | None,
    length: int,
    task: str,
    algorithm: str,
    hidden_size: int,
    batch_size: int,
    learning_rate: float,
    clip: float,
    steps: int,
    evaluations: int,
    held_out_size: int,
    seed: int,
    scratch: Path,
) -> Rows:
    """Train one network and return a row for each evaluation."""
    torch.manual_seed(seed)
    source = TASKS[task](
        seed=seed, batch_size=batch_size, length=length, held_out_size=held_out_size
    )
    options = {} if activation is None else {"activation": activation}
    drawn = CELLS[cell](source.input_size, hidden_size, **options)
    if start is not None:
        STARTS[start]().apply(drawn)
    learner = SequenceLearner(
        cell=drawn,
        output_size=source.output_size,
        loss=source.loss,
        algorithm=ALGORITHMS[algorithm](),
        update_every=None,
        optimizer="adam",
        learning_rate=learning_rate,
        clip=Clip("norm", clip),
    )
    every = max(1, steps // evaluations)
    return fit(learner, source, steps=steps, evaluate_every=every, seed=seed, scratch=scratch)


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the ends at the length that the prediction speaks of to it."""
    last = ends(rows, RUN)
    at = last[last["length"] == LENGTH].groupby("network")["held_out_loss"]
    mean = at.mean()
    for network in ("gru", "lstm"):
        if network in mean:
            loss = mean[network]
            claim = f"adding, {LENGTH} steps: {network} below {LEARNED}"
            yield Check(claim, bool(loss < LEARNED), f"{loss:.4f}")
    if "tanh" in mean:
        claim = f"adding, {LENGTH} steps: tanh units above {STUCK}"
        yield Check(claim, bool(mean["tanh"] > STUCK), f"{mean['tanh']:.4f}")


def _final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the final loss of each network at each length, and how many learned."""
    lines = {}
    for (network, length), seen in ends(rows, RUN).groupby(["network", "length"], sort=False):
        loss = seen["held_out_loss"]
        learned = f"{int((loss < LEARNED).sum())} of {len(loss)}"
        lines.setdefault(network, {})[f"{length} steps"] = f"{loss.mean():.4f} ({learned})"
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()]).fillna("")


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Figure(
            name="adding",
            title="Adding two numbers, by their distance",
            caption="Held-out squared error, mean and range over seeds; 1/6 is who remembers "
            "nothing.",
            x="step",
            y="held_out_loss",
            hue="network",
            column="length",
            log_y=True,
            labels={"step": "batches", "held_out_loss": "squared error", "length": "steps"},
        ),
        Table(
            name="adding-final",
            title="Adding: squared error at the end",
            caption=f"Mean over seeds; in brackets how many came below {LEARNED}.",
            build=_final,
        ),
    ),
)
