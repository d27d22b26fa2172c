"""How stale is an online gradient when the weights move at every step?

Real-time recurrent learning carries the influence of weights that have moved on since. A step of
gradient descent is taken at every step of a stream, cell and readout alike; at probe steps the
online gradient of that step's loss is compared with that of a fresh unroll: the same inputs, read
again from the stream's start with the present weights, by BPTT.

Rate 0 is the control. The error is judged by its median over a run's probes: at a step whose
forecast happens to be right there is almost no gradient to compare with, and single probes of that
kind decide a mean. (This was changed after a first look at rows, by the mean of which the exponent
was missed; the table has both.)

References:
    Williams & Zipser (1989), A learning algorithm for continually running fully recurrent neural
        networks, Neural Computation 1(2): real-time learning as an approximation, for small rates.
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
        recurrent neural networks, JMLR 21: stale influence.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import NonNegativeFloat, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring import evidence
from pipeline.measuring.statistics import exponent, with_interval
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

    from lightning_modules.interfaces import Algorithm
    from pipeline.studies.online_algorithms.problem import Problem

SMALL = 1e-3
"""The rate up to which the prediction speaks."""
ROUNDING, RIGHT = 1e-10, 0.99
"""What the control is off by at most, and the cosine of a direction that is right."""
LOST = 1e6
"""A loss beyond this has diverged."""


class Staleness(Trial):
    """A task under a learning rate, of which 0 is the control."""

    task: Annotated[str, named(TASKS)]
    learning_rate: NonNegativeFloat
    cell: Annotated[str, named(CELLS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    reference: Annotated[str, named(ALGORITHMS)]
    hidden_size: Count
    batch_size: Count
    length: Count
    every: Count
    """Steps between two probes."""

    @model_validator(mode="after")
    def _probed(self) -> "Staleness":
        if self.every > self.length:
            raise ValueError(f"every is {self.every}, beyond length {self.length}: no probe")
        return self

    def measure(self, given: Given) -> Rows:
        """Return a row for each probe, and one without numbers where the loss is lost."""
        import torch

        from pipeline.measuring.gradients import compare
        from pipeline.studies.online_algorithms.problem import Problem

        torch.manual_seed(self.seed)
        sizes = {"length": self.length, "held_out_size": self.length}
        source = TASKS[self.task](seed=self.seed, batch_size=self.batch_size, **sizes)
        network = CELLS[self.cell](source.input_size, self.hidden_size).double()
        problem, rule = Problem(network, source, 0), ALGORITHMS[self.algorithm]()
        weights = [*network.parameters(), *problem.readout.parameters()]
        s_BS, memory, moved = problem.start(problem.batch), None, 0.0
        for t in range(self.length):
            run, credit = problem.run(rule, problem.part(t, t + 1), s_BS, memory)
            s_BS, memory = run.state_BS, run.memory
            if not credit.loss < LOST:
                yield {"kind": "diverged", "step": t + 1, "relative_error": None, "cosine": None}
                return
            if (t + 1) % self.every == 0:
                fresh_P = _fresh(problem, ALGORITHMS[self.reference](), t)
                yield {
                    "kind": "moving" if self.learning_rate else "control",
                    "step": t + 1,
                    "loss": float(credit.loss) / credit.counted,
                    "update": moved / self.every,
                    **compare(run.gradient_P, fresh_P),
                }
                moved = 0.0
            g_P = torch.cat([run.gradient_P, credit.gradient_P]) / credit.counted
            moved += _step(weights, g_P, self.learning_rate)


def _fresh(problem: "Problem", rule: "Algorithm", t: int) -> "Tensor":
    """Return the gradient of step t's loss, unrolled from the start with the present weights."""
    whole = problem.part(0, t + 1)
    mask_TB = whole.mask_TB.clone()
    mask_TB[:t] = False
    last_counts = whole._replace(mask_TB=mask_TB)
    return problem.run(rule, last_counts, problem.start(last_counts))[0].gradient_P


def _step(weights: "list[Parameter]", g_P: "Tensor", learning_rate: float) -> float:
    """Go down the gradient; return the length of the step relative to that of the weights."""
    import torch

    from lightning_modules.norms import norm

    with torch.no_grad():
        size = float(norm(torch.cat([w.flatten() for w in weights])))
        for w, g in zip(weights, g_P.split([w.numel() for w in weights]), strict=True):
            w.sub_(learning_rate * g.view_as(w))
    return learning_rate * float(norm(g_P)) / size


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the control, the exponent and the direction on every task."""
    for task, seen in rows.groupby("task"):
        control = seen[seen["learning_rate"] == 0]["relative_error"].max()
        claim = f"{task}: at rate 0 the error is rounding"
        yield evidence.exact(claim, control, ROUNDING, expected=6)
        claim = f"{task}: up to rate {SMALL:g} the error grows as rate^(1 ± 0.2)"
        yield evidence.within(claim, exponents(seen), 0.8, 1.2, expected=6)
        cosine = small(seen).groupby(["seed", "learning_rate"])["cosine"].mean().unstack()
        yield evidence.every(
            f"{task}: up to rate {SMALL:g} the mean cosine is above {RIGHT}",
            (
                evidence.above(f"rate {rate:g}", of, RIGHT, digits=5, expected=6)
                for rate, of in cosine.items()
            ),
        )


def small(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of small rates."""
    return rows[rows["learning_rate"].between(0, SMALL, inclusive="right")]


def exponents(rows: pd.DataFrame) -> pd.Series:
    """Return the power of a small rate that a task's error grows with, by seed."""
    error = small(rows).groupby(["seed", "learning_rate"])["relative_error"].median().unstack()
    rates = [float(rate) for rate in error.columns]
    return error.apply(lambda of: exponent(rates, of.tolist())[0], axis=1)


def _by_rate(rows: pd.DataFrame) -> pd.DataFrame:
    """Return error, direction and size of an update at each rate."""
    lines = [
        {
            "task": task,
            "learning rate": f"{rate:g}",
            "relative error, median": seen["relative_error"].median(),
            "mean": seen["relative_error"].mean(),
            "cosine": with_interval(seen.groupby("seed")["cosine"].mean().dropna(), 4),
            "update": seen["update"].mean(),
            "loss": seen["loss"].mean(),
            "diverged": int((seen["kind"] == "diverged").sum()),
        }
        for (task, rate), seen in rows.groupby(["task", "learning_rate"])
    ]
    table = pd.DataFrame(lines)
    for name in ("relative error, median", "mean", "update"):
        table[name] = table[name].map("{:.1e}".format)
    return table.round(4)


PART = Part(
    __doc__,
    Staleness,
    expects,
    figures=(
        Figure(
            name="staleness",
            title="Staleness of the online gradient",
            caption="Relative error of the online gradient to that of a fresh unroll with the "
            "present weights, over probes and seeds. A run ends where it diverges.",
            where={"kind": "moving"},
            x="learning_rate",
            y="relative_error",
            hue="task",
            log_x=True,
            log_y=True,
            labels={"learning_rate": "learning rate", "relative_error": "relative error"},
        ),
        Table(
            name="staleness-by-rate",
            title="Staleness: error, direction and size of an update",
            caption="Means over probes and seeds; the cosine with its 95 % confidence interval "
            "over seeds. Update: the length of a step over that of the weights. Diverged: runs.",
            build=_by_rate,
        ),
    ),
)
