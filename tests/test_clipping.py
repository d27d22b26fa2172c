"""Clipping by its formula, at every scale that the type holds."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.contracts._recall import Recall
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from tests.test_training import sequence_learner


def clipped(kind: Any, gradient: list[float], threshold: float, dtype: Any = None) -> Tensor:
    """Return a gradient as it is clipped beside weights of length 1."""
    w = nn.Parameter(torch.tensor([1.0] + [0.0] * (len(gradient) - 1), dtype=dtype))
    w.grad = torch.tensor(gradient, dtype=dtype)
    Clip(kind, threshold)([w])
    return w.grad


@pytest.mark.parametrize("kind", ["norm", "adaptive"])
def test_a_gradient_whose_square_leaves_the_type_keeps_its_direction(kind: Any) -> None:
    torch.testing.assert_close(clipped(kind, [3e20, 4e20, 0], 1.0), torch.tensor([0.6, 0.8, 0]))
    low = clipped(kind, [3e-25, 4e-25, 0], 1e-30)
    torch.testing.assert_close(low / 1e-30, torch.tensor([0.6, 0.8, 0]))
    # The norm itself, 6e38, is beyond the type.
    torch.testing.assert_close(clipped(kind, [3e38] * 4, 1.0), torch.full((4,), 0.5))


@pytest.mark.parametrize("kind", ["norm", "adaptive"])
@pytest.mark.parametrize("threshold", [1e-30, 1e-5, 1e-3, 1.0, 1e3])
def test_what_is_clipped_is_as_long_as_the_threshold(kind: Any, threshold: float) -> None:
    gradient = [3 * threshold, 4 * threshold]
    left = clipped(kind, gradient, threshold, torch.float64)
    assert float(left.norm() / threshold) == pytest.approx(1, abs=3e-7)
    assert float(left.norm()) <= threshold * (1 + 1e-15)
    within = [0.3 * threshold, 0.4 * threshold]
    assert clipped(kind, within, threshold, torch.float64).tolist() == within


def test_from_a_threshold_of_1_on_it_is_torchs_bit_for_bit() -> None:
    for seed, threshold in enumerate([1.0, 5.0] * 20):
        torch.manual_seed(seed)
        shapes = [(7, 3), (7, 7), (7,), (2, 7), (2,)]
        ours, theirs = ([nn.Parameter(torch.zeros(shape)) for shape in shapes] for _ in range(2))
        for w, other in zip(ours, theirs, strict=True):
            w.grad = torch.randn_like(w) * 10.0 ** (seed % 7 - 3)
            other.grad = w.grad.clone()
        Clip("norm", threshold)(ours)
        nn.utils.clip_grad_norm_(theirs, threshold)
        for w, other in zip(ours, theirs, strict=True):
            assert w.grad is not None
            assert other.grad is not None
            assert torch.equal(w.grad, other.grad)


@pytest.mark.parametrize("kind", ["norm", "adaptive", "value"])
@pytest.mark.parametrize("power", [-300, -40, 40, 300])
def test_a_gradient_and_a_threshold_in_another_unit_are_clipped_to_the_same(
    kind: Any, power: int
) -> None:
    at_1 = clipped(kind, [3.0, -4.0, 0.5], 0.25, torch.float64)
    unit = 2.0**power
    other = clipped(kind, [3 * unit, -4 * unit, unit / 2], unit / 4, torch.float64)
    if power > 0 and kind == "norm":  # there ε stays 1e-6
        torch.testing.assert_close(other, at_1 * unit, rtol=1e-6, atol=0)
    else:
        torch.testing.assert_close(other, at_1 * unit, rtol=1e-15, atol=0)


@pytest.mark.parametrize("kind", ["norm", "adaptive", "value"])
@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_a_gradient_that_is_not_finite_has_no_direction_and_the_run_ends_as_diverged(
    kind: Any, bad: float
) -> None:
    left = clipped(kind, [bad, 1.0], 2.0)
    if kind == "value":
        torch.testing.assert_close(left[0], torch.tensor(min(bad, 2.0)), equal_nan=True)
    else:
        torch.testing.assert_close(left, torch.tensor([bad, 1.0]), equal_nan=True)

    class Bad(Recall):
        def batch(self, index):
            batch = super().batch(index)
            return batch._replace(x_TBI=batch.x_TBI * (bad if index == 2 else 1.0))

    rows = fit(
        sequence_learner(Recall(), clip=Clip(kind, 1.0)), Bad(), steps=9, evaluate_every=9, seed=0
    )
    assert [(row["step"], row["diverged"]) for row in rows] == [(0, False), (3, True)]


def test_a_threshold_beyond_a_small_type_clips_nothing_of_it():
    w = nn.Parameter(torch.zeros(2, dtype=torch.float16))
    w.grad = torch.tensor([6e4, -1.0], dtype=torch.float16)
    Clip("value", 1e30)([w])
    assert w.grad.tolist() == [6e4, -1.0]
