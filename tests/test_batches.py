"""Batches that cannot be are refused in one line; those that are told otherwise are the same."""

from typing import Any

import pytest
import torch
from torch import nn

from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Batch
from lightning_modules.networks.mlp import MLP
from lightning_modules.rules import RULES
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.by_rule import RuleLearner
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import Learner
from lightning_modules.training.losses import LOSSES
from tests.test_training import sequence_learner

RUN: dict[str, Any] = {"steps": 3, "evaluate_every": 3, "seed": 0}


class Changed(Recall):
    """Recall whose batches are told otherwise."""

    def __init__(self, change: Any, loss: Any = "cross_entropy"):
        super().__init__(loss)
        self.change = change

    def batch(self, index: int) -> Batch:
        return super().batch(index)._replace(**self.change(super().batch(index)))


def learners(loss: Any = "cross_entropy") -> list[Learner]:
    torch.manual_seed(0)
    outputs = Recall(loss).output_size
    network = MLP(3, outputs, [4], "logistic", "logistic").double()
    rule = RULES["classical_backpropagation"](rate=0.1, enough=None)
    return [
        sequence_learner(Recall(loss)),
        BackpropLearner(nn.Linear(3, outputs), loss, "sgd", 0.1),
        RuleLearner(network, rule, loss).double(),
    ]


@pytest.mark.parametrize(
    ("change", "loss", "says"),
    [
        (lambda b: {"y_TB": b.y_TB[..., 0]}, "squared_error", r"y_TB is \(7, 4\) beside"),
        (lambda b: {"y_TB": b.y_TB[..., :1]}, "squared_error", r"it must be \(7, 4, 3\)"),
        (lambda b: {"y_TB": b.y_TB[:, :1]}, "cross_entropy", r"y_TB is \(7, 1\) beside x_TBI of"),
        (lambda b: {"mask_TB": b.mask_TB[0]}, "cross_entropy", r"mask_TB is \(4,\)"),
        (lambda b: {"y_TB": b.y_TB - 100}, "cross_entropy", "y_TB is -100 at step 0 of sample"),
        (lambda b: {"y_TB": b.y_TB + 2}, "cross_entropy", "classes are 0 to 1"),
        (lambda b: {"y_TB": b.y_TB + 0.5}, "cross_entropy", "classes are whole numbers"),
        (lambda b: {"mask_TB": b.mask_TB * 0.5}, "cross_entropy", "flags are booleans"),
        (
            lambda b: {k: v[:0] for k, v in b._asdict().items()},
            "cross_entropy",
            "at least one step",
        ),
        (lambda b: {k: v[:, :0] for k, v in b._asdict().items()}, "cross_entropy", "one sample"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_in_one_line_by_every_learner(change, loss, says):
    for learner in learners(loss):
        with pytest.raises(ValueError, match=says) as error:
            fit(learner, Changed(change, loss), **RUN)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.int32])
def test_flags_told_as_numbers_are_the_same_flags(dtype):
    def as_numbers(batch: Batch) -> dict[str, Any]:
        return {"mask_TB": batch.mask_TB.to(dtype), "resets_TB": batch.resets_TB.to(dtype)}

    for one, other in zip(learners(), learners(), strict=True):
        assert fit(one, Changed(as_numbers), **RUN) == fit(other, Recall(), **RUN)


def test_a_target_that_is_no_class_does_not_matter_where_it_is_masked():
    def masked(batch: Batch) -> dict[str, Any]:
        return {"y_TB": torch.where(batch.mask_TB, batch.y_TB, -100)}

    for one, other in zip(learners(), learners(), strict=True):
        assert fit(one, Changed(masked), **RUN) == fit(other, Recall(), **RUN)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_broadcasts_nothing(loss):
    z_NO = torch.randn(6, 1)
    y_N = torch.zeros(6) if loss == "squared_error" else torch.zeros(6, 1).long()
    for take in (LOSSES[loss].value, LOSSES[loss].derivative):
        with pytest.raises(ValueError, match="give one target for each output"):
            take(z_NO, y_N)


def test_the_loss_of_a_class_that_is_none_is_an_error_and_no_smaller_mean():
    with pytest.raises(IndexError):
        LOSSES["cross_entropy"].value(torch.randn(2, 3), torch.tensor([1, -100]))
