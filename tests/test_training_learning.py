"""Learning happens, where it should and only there; the readout's gradient."""

import copy
import json

import pytest
import torch
from torch import nn

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.contracts._recall import Recall
from lightning_modules.training.fit import fit
from lightning_modules.training.losses import LOSSES
from lightning_modules.training.readout import ReadoutCredit
from tests.test_training import sequence_learner


@pytest.mark.parametrize(("algorithm", "update_every"), [(BPTT, None), (BlockedRTRL, 1)])
def test_learning_recalls_what_was_shown(algorithm, update_every):
    task, settings = Recall(counted=1.0), {"optimizer": "adam", "learning_rate": 0.02}
    learner = sequence_learner(task, algorithm, update_every=update_every, **settings)
    first, last = fit(learner, task, steps=150, evaluate_every=150, seed=0)
    assert first["step"] == 0
    assert first["train_loss"] is None
    assert first["held_out_accuracy"] < 0.75
    assert last["held_out_accuracy"] > 0.95
    assert last["held_out_loss"] < 0.2


@pytest.mark.parametrize("streams", [False, True])
def test_held_out_scores_are_means_over_all_counted_outputs_of_one_stream(streams):
    task = Recall(streams=streams)
    learner = sequence_learner(task, learning_rate=1e-300)
    row = fit(learner, task, steps=2, evaluate_every=2, seed=0)[-1]
    loss, right, counted, s_BS = 0.0, 0, 0, torch.zeros(4, 8).double()
    for batch in task.held_out():
        s_BS = s_BS if streams else torch.zeros_like(s_BS)
        for x_BI, y_B, mask_B, resets_B in zip(*batch, strict=True):
            s_BS = learner.cell(x_BI.double(), torch.where(resets_B[:, None], 0.0, s_BS)).detach()
            p_BO = learner.readout(s_BS).softmax(dim=-1).detach()
            loss -= float(p_BO[torch.arange(4), y_B].log()[mask_B].sum())
            right += int((p_BO.argmax(dim=-1) == y_B)[mask_B].sum())
            counted += int(mask_B.sum())
    assert row["held_out_loss"] == pytest.approx(loss / counted, rel=1e-12)
    assert row["held_out_accuracy"] == right / counted


def test_targets_outside_the_mask_do_not_matter():
    class Scrambled(Recall):
        def batch(self, index):
            batch = super().batch(index)
            return batch._replace(y_TB=torch.where(batch.mask_TB, batch.y_TB, 1 - batch.y_TB))

    rows = [
        fit(sequence_learner(task, update_every=2), task, steps=4, evaluate_every=2, seed=0)
        for task in (Recall(), Scrambled())
    ]
    assert rows[0] == rows[1]


def test_a_batch_without_counted_outputs_moves_nothing():
    task = Recall(counted=0.0)
    learner = sequence_learner(task, optimizer="adam")
    before = copy.deepcopy(learner.state_dict())
    rows = fit(learner, task, steps=2, evaluate_every=1, seed=0)
    assert [row["train_loss"] for row in rows] == [None, None, None]
    torch.testing.assert_close(learner.state_dict(), before, rtol=0, atol=0)


def test_a_run_that_diverges_ends_with_a_row_that_says_so():
    task = Recall("squared_error")
    learner = sequence_learner(task, learning_rate=1e200)
    rows = fit(learner, task, steps=50, evaluate_every=10, seed=0)
    assert [row["diverged"] for row in rows] == [False, True]
    assert rows[-1]["step"] < 10
    assert rows[-1]["held_out_loss"] is None
    json.dumps(rows, allow_nan=False)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("counted", [0.0, 0.5, 1.0])
def test_the_readout_written_out_equals_automatic_differentiation(loss, counted):
    task = Recall(loss, counted=counted)
    batch, readout = task.batch(0), nn.Linear(5, task.output_size).double()
    s_TBS = torch.randn(7, 4, 8).double().requires_grad_()
    counted_T, y_TB = batch.mask_TB.sum(dim=1).tolist(), batch.y_TB
    y_TB = LOSSES[loss].targets(y_TB, torch.float64)
    z_TBO, mask = readout(s_TBS[..., :5]), batch.mask_TB
    value = LOSSES[loss].value(z_TBO[mask], y_TB[mask]) if counted else (0.0 * z_TBO).sum()
    by_s, *by_readout = torch.autograd.grad(value, [s_TBS, *readout.parameters()])
    stepwise, whole = (
        ReadoutCredit(readout, LOSSES[loss], y_TB, mask, counted_T) for _ in range(2)
    )
    steps = torch.stack([stepwise(t, s_BS.detach()) for t, s_BS in enumerate(s_TBS)])
    for credit, c_TBS in ((stepwise, steps), (whole, whole.sequence(s_TBS.detach()))):
        torch.testing.assert_close(c_TBS, by_s)
        torch.testing.assert_close(credit.loss, value.detach())
        torch.testing.assert_close(credit.gradient_P, torch.cat([g.flatten() for g in by_readout]))
