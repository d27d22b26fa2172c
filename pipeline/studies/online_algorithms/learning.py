"""What does each algorithm learn online, where something has to be remembered?

Five tasks, an update of cell and readout at every step from that step's mean loss: text a^n b^n
(count), copying symbols and adding marked numbers (hold), a sum of lagged inputs (add), and a
random network to be imitated (mimic). What a network reaches without learning its recurrent
weights, the reservoir, is the floor of what learning them can be good for; ``chance`` is the loss
of who knows the targets' distribution alone, ``floor`` the least possible.

Expected, of held-out losses at the end, on average over seeds: exact gradients do better than the
reservoir on every task. They do at least as well as SnAp-1 (to 5 % of the reservoir's loss), and
SnAp-1 as RFLO. On the lagged sum, where steps 6 and 10 back have to be known, exact gradients and
TBPTT(20) at least halve the loss of TBPTT(1), which sees neither.

References:
    Tallec & Ollivier (2018), Unbiased online recurrent optimization, ICLR, arXiv:1702.05043:
        a^n b^n.
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
        recurrent neural networks, JMLR 21: add and mimic.
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8): adding.
"""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.studies.online_algorithms.losses import TABLE, ends
from pipeline.studies.online_algorithms.rules import build, called, rules
from pipeline.study import Check, Figure, Rows, Section, Study, Trial, named
from pipeline.tasks import TASKS

SLACK = 0.05
"""Of the reservoir's loss: by how much the better one may be worse."""
EXACT = "blocked_rtrl"


class Params(Section):
    """Every task on every cell under every rule."""

    cells: list[Annotated[str, named(CELLS)]]
    tasks: dict[Annotated[str, named(TASKS)], dict[str, PositiveInt]]
    """Each with what it is built with."""
    algorithms: list[Annotated[str, named(ALGORITHMS)]]
    horizons: list[PositiveInt]
    hidden_size: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    steps: dict[str, PositiveInt]
    """By task, of the stream or of all its sequences; each is an update where it counts."""
    evaluations: PositiveInt
    held_out_size: PositiveInt
    """Steps of a stream, or sequences."""
    seeds: PositiveInt

    @model_validator(mode="after")
    def _every_task(self) -> "Params":
        if self.steps.keys() != self.tasks.keys():
            raise ValueError(f"steps are given for {[*self.steps]}, tasks are {[*self.tasks]}")
        if missing := {EXACT, "reservoir"} - set(self.algorithms):
            raise ValueError(f"algorithms lack {', '.join(missing)}: all are compared with both")
        return self


def trials(p: Params) -> Iterator[Trial]:
    """Every cell and task under every rule and seed; what a task is built with by its own name."""
    spread = {"cells", "tasks", "steps", "algorithms", "horizons", "seeds"}
    shared = p.model_dump(exclude=spread)
    given = sorted({name for options in p.tasks.values() for name in options})
    for cell, (task, options), rule, seed in itertools.product(
        p.cells, p.tasks.items(), rules(p.algorithms, p.horizons), range(p.seeds)
    ):
        of_task = {f"task_{name}": options.get(name) for name in given}
        sizes = {"steps": p.steps[task], **shared}
        yield {"cell": cell, "task": task, **of_task, **rule, **sizes, "seed": seed}


def measure(
    cell: str,
    task: str,
    algorithm: str,
    horizon: int | None,
    hidden_size: int,
    batch_size: int,
    learning_rate: float,
    steps: int,
    evaluations: int,
    held_out_size: int,
    seed: int,
    scratch: Path,
    **task_options: Any,
) -> Rows:
    """Train online; a row for each evaluation."""
    torch.manual_seed(seed)
    given = {k.removeprefix("task_"): v for k, v in task_options.items() if v is not None}
    source: Any = TASKS[task](
        seed=seed, batch_size=batch_size, held_out_size=held_out_size, **given
    )
    learner = SequenceLearner(
        cell=CELLS[cell](source.input_size, hidden_size),
        output_size=source.output_size,
        loss=source.loss,
        algorithm=build(algorithm, horizon),
        update_every=1,
        optimizer="adam",
        learning_rate=learning_rate,
    )
    batches = max(evaluations, steps // len(source.batch(0).x_TBI))
    rows = fit(
        learner,
        source,
        steps=batches,
        evaluate_every=batches // evaluations,
        seed=seed,
        scratch=scratch,
    )
    limits = {name: getattr(source, f"{name}_loss", None) for name in ("chance", "floor")}
    return [{"rule": called(algorithm, horizon), **limits, **row} for row in rows]


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the final losses to the order of the algorithms."""
    for (task, cell), final in ends(rows).groupby(["task", "cell"], sort=False):
        loss = final.groupby("rule", sort=False)["held_out_loss"].mean()
        yield from _order(f"{task}, {cell}", loss)
        if task == "lagged_sum":
            yield from _lags(f"{task}, {cell}", loss)


def _order(where: str, loss: pd.Series) -> Iterator[Check]:
    """Check what more of the influence is good for, as far as the rules were run."""
    exact, still = loss[EXACT], loss["reservoir"]
    claim = f"{where}: exact gradients do better than the reservoir"
    yield Check(claim, exact < still, f"{exact:.4f} against {still:.4f}")
    for better, worse in itertools.pairwise([EXACT, "snap1", "rflo"]):
        if better in loss and worse in loss:
            yield Check(
                f"{where}: {better} ≤ {worse}, to {SLACK:.0%} of the reservoir's loss",
                loss[better] <= loss[worse] + SLACK * still,
                f"{loss[better]:.4f} against {loss[worse]:.4f}",
            )


def _lags(where: str, loss: pd.Series) -> Iterator[Check]:
    """Check that who looks back far enough halves the loss of who does not."""
    short = loss.get("tbptt(1)", math.nan)
    for rule in (EXACT, "tbptt(20)"):
        if rule in loss and not math.isnan(short):
            claim = f"{where}: {rule} at least halves tbptt(1)'s loss"
            yield Check(claim, loss[rule] <= short / 2, f"{loss[rule]:.4f} against {short:.4f}")


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        TABLE,
        Figure(
            name="learning",
            title="Learning online",
            caption="Held-out loss along the learning, mean and range over seeds.",
            x="step",
            y="held_out_loss",
            hue="rule",
            column="task",
            row="cell",
            labels={"step": "batches", "held_out_loss": "held-out loss", "rule": "algorithm"},
        ),
    ),
)
