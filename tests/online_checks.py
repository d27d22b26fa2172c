"""What holds of each sample of a stream while weights move at every step."""

import torch
from torch import Tensor

from lightning_modules.contracts._gradients import (
    BATCH,
    LENGTH,
    Reference,
    assert_near,
    run_in_chunks,
)
from lightning_modules.contracts._streams import Problem, flat_weights, problem
from lightning_modules.interfaces import Algorithm, Cell


def every_step(algorithm: Algorithm, p: Problem, weights_TP: Tensor) -> Tensor:
    """Return each step's gradient under weights of its own, (T, P), from the same random source."""
    torch.manual_seed(1)
    return torch.stack(run_in_chunks(algorithm, p, (1,) * len(p.x_TBI), weights_TP))


def samples_apart(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """A gradient is the sum of its samples', each alone with its own mask and resets."""
    del reference
    p = problem(cell, LENGTH, BATCH, seed=7)
    weights_TP = _moving(p)
    together_TP = every_step(algorithm, p, weights_TP)
    alone = [every_step(algorithm, _of_sample(p, b), weights_TP) for b in range(BATCH)]
    for g_P, of_samples_P in zip(together_TP, torch.stack(alone).sum(0), strict=True):
        assert_near(cell, g_P, of_samples_P)


def no_trace(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """What each sample saw before its reset does not act on any gradient after the last reset."""
    del reference
    p, resets = problem(cell, LENGTH, BATCH, seed=8), (6, 11, 9)
    weights_TP, x_TBI = _moving(p), p.x_TBI.clone()
    p.resets_TB.zero_()  # no other reset may hide a trace
    for b, t in enumerate(resets):
        p.resets_TB[t, b] = True
        x_TBI[:t, b] += torch.randn_like(x_TBI[:t, b])
    parts = (p.target_TBS, p.mask_TB, p.resets_TB)
    other = Problem(cell, x_TBI, p.s_BS + 1, *parts)
    of_p_TP, of_other_TP = (every_step(algorithm, stream, weights_TP) for stream in (p, other))
    for g_P, of_other_P in zip(of_p_TP[max(resets) :], of_other_TP[max(resets) :], strict=True):
        assert_near(cell, g_P, of_other_P)
    # Without a difference before it, there was no trace to leave.
    assert torch.equal(of_p_TP, of_other_TP) == (not of_p_TP.any())


def _moving(p: Problem) -> Tensor:
    """Return other weights for every step, (T, P)."""
    w_P = flat_weights(p.cell)
    return w_P + 0.1 * torch.randn(len(p.x_TBI), len(w_P), dtype=torch.float64)


def _of_sample(p: Problem, b: int) -> Problem:
    """Return the stream of one sample."""
    one = slice(b, b + 1)
    parts = (p.target_TBS[:, one], p.mask_TB[:, one], p.resets_TB[:, one])
    return Problem(p.cell, p.x_TBI[:, one], p.s_BS[one], *parts)
