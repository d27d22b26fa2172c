"""With a reservoir the readout learns as by automatic differentiation, and the cell not at all."""

import pytest
import torch
from torch import nn

from lightning_modules.algorithms.reservoir import Reservoir
from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Cell
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner

BATCHES = 6


def reservoir(cell: Cell, optimizer: str) -> SequenceLearner:
    """Return a float64 learner that updates within each batch."""
    torch.manual_seed(1)
    task, rule = Recall(streams=True), Reservoir()
    return SequenceLearner(cell, task.output_size, task.loss, rule, 4, optimizer, 0.05).double()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_cell_keeps_its_weights_bit_for_bit_and_the_readout_moves(
    optimizer: str, cell: Cell
) -> None:
    learner = reservoir(cell, optimizer)
    cell_before = [w.detach().clone() for w in learner.cell.parameters()]
    readout_before = [w.detach().clone() for w in learner.readout.parameters()]
    fit(learner, Recall(streams=True), steps=BATCHES, evaluate_every=BATCHES, seed=0)
    assert all(map(torch.equal, learner.cell.parameters(), cell_before))
    moved = zip(learner.readout.parameters(), readout_before, strict=True)
    assert all(float((w.detach() - before).norm()) > 1e-2 for w, before in moved)


def test_the_readout_learns_as_by_automatic_differentiation_of_it_alone(cell: Cell) -> None:
    learner, task = reservoir(cell, "sgd"), Recall(streams=True)
    readout = nn.Linear(cell.hidden_size, task.output_size).double()
    readout.load_state_dict(learner.readout.state_dict())
    s_BS = torch.zeros(4, cell.state_size, dtype=torch.float64)
    for i in range(BATCHES):
        batch = task.batch(i)
        for chunk in (slice(0, 4), slice(4, 7)):
            x_TBI, y_TB, mask_TB, resets_TB = (part[chunk] for part in batch)
            states_TBS = cell.follow(x_TBI.double(), s_BS, resets_TB).states_TBS
            s_BS, h_TBH = states_TBS[-1], states_TBS[..., : cell.hidden_size]
            loss = nn.functional.cross_entropy(readout(h_TBH[mask_TB]), y_TB[mask_TB])
            for w, g in zip(
                readout.parameters(),
                torch.autograd.grad(loss, list(readout.parameters())),
                strict=True,
            ):
                w.data -= 0.05 * g
    fit(learner, task, steps=BATCHES, evaluate_every=BATCHES, seed=0)
    torch.testing.assert_close(learner.readout.state_dict(), readout.state_dict())
