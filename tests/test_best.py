"""What was best on held-out data is what is tested, and a run that was killed knows it too."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from lightning_modules.networks.sequence_classifier import SequenceClassifier
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.best import Best
from lightning_modules.training.fit import fit
from pipeline.tasks.sentence_class import SentenceClass
from tests.toy import requests

STEPS, RATE = 13, 1.0


class Requests(SentenceClass):
    """Requests, of which a batch is lost, as a worker is.

    Which is said of the class: a task that holds something else is another run.
    """

    lost: ClassVar[int | None] = None

    def __init__(self):
        """Read them."""
        super().__init__(requests(), 0, batch_size=5, held_out_size=15)

    def batch(self, index: int) -> Any:
        """Return the batch, or be killed."""
        if index == self.lost:
            raise KeyboardInterrupt
        return super().batch(index)


def _learner(task: Requests) -> BackpropLearner:
    """Return a network that learns at a rate at which accuracy goes up and down."""
    torch.manual_seed(0)
    network = SequenceClassifier(task.words, 3, pooling="mean", word_size=4, hidden_size=4)
    return BackpropLearner(network, task.loss, "adam", RATE)


def _run(best: Any, task: Requests, scratch: Path | None = None) -> Any:
    """Train; return the learner and its rows."""
    learner = _learner(task)
    of: Any = {"steps": STEPS, "evaluate_every": 1, "seed": 0, "scratch": scratch}
    return learner, fit(learner, task, probes=[best], **of, checkpoint_every_seconds=0)


def test_the_weights_are_those_of_the_first_best_evaluation() -> None:
    best, task = Best(), Requests()
    learner, rows = _run(best, task)
    accuracies = [row["held_out_accuracy"] for row in rows]
    assert accuracies[-1] < max(accuracies), "the last is not the best in this run"
    assert best.step == accuracies.index(max(accuracies))
    assert best.accuracy == max(accuracies)
    learner.moved = list(learner.parameters())
    assert learner.evaluate(task.held_out()).accuracy == accuracies[-1]
    best.take_back()
    assert learner.evaluate(task.held_out()).accuracy == max(accuracies)


def test_watching_for_the_best_changes_nothing_of_a_run() -> None:
    task = Requests()
    rows = fit(_learner(task), task, steps=STEPS, evaluate_every=1, seed=0)
    assert _run(Best(), task)[1] == rows


def test_a_run_that_was_killed_keeps_the_best_that_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed = Best(), Best()
    _, rows = _run(whole, Requests())
    monkeypatch.setattr(Requests, "lost", whole.step + 3)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _run(Best(), Requests(), tmp_path)
    monkeypatch.setattr(Requests, "lost", whole.step)
    learner, again = _run(resumed, Requests(), tmp_path)
    assert again == rows, "and the batch before the best is not gone through again"
    assert (resumed.step, resumed.accuracy) == (whole.step, whole.accuracy)
    for name, weight in whole.weights.items():
        assert torch.equal(resumed.weights[name], weight)
    resumed.take_back()
    for now, then in zip(learner.state_dict().values(), whole.weights.values(), strict=True):
        assert torch.equal(now, then)
