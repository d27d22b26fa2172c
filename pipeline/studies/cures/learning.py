"""Which cure makes a simple recurrent network learn, and at what price?

A row for each evaluation, with what clipping did since the one before, and one that sums up the
run: whether and when it succeeded, and the mean of what clipping did until then.
"""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import PositiveFloat, PositiveInt

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.probes.clipping import Clipping
from lightning_modules.probes.direction import Direction
from pipeline.studies.cures.outcomes import outcome, wrong
from pipeline.studies.cures.predictions import expects
from pipeline.studies.cures.problems import Problem, cures
from pipeline.studies.cures.runs import DATA, called, train
from pipeline.studies.cures.shown import SHOWN
from pipeline.study import Rows, Section, Study, Trial, named
from pipeline.tasks import TASKS


class Params(Section):
    """Every cure of every problem."""

    cell: Annotated[str, named(CELLS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    hidden_size: PositiveInt
    deviation: PositiveFloat
    """Of the weights at the start."""
    batch_size: PositiveInt
    problems: dict[Annotated[str, named(TASKS)], Problem]
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every problem under every cure and seed."""
    shared = p.model_dump(exclude={"problems", "seeds"})
    spread = {"learning_rate", "clip", "thresholds", "decays", "learning_rates"}
    for task, problem in p.problems.items():
        sizes = problem.model_dump(exclude=spread)
        for cure, seed in itertools.product(cures(problem), range(p.seeds)):
            yield {
                "task": task,
                "dataset": DATA.get(task),
                **shared,
                **sizes,
                **cure,
                "seed": seed,
            }


def measure(
    varied: str,
    success: float | None,
    data: Mapping[str, Any],
    scratch: Path,
    **trial: Any,
) -> Rows:
    """Train one network."""
    del varied
    rows = train(**trial, data=data, scratch=scratch, probes=[Clipping(), Direction()])
    cure = called(*(trial[name] for name in ("clip", "threshold", "decay", "strength")))
    about = {"cure": cure, "kind": trial["clip"] or "none"}
    curve = [{**about, "record": "curve", **row, "error": wrong(row)} for row in rows]
    return [*curve, {**about, "record": "outcome", **outcome(rows, trial["threshold"], success)}]


PART = Study(__doc__, Params, trials, measure, expects, figures=SHOWN, data=tuple(DATA.values()))
