"""Does the same network learn the same from each algorithm, and what does online learning need?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import model_validator

from pipeline.measuring.evidence import exact, ordered
from pipeline.measuring.statistics import last_evaluations, with_interval
from pipeline.measuring.training import SequenceTraining
from pipeline.study import Claim, Figure, Given, Part, Rows, Table, named

if TYPE_CHECKING:
    from lightning_modules.interfaces import Cell, Task
    from lightning_modules.training.sequence import SequenceLearner

RUN = "task", "rule", "seed"
"""What tells runs of one regime apart."""
ONE, SLACK = 1e-6, 0.05
"""How far apart curves are that are one, in nats, and, of a loss, by how much what is no worse may
be worse."""
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "next_character": {"held": {"streams": False}, "online": {"streams": True}},
    "row_images": {"held": {"labels": "every"}, "online": {"labels": "every"}},
}
"""What each task is built with in each regime: an image has a label at every row.

Text is one stream without end where learning is online. Where weights are held within a sequence
each is read from a zero state: what RTRL remembers of the one before, BPTT does not.
"""
LABELS = {
    "step": "batches",
    "held_out_loss": "held-out loss (nats)",
    "rule": "algorithm",
    "horizon": "horizon (steps)",
}


class RuleTraining(SequenceTraining):
    """A network trained by one algorithm in one of two regimes."""

    regime: Literal["held", "online"]
    """Weights are held within a sequence, or updated at every step."""
    task: Annotated[str, named(OPTIONS)]
    precision: Literal[32, 64]

    @model_validator(mode="after")
    def _within(self) -> "RuleTraining":
        if self.horizon and self.length and self.horizon > self.length:
            raise ValueError(f"horizon is {self.horizon}, beyond length {self.length}")
        return self

    def learner_of(self, source: "Task", cell: "Cell") -> "SequenceLearner":
        """Return what learns, at the trial's precision."""
        learner = super().learner_of(source, cell)
        return learner.double() if self.precision == 64 else learner

    def measure(self, given: Given) -> Rows:
        """Train one network and return a row for each evaluation."""
        options = OPTIONS[self.task][self.regime]
        rule = f"{self.algorithm}({self.horizon})" if self.horizon else self.algorithm
        return [{"rule": rule, **row} for row in self.learn(given, **options).rows]


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Curves coincide while weights are held; online, a longer horizon learns better."""
    for task, curves in rows[rows["regime"] == "held"].groupby("task"):
        by_rule = curves.set_index(["seed", "step", "rule"])["held_out_loss"].unstack("rule")
        off = float((by_rule.max(axis=1) - by_rule.min(axis=1)).max())
        yield exact(f"{task}: held weights give one curve", off, ONE, expected=7)
    for task, ends in online_ends(rows).items():
        windows = sorted(horizon for horizon in ends if horizon)
        if len(windows) > 1:
            short, long = ends[windows[0]], ends[windows[-1]]
            claim = f"{task}: online, the longest horizon learns better than the shortest"
            yield ordered(claim, long, short, expected=8).if_missed(
                "What a longer window carries on is older than the weights, which move at every "
                "step; online_algorithms measures it."
            )
        if windows and 0 in ends:
            long = ends[windows[-1]]
            claim = f"{task}: online, exact gradients are no worse than the longest horizon"
            yield ordered(claim, ends[0], long, by=-SLACK * long.mean(), expected=9)


def online_ends(rows: pd.DataFrame) -> dict[str, dict[int, pd.Series]]:
    """Return each task's last held-out losses online by seed: by horizon, 0 of exact gradients."""
    found: dict[str, dict[int, pd.Series]] = {}
    online = rows[rows["regime"] == "online"]
    last = last_evaluations(online, RUN).fillna({"horizon": 0}).set_index("seed")
    for (task, horizon), seen in last.groupby(["task", "horizon"]):
        found.setdefault(str(task), {})[int(str(horizon).split(".")[0])] = seen["held_out_loss"]
    return found


def _final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each rule's last held-out loss on each task."""
    online = last_evaluations(rows[rows["regime"] == "online"], RUN)
    losses = online.groupby(["rule", "task"])["held_out_loss"]
    return losses.agg(lambda loss: with_interval(loss, 3)).unstack("task").reset_index()


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


PART = Part(
    __doc__,
    RuleTraining,
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
            caption="Mean ± 95 % interval over seeds, in nats.",
            build=_final,
        ),
    ),
)
