"""Does the same network learn the same from each algorithm, and what does online learning need?"""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Task
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.studies.bptt_vs_rtrl.curves import final, last
from pipeline.studies.bptt_vs_rtrl.regime import DATA, Regime
from pipeline.study import Check, Figure, Rows, Section, Study, Table, Trial, named
from pipeline.tasks import TASKS

LABELS = {
    "step": "batches",
    "held_out_loss": "held-out loss (nats)",
    "rule": "algorithm",
    "horizon": "horizon (steps)",
}


class Params(Section):
    """Two regimes: weights held within a sequence, and an update at every step."""

    cell: Annotated[str, named(CELLS)]
    held: Regime
    online: Regime


def trials(p: Params) -> Iterator[Trial]:
    """Every task under every algorithm (and horizon) of each regime."""
    for name, regime in (("held", p.held), ("online", p.online)):
        spread = {"algorithms", "horizons", "block_length", "learning_rates", "seeds"}
        shared = regime.model_dump(exclude=spread)
        for (task, learning_rate), rule, seed in itertools.product(
            regime.learning_rates.items(), _rules(regime), range(regime.seeds)
        ):
            yield {
                "regime": name,
                "task": task,
                "dataset": DATA[task],
                "cell": p.cell,
                **rule,
                "update_every": None if name == "held" else 1,
                "learning_rate": learning_rate,
                **shared,
                "seed": seed,
            }


def _rules(regime: Regime) -> Iterator[Trial]:
    """Every algorithm with what it is built with, None where it takes no such thing."""
    for algorithm in regime.algorithms:
        block_length = regime.block_length if algorithm == "blocked_rtrl" else None
        for horizon in regime.horizons if algorithm == "tbptt" else [None]:
            yield {"algorithm": algorithm, "horizon": horizon, "block_length": block_length}


def measure(
    regime: str,
    task: str,
    dataset: str,
    cell: str,
    algorithm: str,
    horizon: int | None,
    block_length: int | None,
    update_every: int | None,
    precision: int,
    optimizer: str,
    learning_rate: float,
    hidden_size: int,
    batch_size: int,
    length: int,
    steps: int,
    evaluate_every: int,
    held_out_size: int,
    seed: int,
    data: Mapping[str, Any],
    scratch: Path,
) -> Rows:
    """Train one network and return a row for each evaluation."""
    torch.manual_seed(seed)
    source = _task(
        task, data[dataset], seed, batch_size, length, held_out_size, online=regime == "online"
    )
    options = {"horizon": horizon, "block_length": block_length}
    learner = SequenceLearner(
        cell=CELLS[cell](source.input_size, hidden_size),
        output_size=source.output_size,
        loss=source.loss,
        algorithm=ALGORITHMS[algorithm](**{k: v for k, v in options.items() if v}),
        update_every=update_every,
        optimizer=optimizer,
        learning_rate=learning_rate,
    ).to(torch.float64 if precision == 64 else torch.float32)
    rows = fit(
        learner, source, steps=steps, evaluate_every=evaluate_every, seed=seed, scratch=scratch
    )
    rule = f"{algorithm}({horizon})" if horizon else algorithm
    return [{"rule": rule, **row} for row in rows]


def _task(
    task: str,
    data: Any,
    seed: int,
    batch_size: int,
    length: int,
    held_out_size: int,
    online: bool,
) -> Task:
    """Build the task: text is cut into ``length`` steps, an image has a label at every row.

    Text is one stream without end where learning is online. Where weights are held within a
    sequence each is read from a zero state: what RTRL remembers of the one before, BPTT does not.
    """
    extra: dict[str, Any] = {
        "next_character": {"length": length, "streams": online},
        "row_images": {"labels": "every"},
    }[task]
    return TASKS[task](data, seed=seed, batch_size=batch_size, held_out_size=held_out_size, **extra)


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Curves coincide while weights are held; online, a longer horizon learns better."""
    for task, curves in rows[rows["regime"] == "held"].groupby("task"):
        by_rule = curves.set_index(["seed", "step", "rule"])["held_out_loss"].unstack("rule")
        off = float((by_rule.max(axis=1) - by_rule.min(axis=1)).max())
        yield Check(f"{task}: held weights give one curve (≤ 1e-6)", off <= 1e-6, f"{off:.1e}")
    online = rows[rows["regime"] == "online"]
    for task, curves in online.groupby("task"):
        final = last(curves).groupby("rule")["held_out_loss"].agg(["mean", "sem"])
        by_horizon = last(curves).groupby("horizon")["held_out_loss"].mean().sort_index()
        exact = final[~final.index.str.startswith("tbptt")]
        short, long = by_horizon.iloc[0], by_horizon.iloc[-1]
        yield Check(
            f"{task}: online, the longest horizon learns better than the shortest",
            long < short,
            f"{long:.3f} against {short:.3f}",
        )
        slack = 2 * final["sem"].max()
        yield Check(
            f"{task}: online, exact gradients are no worse than the longest horizon "
            "(2 standard errors)",
            bool(exact["mean"].max() <= long + slack),
            f"{exact['mean'].max():.3f} against {long:.3f} ± {slack:.3f}",
        )


def _curves(regime: str, title: str, caption: str) -> Figure:
    """Return the learning curves of one regime."""
    return Figure(
        name=f"curves-{regime}",
        title=title,
        caption=caption,
        where={"regime": regime},
        x="step",
        y="held_out_loss",
        hue="rule",
        column="task",
        labels=LABELS,
    )


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        _curves(
            "held",
            "Learning curves, weights held within a sequence",
            "The same network from the same seeds: the curves of exact algorithms lie on each "
            "other.",
        ),
        _curves(
            "online",
            "Learning curves, an update at every step",
            "TBPTT with its horizon in brackets beside exact online gradients, mean and spread "
            "over seeds. Where a window learns better, that what is carried on is older than the "
            "weights is the likely cause; `online_algorithms` measures it.",
        ),
        Table(
            name="final",
            title="Held-out loss at the end, an update at every step",
            caption="Mean and standard deviation over seeds, in nats.",
            build=final,
        ),
    ),
    data=tuple(DATA.values()),
)
