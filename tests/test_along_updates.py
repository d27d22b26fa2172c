"""The probes of direction and smoothness against automatic differentiation."""

import copy
from typing import Any

import pytest
import torch

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rflo import RFLO
from lightning_modules.contracts._recall import Recall
from lightning_modules.probes._base import Probe
from lightning_modules.probes.direction import Direction
from lightning_modules.probes.smoothness import Smoothness
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.fit import fit
from lightning_modules.training.recorder import Row
from tests.test_training import chunk_loss, sequence_learner

CURES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "by norm": {"clip": Clip("norm", 0.01)},
    "by value": {"clip": Clip("value", 0.001)},
    "decay": {"decay": Decay("l2", 5.0)},
    "adam": {"optimizer": "adam"},
}


def probed(learner, task: Recall, probe: Probe, steps: int = 3) -> list[Row]:
    """Train, with a row of each quantity after every update."""
    rows = fit(learner, task, steps=steps, evaluate_every=1, seed=0, probes=[probe])
    return [row for row in rows if "probe" in row]


def gradients(learner, task: Recall, batch: int) -> torch.Tensor:
    """Return the gradient of a batch at the learner's present weights by autograd."""
    cell, readout = copy.deepcopy(learner.cell), copy.deepcopy(learner.readout)
    weights, parts = [*cell.parameters(), *readout.parameters()], task.batch(batch)
    start_BS = torch.zeros(4, cell.state_size).double()
    loss, _ = chunk_loss(cell, readout, task, list(parts), start_BS)
    found = torch.autograd.grad(loss / int(parts.mask_TB.sum()), weights)
    return torch.cat([g.flatten() for g in found])


def flat(learner) -> torch.Tensor:
    return torch.cat([w.detach().flatten() for w in learner.parameters()])


def along(cure: str, loss: Any, steps: int) -> tuple[list[float], list[float], list[float]]:
    """Return cosine, smoothness and norm of each update, from weights after every one."""
    task, found = Recall(loss), ([], [], [])
    for step in range(steps):
        before, after = sequence_learner(task, **CURES[cure]), sequence_learner(task, **CURES[cure])
        if step:
            fit(before, task, steps=step, evaluate_every=step, seed=0)
        fit(after, task, steps=step + 1, evaluate_every=step + 1, seed=0)
        g_P, moved_P = gradients(before, task, step), flat(after) - flat(before)
        changed_P = gradients(after, task, step) - g_P
        found[0].append(-float(g_P @ moved_P / g_P.norm() / moved_P.norm()))
        found[1].append(float(changed_P.norm() / moved_P.norm()))
        found[2].append(float(g_P.norm()))
    return found


@pytest.mark.parametrize("cure", CURES)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_both_probes_see_what_automatic_differentiation_does(cure: str, loss: Any):
    task, (cosine, smoothness, norm) = Recall(loss), along(cure, loss, 3)
    seen = probed(sequence_learner(task, **CURES[cure]), task, Direction())
    assert [row["value"] for row in seen] == pytest.approx(cosine, rel=1e-9)
    seen = probed(sequence_learner(task, **CURES[cure]), task, Smoothness(every=1))
    for name, expected in (("smoothness", smoothness), ("norm", norm)):
        values = [row["value"] for row in seen if row["quantity"] == name]
        assert values == pytest.approx(expected, rel=1e-9), name


def test_only_clipping_by_norm_and_nothing_keep_the_direction():
    cosine = {
        cure: probed(sequence_learner(Recall(), **CURES[cure]), Recall(), Direction(), 1)[0][
            "value"
        ]
        for cure in CURES
    }
    for cure, value in cosine.items():
        assert (value == pytest.approx(1, abs=1e-12)) == (cure in ("nothing", "by norm")), cure


def test_updates_that_move_nothing_have_no_direction():
    learner = sequence_learner(Recall(), learning_rate=1e-300)
    (row,) = probed(learner, Recall(), Direction(), 1)
    assert row["value"] is None


@pytest.mark.parametrize("algorithm", [BPTT, BlockedRTRL, RFLO])
def test_smoothness_is_of_the_exact_gradient_across_resets_whatever_moves_the_weights(algorithm):
    task = Recall(streams=True, resets=0.3)
    learner = sequence_learner(task, algorithm)
    before, g_P = flat(learner), gradients(learner, task, 0)
    smoothness, norm = (row["value"] for row in probed(learner, task, Smoothness(), 1))
    changed_P, moved_P = gradients(learner, task, 0) - g_P, flat(learner) - before
    assert smoothness == pytest.approx(float(changed_P.norm() / moved_P.norm()), rel=1e-9)
    assert norm == pytest.approx(float(g_P.norm()), rel=1e-9)


def test_measuring_changes_nothing_of_the_run():
    task = Recall(streams=True)
    plain, watched = sequence_learner(task, update_every=2), sequence_learner(task, update_every=2)
    fit(plain, task, steps=5, evaluate_every=5, seed=0)
    fit(watched, task, steps=5, evaluate_every=5, seed=0, probes=[Direction(), Smoothness(2)])
    torch.testing.assert_close(flat(watched), flat(plain), rtol=0, atol=0)
