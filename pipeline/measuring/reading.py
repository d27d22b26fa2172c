"""Sentences learned by a network, or counted: a description of the run, and its figures.

The network that is tested is the one of the evaluation that did best on the held-out sentences;
both figures are kept. Counting has nothing to choose, so it sees these sentences too.
"""

import abc
import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import NonNegativeFloat, model_validator

from lightning_modules.networks import NETWORKS
from pipeline.measuring.probing import build
from pipeline.measuring.training import DataSet, Training
from pipeline.study import Count, Figure, Given, Options, Row, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_modules.training.backprop import BackpropLearner


class SentenceTraining(Training, abc.ABC):
    """A network that reads sentences, or a way of counting, by the name of ``method``."""

    # A trial is frozen, so that a field may be narrowed.
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    method: str
    network: Annotated[str, named(NETWORKS)] | None = None
    counting: str | None = None
    """Either a network, or a way of counting."""
    options: Options | None = None
    """What the network is built with beside its numbers of ids and outputs."""
    anneal: bool | None = None
    """Whether the rate falls to 0 over the run, as half a cosine does."""
    train_size: Count | None = None
    """Sentences that are learned from; None is all."""
    unknown_rate: NonNegativeFloat
    """How often a word that stands once in them is read as one that is not known."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "SentenceTraining":
        if (self.network is None) == (self.counting is None):
            raise ValueError("give one of network and counting")
        return self

    def counted_on(self, given: Given) -> Any:
        """Return the text as counting sees it: as many sentences, the held-out ones among them."""
        from pipeline.tasks._sentences import drawn

        (text,) = self.read(given)
        train = drawn(text.train, self.seed, self.train_size, text.provenance)
        return dataclasses.replace(text, train=tuple(train))

    def source_of(self, given: Given) -> Any:
        """Return the task; characters are read where the network has a channel for them."""
        (text,) = self.read(given)
        return TASKS[self.task](
            text,
            self.seed,
            self.batch_size,
            self.held_out_size,
            train_size=self.train_size,
            spelling=bool((self.options or {}).get("character_units")),
            unknown_rate=self.unknown_rate,
        )

    def learner_of(self, source: Any) -> "BackpropLearner":
        """Return the network in what trains it, its weights drawn by the trial's seed."""
        import torch

        from lightning_modules.training.backprop import BackpropLearner

        torch.manual_seed(self.seed)
        sizes = source.words, source.output_size
        network = NETWORKS[str(self.network)](
            *sizes, characters=source.characters, **(self.options or {})
        )
        of: dict[str, Any] = {"learning_rate": self.learning_rate, "clip": self.clipped()}
        if self.anneal:
            of["anneal"] = True
        return BackpropLearner(network, source.loss, self.optimizer, **of)

    def learn(self, learner: "BackpropLearner", source: Any, given: Given) -> list[Row]:
        """Train; evaluations are rows with ``right``, in percent, and record "curve".

        The last row, record "test", is of the one look at the test part, by the weights of the
        ``chosen`` step, which had ``held_out_right``. The learner is left with them.
        """
        from lightning_modules.training.best import Best
        from lightning_modules.training.fit import fit

        best: Any = Best()
        told = fit(
            learner,
            source,
            steps=self.steps,
            evaluate_every=self.every,
            seed=self.seed,
            scratch=given.scratch,
            probes=[*build(self.probes), best],
        )
        rows: list[Row] = [
            {**row, "record": "probe"}
            if "probe" in row
            else {**row, "record": "curve", "right": in_percent(row["held_out_accuracy"])}
            for row in told
        ]
        last = [row for row in rows if row["record"] == "curve"][-1]
        facts = {"parameters": sum(w.numel() for w in learner.parameters()), "words": source.words}
        test: Row = {"record": "test", "step": last["step"], "diverged": last["diverged"], **facts}
        if not last["diverged"]:
            best.take_back()
            loss, accuracy = learner.evaluate(source.test())
            test |= {"chosen": best.step, "held_out_right": in_percent(best.accuracy)}
            test |= {"loss": loss, "right": in_percent(accuracy)}
        return [*rows, test]


def in_percent(accuracy: float | None) -> float | None:
    """Return how many of a hundred are right."""
    return None if accuracy is None else 100 * accuracy


def counted(right: float, **more: float) -> Row:
    """Return the row of a way of counting, which has ``right`` of a hundred right."""
    return {"record": "test", "step": 0, "diverged": False, "right": right, **more}


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the looks at the test part; a run that diverged has none right."""
    tests = rows[rows["record"] == "test"]
    lost = tests["diverged"].astype(bool)
    return tests.assign(right=pd.to_numeric(tests["right"]).where(~lost, 0.0))


def by_method(rows: pd.DataFrame, of: str = "right") -> "Mapping[str, pd.Series]":
    """Return a figure of the test part by method, by seed: the index."""
    by = ends(rows).set_index("seed").groupby("method", sort=False)
    return {str(name): pd.to_numeric(runs[of]) for name, runs in by}


LABELS = {"step": "batches", "right": "right, %", "method": "read by"}


def curves(name: str, title: str, column: str | None = None) -> Figure:
    """Return the picture of what is right along training."""
    return Figure(
        name=name,
        title=title,
        caption="Percent of what is held out, mean and range over seeds; the test part is looked "
        "at once, at the end, by the weights that did best here.",
        x="step",
        y="right",
        where={"record": "curve"},
        hue="method",
        column=column,
        labels=LABELS,
    )
