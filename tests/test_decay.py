"""Decay of weights against the penalties that it stands for, and against torch's own."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from lightning_modules.contracts._recall import Recall
from lightning_modules.networks.unrolled import Unrolled
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import Learner
from lightning_modules.training.sequence import SequenceLearner
from tests.test_training import chunk_loss, sequence_learner

STEPS, STRENGTH = 6, 0.3
PENALTIES: dict[Any, Callable[[torch.Tensor], torch.Tensor]] = {
    "l2": lambda w: STRENGTH / 2 * w.square().sum(),
    "l1": lambda w: STRENGTH * w.abs().sum(),
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.AdamW,
}


def trained(learner: Learner, task: Recall) -> list[nn.Parameter]:
    fit(learner, task, steps=STEPS, evaluate_every=STEPS, seed=0)
    return list(learner.parameters())


def bare(
    learner: SequenceLearner,
    task: Recall,
    optimizer: torch.optim.Optimizer,
    regularise: Callable[[list[nn.Parameter]], None] = lambda _: None,
) -> list[nn.Parameter]:
    """Train the learner's cell and readout by autograd alone, once a batch."""
    weights = [*learner.cell.parameters(), *learner.readout.parameters()]
    for i in range(STEPS):
        batch = task.batch(i)
        start_BS = torch.zeros(4, learner.cell.state_size).double()
        loss, _ = chunk_loss(learner.cell, learner.readout, task, list(batch), start_BS)
        optimizer.zero_grad()
        (loss / int(batch.mask_TB.sum())).backward()
        regularise(weights)
        optimizer.step()
    return weights


def assert_same(ours: list[nn.Parameter], theirs: list[nn.Parameter]) -> None:
    for w, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(w, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_l2_is_the_weight_decay_of_torch(optimizer: str):
    task, settings = Recall(), {"optimizer": optimizer, "learning_rate": 0.05}
    other = sequence_learner(task, **settings)
    expected = bare(
        other, task, OPTIMIZERS[optimizer](other.parameters(), lr=0.05, weight_decay=STRENGTH)
    )
    learner = sequence_learner(task, **settings, decay=Decay("l2", STRENGTH))
    assert_same(trained(learner, task), expected)


@pytest.mark.parametrize("kind", PENALTIES)
@pytest.mark.parametrize("threshold", [1e-2, 1e9])
def test_a_penalty_is_descended_beside_the_clipped_gradient_and_is_not_clipped(
    kind: Any, threshold: float
):
    task, other = Recall(), sequence_learner(Recall())

    def regularise(weights: list[nn.Parameter]) -> None:
        norm = torch.cat([w.grad.flatten() for w in weights if w.grad is not None]).norm()
        for w in weights:
            assert w.grad is not None
            w.grad *= min(1.0, threshold / (norm + 1e-6 * min(1.0, threshold)))
        penalty = torch.stack([PENALTIES[kind](w) for w in weights]).sum()
        for w, pull in zip(weights, torch.autograd.grad(penalty, weights), strict=True):
            assert w.grad is not None
            w.grad += pull

    expected = bare(other, task, torch.optim.SGD(other.parameters(), lr=0.1), regularise)
    cures = {"clip": Clip("norm", threshold), "decay": Decay(kind, STRENGTH)}
    assert_same(trained(sequence_learner(task, **cures), task), expected)


@pytest.mark.parametrize("kind", PENALTIES)
def test_every_learner_decays_alike(kind: Any):
    task, cures = Recall(), {"clip": Clip("value", 0.01), "decay": Decay(kind, STRENGTH)}
    by_hand = sequence_learner(task, **cures)
    network = Unrolled(copy.deepcopy(by_hand.cell), 2)
    network.readout.load_state_dict(by_hand.readout.state_dict())
    assert_same(
        trained(BackpropLearner(network, task.loss, "sgd", 0.1, **cures), task),
        trained(by_hand, task),
    )


@pytest.mark.parametrize(
    ("kind", "strength", "says"),
    [
        ("l3", 0.1, "'l3' is unknown: allowed: l2, l1"),
        ("l2", 0.0, "above 0"),
        ("l1", float("inf"), "finite"),
    ],
)
def test_a_decay_that_cannot_be_is_refused(kind: Any, strength: float, says: str):
    with pytest.raises(ValueError, match=says):
        Decay(kind, strength)
