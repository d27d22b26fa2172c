"""Networks and counting on expressions, by depth: how each learns, is asked, and is judged."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import Field, model_validator

from lightning_modules.networks import NETWORKS
from pipeline.measuring.evidence import every, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import Training
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Options,
    Part,
    Published,
    Rows,
    Table,
    named,
)
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from pipeline.tasks._expressions import Expressions

TREES, SEQUENCES = ("tree_lstm", "recursive"), ("lstm", "gru")
COUNTING = "majority", "first_digit", "bag_of_tokens"


class ByDepth(Training):
    """A network, or what counting says, learned from shallow expressions and asked for deeper."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["nested_arithmetic", "listops"]  # pyright: ignore[reportIncompatibleVariableOverride]
    task_options: Options | None = None
    trained_depth: Count
    """Depths learned from are 1 to this one."""
    depths: Annotated[list[Count], Field(min_length=2), *AS_TEXT]
    """Depths that are asked for."""
    model: Annotated[str, named((*TREES, *SEQUENCES, *COUNTING))]
    network: Annotated[str, named(NETWORKS)] | None = None
    """What computes it; None where it is counted."""
    options: Options | None = None
    anneal: bool
    followed: Count
    """Expressions of the greatest depth in which error is followed back."""

    @model_validator(mode="after")
    def _counted_or_learned(self) -> "ByDepth":
        if (self.model in COUNTING) != (self.network is None):
            raise ValueError(f"network is {self.network!r}, beside the model {self.model!r}")
        return self

    def measure(self, given: Given) -> Rows:
        """Return evaluations on depths learned from, accuracy by depth, and where error goes."""
        import torch

        from pipeline.studies.trees.counting import counted
        from pipeline.studies.trees.flow import flow

        source: Expressions = TASKS[self.task](
            self.seed,
            self.batch_size,
            self.held_out_size,
            self.trained_depth,
            **(self.task_options or {}),
        )
        if self.network is None:
            for depth, correct in counted(self.model, source, self.depths):
                yield {"record": "depth", "depth": depth, "accuracy": correct}
            return
        torch.manual_seed(self.seed)
        learner = self._learner(source)
        for row in self.fit(learner, source, given):
            yield {"record": "curve", **row}
        for depth in self.depths:
            accuracy = learner.evaluate(source.of_depth(depth)).accuracy
            yield {"record": "depth", "depth": depth, "accuracy": accuracy}
        deepest = source.of_depth(max(self.depths))
        yield from flow(learner.network, deepest, self.followed)

    def _learner(self, source: "Expressions") -> Any:
        """Return what learns."""
        from lightning_modules.training.backprop import BackpropLearner

        built = NETWORKS[str(self.network)](
            len(source.symbols), source.output_size, **(self.options or {})
        )
        return BackpropLearner(
            built,
            source.loss,
            self.optimizer,
            self.learning_rate,
            clip=self.clipped(),
            anneal=self.anneal,
        )


def by_model(rows: pd.DataFrame, task: str, depth: int) -> dict[str, pd.Series]:
    """Return each model's accuracy at a depth of a task, by seed."""
    seen = rows[(rows["record"] == "depth") & (rows["task"] == task) & (rows["depth"] == depth)]
    return {
        str(model): of.set_index("seed")["accuracy"]
        for model, of in seen.groupby("model", sort=False)
    }


