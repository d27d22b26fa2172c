"""Clipping, and what the probes clipping and updates say of it."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.contracts._recall import Recall
from lightning_modules.instruments import Update
from lightning_modules.probes import PROBES
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from tests.probing import value
from tests.probing_learners import Spy, perceptron
from tests.test_training import sequence_learner
from tests.test_training_runs import RUN

KINDS: list[Any] = ["norm", "value", "adaptive"]


def clipped_by_hand(clip: Clip, weights: list[Tensor], gradient: list[Tensor]) -> list[Tensor]:
    """Clip as the equations say."""
    if clip.kind == "value":
        return [g.clamp(-clip.threshold, clip.threshold) for g in gradient]
    if clip.kind == "norm":
        norm = torch.cat([g.flatten() for g in gradient]).norm()
        return [g * min(1.0, clip.threshold / float(norm)) for g in gradient]
    clipped = []
    for w, g in zip(weights, gradient, strict=True):
        rows = zip(w, g, strict=True) if w.dim() > 1 else [(w, g)]
        scaled = [
            x * min(1.0, clip.threshold * max(float(r.norm()), 1e-3) / float(x.norm()))
            for r, x in rows
        ]
        clipped.append(torch.stack(scaled) if w.dim() > 1 else scaled[0])
    return clipped


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("build", [sequence_learner, perceptron])
def test_clipping_moves_the_weights_by_the_clipped_gradient(kind: Any, build: Any) -> None:
    clip, spy = Clip(kind, 0.02), Spy()
    task = Recall()
    learner = build(task, clip=clip) if build is sequence_learner else build(clip=clip)
    rows = fit(learner, task, **RUN, probes=[spy, PROBES["clipping"](), PROBES["updates"]()])
    assert len(spy.seen) == 12
    told = {"norm": 0.0, "clipped": 0.0, "kept": 0.0, "entries": 0.0}
    for update in spy.seen[5:10]:
        shapes = [w.shape for w in update.before]
        flat = [torch.cat([g.flatten() for g in part]) for part in (update.raw, update.clipped)]
        raw, clipped = (_cut(g_P, shapes) for g_P in flat)
        expected = clipped_by_hand(clip, list(update.before), raw)
        for found, by_hand in zip(clipped, expected, strict=True):
            torch.testing.assert_close(found, by_hand, rtol=1e-5, atol=0)  # torch adds 1e-6
        for before, after, g in zip(update.before, update.after, clipped, strict=True):
            torch.testing.assert_close(after, before - 0.1 * g, rtol=1e-12, atol=1e-14)
        told["norm"] += float(flat[0].norm()) / 5
        told["clipped"] += float((flat[0] != flat[1]).any()) / 5
        told["kept"] += float(flat[1].norm() / flat[0].norm()) / 5
        told["entries"] += float((flat[0] != flat[1]).double().mean()) / 5
    at = {"probe": "clipping", "step": 10}
    for quantity, expected in told.items():
        assert value(rows, **at, quantity=quantity) == pytest.approx(expected, rel=1e-7)
    over = value(rows, **at, quantity="threshold_over_norm")
    assert over == pytest.approx(0.02 / told["norm"], rel=1e-10)
    assert 0 < told["entries"] <= 1
    _assert_ratios(rows, spy.seen[5:10])


def _cut(flat_P: Tensor, shapes: list[torch.Size]) -> list[Tensor]:
    parts = flat_P.split([shape.numel() for shape in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def _assert_ratios(rows: list[Any], updates: list[Update]) -> None:
    for i, name in enumerate(updates[0].names):
        ratios = [float((u.after[i] - u.before[i]).norm() / u.before[i].norm()) for u in updates]
        found = value(rows, probe="updates", step=10, parameter=name)
        assert found == pytest.approx(sum(ratios) / len(ratios), rel=1e-10)


def test_a_unit_whose_weights_are_zero_can_leave_zero() -> None:
    w = nn.Parameter(torch.zeros(2, 3))
    w.grad = torch.tensor([[3.0, 0.0, 4.0], [0.0, 0.0, 1e-6]])
    Clip("adaptive", 0.1)([w, nn.Parameter(torch.ones(1))])
    expected = torch.tensor([[0.6e-4, 0.0, 0.8e-4], [0.0, 0.0, 1e-6]])
    torch.testing.assert_close(w.grad, expected)


def test_without_clipping_nothing_is_clipped() -> None:
    rows = fit(sequence_learner(Recall()), Recall(), **RUN, probes=[PROBES["clipping"]()])
    at = {"probe": "clipping", "step": 12}
    assert value(rows, **at, quantity="clipped") == 0
    assert value(rows, **at, quantity="kept") == 1
    (over,) = [r for r in rows if r.get("quantity") == "threshold_over_norm" and r["step"] == 12]
    assert over["value"] is None


def test_a_threshold_far_above_leaves_the_gradient_alone() -> None:
    free = fit(sequence_learner(Recall()), Recall(), **RUN)
    for kind in KINDS:
        clip = Clip(kind, 1e6)
        assert fit(sequence_learner(Recall(), clip=clip), Recall(), **RUN) == free


@pytest.mark.parametrize(
    ("kind", "threshold", "says"),
    [("nrom", 1.0, "did you mean 'norm'?"), ("norm", 0.0, "threshold is 0.0")],
)
def test_what_cannot_clip_is_refused(kind: Any, threshold: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Clip(kind, threshold)
