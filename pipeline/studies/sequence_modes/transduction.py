"""Strings of random symbols, copied or reversed: what does a decoder say when it hears itself?

Trained on strings of up to ``longest`` symbols, asked for these and longer ones. Beside networks
stands a dictionary, word by word, of the strings that the first ``counted_batches`` batches have:
what can be said symbol by symbol, in the source's order.

Error flow: of the loss on strings of ``longest`` symbols, as drawn and trained, by the position in
the source: ``direct`` is what the decoder sends to a state itself, ``total`` what comes to it on
all ways.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pandas as pd

from pipeline.measuring import transducing
from pipeline.measuring.evidence import above, identity, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.transducing import TransducerTraining
from pipeline.studies.sequence_modes import dictionaries, positions
from pipeline.studies.sequence_modes.positions import ATTENTION, PLAIN
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Row,
    Rows,
    Table,
    named,
)

DICTIONARY = "word by word"
METHODS = (PLAIN, ATTENTION, DICTIONARY)
FLOW_STRINGS = 64
"""Strings whose errors are looked at."""
SPARE = 5
"""Tokens by which what is said may be longer than twice its source, before it is cut."""


class Transduced(TransducerTraining):
    """An encoder–decoder, or a dictionary, on one of the tasks."""

    task: Literal["transduction"]  # pyright: ignore[reportIncompatibleVariableOverride]
    method: Annotated[str, named(METHODS)]
    counting: Annotated[str, named(("dictionary",))] | None = None
    counted_batches: Count
    order: Literal["copy", "reverse"]
    symbols: Count
    longest: Count
    lengths: Annotated[list[Count], *AS_TEXT]
    """Of the strings that are asked for at the end."""
    asked: Count
    """Strings of each of these lengths."""

    def measure(self, given: Given) -> Rows:
        """Return evaluations, accuracies by length, and the error that comes to each position."""
        from pipeline.tasks import TASKS

        source = TASKS[self.task](
            self.seed,
            self.batch_size,
            order=self.order,
            symbols=self.symbols,
            longest=self.longest,
            held_out_size=self.held_out_size,
        )
        if self.counting is not None:
            return self._by_dictionary(source)
        learner = self.learner_of(source)
        drawn = self._flow(learner.network, source, "as drawn")
        runs = self.learn(learner, source, given)
        if runs.diverged:
            return runs.rows
        facts = {"parameters": sum(w.numel() for w in learner.parameters()), "chosen": runs.chosen}
        asked = [
            {**row, **facts, **self._said(learner.network, source, int(row["length"]))}
            for row in self._lengths()
        ]
        return [*runs.rows, *asked, *drawn, *self._flow(learner.network, source, "trained")]

    def _lengths(self) -> Iterator[dict[str, Any]]:
        for length in self.lengths:
            yield {"record": "test", "length": length, "longer": length > self.longest}

    def _said(self, network: Any, source: Any, length: int) -> Row:
        """Return accuracies on strings of a length."""
        from lightning_modules.networks._search import Ends

        ends = Ends(source.begin, source.end, 2 * length + SPARE)
        batch = source.of_length(length, self.asked)
        return transducing.counted(network, [batch], ends).accuracies()

    def _by_dictionary(self, source: Any) -> list[Row]:
        """Return the accuracies of a dictionary, which is fed nothing: it runs free."""
        import torch

        def told(batch: Any) -> list[tuple[list[str], list[str]]]:
            columns = (batch.x_TBI[..., 0].t(), batch.y_TB.t())
            of = [[[str(i) for i in ids if i > source.end] for ids in c.tolist()] for c in columns]
            return list(zip(*of, strict=True))

        pairs = [pair for i in range(self.counted_batches) for pair in told(source.batch(i))]
        rows: list[Row] = []
        for row in self._lengths():
            batch = source.of_length(int(row["length"]), self.asked)
            said = dictionaries.by_dictionary(pairs, [of for of, _ in told(batch)])
            ids = torch.tensor([[*map(int, of), source.end] for of in said]).t()
            right, exact = transducing.said_right(ids, batch.y_TB, batch.mask_TB)
            free = right / int(batch.mask_TB.sum())
            rows.append({**row, "free_running_accuracy": free, "exact": exact / self.asked})
        return rows

    def _flow(self, network: Any, source: Any, when: str) -> list[Row]:
        """Return the error that comes to each position of the source."""
        batch = source.of_length(self.longest, FLOW_STRINGS)
        return [
            {"record": "flow", "when": when, **row}
            for row in transducing.error_by_position(network, batch)
        ]


GOAL = 0.99
FALLS = 0.5
"""Accuracy that is lost from the longest strings of training to the longest of all."""
FEW = "the longest strings of training are the rarest to be whole; more steps make up for that"


def by_seed(rows: pd.DataFrame, of: str) -> pd.Series:
    """Return a figure by seed: the index."""
    return pd.to_numeric(rows.set_index("seed")[of])


def trained_on(rows: pd.DataFrame, order: str, method: str, of: str) -> pd.Series:
    """Return an accuracy on strings as long as those trained on, all lengths alike, by seed."""
    rows = _asked(rows, order, method)
    mean = rows[~rows["longer"].astype(bool)].groupby("seed")[of].mean()
    return pd.to_numeric(mean)


def _asked(rows: pd.DataFrame, order: str, method: str) -> pd.DataFrame:
    asked = rows[rows["record"] == "test"]
    return asked[(asked["order"] == order) & (asked["method"] == method)]


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold accuracies to goals and to each other, and error to where it should go."""
    for order in rows["order"].unique():
        there = [m for m in (PLAIN, ATTENTION) if len(_asked(rows, order, m))]
        for method in there:
            claim = f"{order}, {method}: at least 99 % of what was trained on, free-running"
            right = trained_on(rows, order, method, "free_running_accuracy")
            yield above(claim, right, GOAL, expected=9).if_missed(FEW)
        yield from _dictionary(rows, order)
        if PLAIN in there:
            yield from _lengths(rows, order)
    yield from positions.claims(rows[rows["record"] == "flow"])


