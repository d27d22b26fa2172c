"""Evaluation gives every module its own mode back, whatever happens in it."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.contracts._recall import HELD_OUT, Recall
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit


class Normed(nn.Module):
    """Two normalisations, of which the user froze the first, and a layer that drops out."""

    def __init__(self):
        super().__init__()
        self.frozen, self.free = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
        self.drop, self.affine = nn.Dropout(0.2), nn.Linear(3, 2)
        self.frozen.eval()
        self.fails = False

    def forward(self, x_TBI: Tensor) -> Tensor:
        if self.fails and not self.free.training:
            raise RuntimeError("out of memory")
        x_NI = self.free(self.frozen(x_TBI.flatten(0, 1)))
        return self.affine(self.drop(x_NI)).view(*x_TBI.shape[:2], -1)


def modes(network: nn.Module) -> dict[str, bool]:
    return {name: module.training for name, module in network.named_modules()}


def learner() -> tuple[BackpropLearner, Normed]:
    torch.manual_seed(0)
    network = Normed()
    return BackpropLearner(network, "cross_entropy", "sgd", 0.1), network


def test_a_normalisation_that_the_user_froze_stays_frozen() -> None:
    one, network = learner()
    before, frozen = modes(network), copy.deepcopy(dict(network.frozen.named_buffers()))
    fit(one, Recall(), steps=5, evaluate_every=1, seed=0)
    assert modes(network) == before
    for name, buffer in network.frozen.named_buffers():
        assert torch.equal(buffer, frozen[name]), name
    assert int(dict(network.free.named_buffers())["num_batches_tracked"]) == 5


@pytest.mark.parametrize("of_network", [True, False])
def test_an_error_in_evaluation_leaves_the_modes_as_they_were(of_network: bool) -> None:
    class Broken(Recall):
        def batch(self, index: int) -> Any:
            if index == HELD_OUT + 1 and not of_network:
                raise RuntimeError("out of memory")
            return super().batch(index)

    one, network = learner()
    before, network.fails = modes(network), of_network
    with pytest.raises(RuntimeError, match="out of memory"):
        fit(one, Broken(), steps=5, evaluate_every=1, seed=0)
    assert modes(network) == before


def test_the_modes_are_as_they_were_while_someone_looks_at_outputs() -> None:
    one, network = learner()
    before, outputs = modes(network), iter(one.outputs(Recall().held_out()))
    next(outputs)
    assert modes(network) == before
