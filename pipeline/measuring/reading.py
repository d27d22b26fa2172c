"""Classifying or tagging sentences, by a network or by counting: the fields, the run, its figures.

The network is tested with the weights that did best on the held-out sentences during training; its
accuracy on both is kept. Counting makes no such choice, so it learns from these sentences as well.
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
    """A network that reads sentences, or a way of counting; ``method`` is its name in figures."""

    # A trial is frozen, so that a field may be narrowed.
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    method: str
    network: Annotated[str, named(NETWORKS)] | None = None
    counting: str | None = None
    """Either a network, or a way of counting."""
    options: Options | None = None
    """The network's constructor arguments beside its numbers of ids and outputs."""
    anneal: bool | None = None
    """Whether the learning rate falls to 0 over the run, along half a cosine."""
    train_size: Count | None = None
    """The number of training sentences; None is all."""
    unknown_rate: NonNegativeFloat
    """How often, in training, a word that occurs only once is replaced by the unknown word."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "SentenceTraining":
        if (self.network is None) == (self.counting is None):
            raise ValueError("give one of network and counting")
        return self

    def counted_on(self, given: Given) -> Any:
        """Return the text for counting: it has the same sentences, the held-out ones included."""
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
        """Return the learner of the network, its weights drawn from the trial's seed."""
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
        """Train. Rows of evaluations have record "curve" and ``right``, the accuracy in percent.

        The last row, record "test", is the one evaluation on the test part, with the weights of the
        step ``chosen``, whose held-out accuracy was ``held_out_right``. The learner keeps these.
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
    """Return the accuracy in percent."""
    return None if accuracy is None else 100 * accuracy


def counted(right: float, **more: float) -> Row:
    """Return the row of a way of counting, with its test accuracy ``right``, in percent."""
    return {"record": "test", "step": 0, "diverged": False, "right": right, **more}


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the test part; the accuracy of a run that diverged is 0."""
    tests = rows[rows["record"] == "test"]
    lost = tests["diverged"].astype(bool)
    return tests.assign(right=pd.to_numeric(tests["right"]).where(~lost, 0.0))


def by_method(rows: pd.DataFrame, of: str = "right") -> "Mapping[str, pd.Series]":
    """Return column ``of`` on the test part, by method; the index of each is the seed."""
    by = ends(rows).set_index("seed").groupby("method", sort=False)
    return {str(name): pd.to_numeric(runs[of]) for name, runs in by}


LABELS = {"step": "batches", "right": "right, %", "method": "read by"}


def curves(name: str, title: str, column: str | None = None) -> Figure:
    """Return the figure of the held-out accuracy over training."""
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