def depths_of(rows: pd.DataFrame, task: str) -> tuple[list[int], int, int]:
    """Return the depths learned from that are asked for, the last of them, and the greatest."""
    seen = rows[(rows["record"] == "depth") & (rows["task"] == task)]
    trained, asked = int(seen["trained_depth"].max()), sorted(seen["depth"].astype(int).unique())
    learned = [depth for depth in asked if depth <= trained]
    return learned, learned[-1], asked[-1]


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare networks with counting, trees with sequences, seed by seed."""
    for task in rows["task"].unique():
        said = str(task).replace("_", " ")
        _, learned, deepest = depths_of(rows, task)
        near, far = by_model(rows, task, learned), by_model(rows, task, deepest)
        for models, called in ((TREES[:1], "the tree LSTM"), (SEQUENCES, "LSTM and GRU")):
            beaten = [
                ordered(f"{model} above {count}", near[count], near[model], expected=1)
                for model in models
                for count in COUNTING
                if {model, count} <= set(near)
            ]
            if beaten:
                claim = f"{said}, depth {learned}: {called} above counting"
                yield every(claim, beaten).if_missed(FEW)
        above = [
            ordered(
                f"tree LSTM compared with {other}", far[other], far["tree_lstm"], by=0.2, expected=2
            )
            for other in SEQUENCES
            if {other, "tree_lstm"} <= set(far)
        ]
        if above:
            claim = f"{said}, depth {deepest}: the tree LSTM is right more often, by 20 %"
            yield every(claim, above).if_missed(SHORT)
        less = [
            ordered(
                f"tree LSTM compared with {other}",
                near["tree_lstm"] - far["tree_lstm"],
                near[other] - far[other],
                expected=3,
            )
            for other in SEQUENCES
            if {other, "tree_lstm"} <= set(near)
        ]
        if less:
            claim = f"{said}: from depth {learned} to {deepest} the tree LSTM loses less"
            yield every(claim, less).if_missed(LITTLE)
        if task == "listops" and {"lstm", "tree_lstm"} <= set(near):
            claim = f"{said}, depth {learned}: the LSTM is below the tree LSTM"
            yield ordered(claim, near["lstm"], near["tree_lstm"], expected=4).stands_for(ORDER)
        left = first_digit(rows, task)
        if {"lstm", "tree_lstm"} <= set(left):
            claim = f"{said}, depth {deepest}: more error is left at the first digit"
            yield ordered(claim, left["lstm"], left["tree_lstm"], ratio=True, by=0.5, expected=5)


ORDER = Published(
    row="listops-order",
    source="Nangia & Bowman (2018), ListOps, and the trees that it gives: second-hand",
    value="LSTM 71.5 %, Tree-LSTM on given trees 98.7 %",
    tolerance="the order; lists are shorter here",
)
FEW = "batches were too few for a sequential network to find the brackets"
"""Why a network would not be above counting."""
SHORT = (
    "a network that has not learned its operators to the end errs at each merge, and errors add up "
    "with depth"
)
"""Why a tree would not be far ahead at depth."""
LITTLE = "what has little to lose loses little: the sequential network knew little at these depths"
"""Why a sequential network would lose less."""


def first_digit(rows: pd.DataFrame, task: str) -> dict[str, pd.Series]:
    """Return what is left of error at the first digit, by seed."""
    seen = rows[(rows["record"] == "first digit") & (rows["task"] == task)]
    return {
        str(model): of.set_index("seed")["left"] for model, of in seen.groupby("model", sort=False)
    }


def _called(model: str) -> str:
    """Return a model as a sentence has it."""
    names = {"tree_lstm": "the tree LSTM", "recursive": "the recursive network"}
    names |= {"lstm": "the LSTM", "gru": "the GRU"}
    return names.get(model, model.replace("_", " "))


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many of a hundred each model has right, by depth."""
    seen = rows[rows["record"] == "depth"].astype({"depth": int})
    return pd.DataFrame(
        {"task": str(task).replace("_", " "), "model": str(model).replace("_", " ")}
        | {
            f"depth {depth}": with_interval(100 * at["accuracy"], 1)
            for depth, at in of.groupby("depth")
        }
        for (task, model), of in seen.groupby(["task", "model"], sort=False)
    )


def answer(rows: pd.DataFrame) -> str:
    """Say how right trees and sequences are at the greatest depth, by task."""
    said = []
    for task in rows["task"].unique():
        _, learned, deepest = depths_of(rows, task)
        far = by_model(rows, task, deepest)
        told = [
            f"{_called(model)} {with_interval(100 * far[model], 1)} %"
            for model in (*TREES, *SEQUENCES, *COUNTING)
            if model in far
        ]
        said.append(
            f"Of {str(task).replace('_', ' ')} at depth {deepest}, learned from depths up to "
            f"{learned}: {', '.join(told)}."
        )
    return " ".join(said)


LABELS: Mapping[str, str] = {
    "accuracy": "right",
    "tree_lstm": "tree LSTM",
    "recursive": "recursive network",
    "first_digit": "first digit",
    "bag_of_tokens": "bag of tokens",
    "away": "states from the output",
    "left": "error left",
}
PART = Part(
    __doc__,
    ByDepth,
    expects,
    speaks_of={"task": ("nested_arithmetic", "listops")},
    figures=(
        Table(
            name="accuracy",
            title="Right values by depth, %",
            caption="Mean and 95 % interval over seeds, of expressions of exactly that depth.",
            build=accuracies,
        ),
        Figure(
            name="depth",
            title="Right values by depth",
            caption="Mean and range over seeds. Networks of trees are given the tree.",
            x="depth",
            y="accuracy",
            where={"record": "depth"},
            hue="model",
            column="task",
            labels=LABELS,
        ),
        Figure(
            name="flow",
            title="Error left, by the states it came through",
            caption="‖∂L/∂h‖ over that at the output, after training, in expressions of the "
            "greatest depth, geometric mean over states equally far away: over merges in trees, "
            "over steps in sequences.",
            x="away",
            y="left",
            where={"record": "flow"},
            hue="model",
            column="task",
            log_y=True,
            labels=LABELS,
        ),
        Figure(
            name="curve",
            title="Right values while learning",
            caption="Of held-out expressions of the depths that are learned from.",
            x="step",
            y="held_out_accuracy",
            where={"record": "curve"},
            hue="model",
            column="task",
            labels={**LABELS, "step": "batches", "held_out_accuracy": "right"},
        ),
    ),
)