def _dictionary(rows: pd.DataFrame, order: str) -> Iterator[Claim]:
    """A dictionary copies strings of any length and reverses none."""
    said = _asked(rows, order, DICTIONARY)
    if not len(said):
        return
    exact = pd.to_numeric(said["exact"])
    if order == "copy":
        claim, holds = "copy, word by word: every string of every length", exact.min() == 1
    else:
        exact = exact[said["length"] == said["length"].max()]
        claim, holds = "reverse, word by word: hardly any of the longest", exact.max() <= 1 - GOAL
    seen = f"{exact.min():.1%} to {exact.max():.1%} of them"
    yield identity(claim, bool(holds), seen, expected=10)


def _lengths(rows: pd.DataFrame, order: str) -> Iterator[Claim]:
    """Without attention accuracy falls with length; free-running falls below teacher-forced."""
    asked = _asked(rows, order, PLAIN)
    longer = asked[asked["longer"].astype(bool)]
    if not len(longer):
        return
    free = "free_running_accuracy"
    ends = longer[longer["length"] == longer["length"].max()]
    far = by_seed(ends, free)
    claim = f"{order}, {PLAIN}: half of the accuracy is lost at {int(ends['length'].iloc[0])}"
    near = trained_on(rows, order, PLAIN, free)
    yield ordered(claim, far, near, by=FALLS, expected=11)
    means = longer.groupby("seed")[[free, "teacher_forced_accuracy"]].mean()
    claim = f"{order}, {PLAIN}: beyond training, free-running is below teacher-forced"
    yield ordered(claim, means[free], means["teacher_forced_accuracy"], expected=12)


def sentence(rows: pd.DataFrame) -> str:
    """Say what each decoder comes to beyond the lengths of training."""
    if not len(rows):
        return ""
    asked = rows[(rows["record"] == "test") & rows["longer"].fillna(False).astype(bool)]
    if not len(asked):
        return ""
    far = asked[asked["length"] == asked["length"].max()]
    said = [
        f"{with_interval(100 * by_seed(of, 'free_running_accuracy'), 1)} % {method}"
        for (order, method), of in far.groupby(["order", "method"], sort=False)
        if order == "copy"
    ]
    length = int(far["length"].iloc[0])
    return f"Of {length} random symbols that are to be copied, right are {', '.join(said)}."


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies by task, method and length, means over seeds."""
    asked = rows[rows["record"] == "test"]
    by = asked.groupby(["order", "method", "length"], sort=False)
    names = ["teacher_forced_accuracy", "free_running_accuracy", "exact"]
    shown = by[names].mean().mul(100).round(1).reset_index()
    shown.columns = ["task", "by", "symbols", "teacher-forced, %", "free-running, %", "whole, %"]
    return shown


LABELS = {
    "length": "symbols of the source",
    "free_running_accuracy": "free-running accuracy",
    "teacher_forced_accuracy": "teacher-forced accuracy",
    "method": "said",
}
PART = Part(
    __doc__,
    Transduced,
    expects,
    speaks_of={"method": METHODS},
    figures=(
        Table(
            name="transduced",
            title="Copied and reversed, by length",
            caption="Percent of the tokens of the targets, the end among them, and of whole "
            "targets. A dictionary is fed nothing, so it has no teacher.",
            build=table,
        ),
        Figure(
            name="free-running",
            title="What a decoder says when it hears itself, by length",
            caption="Share of tokens at their place, mean and range over seeds.",
            x="length",
            y="free_running_accuracy",
            where={"record": "test"},
            hue="method",
            column="order",
            labels=LABELS,
        ),
        *positions.FIGURES,
    ),
)
