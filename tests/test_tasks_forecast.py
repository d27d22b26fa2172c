"""What the series are that are forecast, and in which order they are read."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.interfaces import Batch, Task
from pipeline.tasks import TASKS
from pipeline.tasks._forecast import LAP
from pipeline.tasks.henon import Henon
from pipeline.tasks.sunspots import Sunspots
from tests.toy import series

SIMULATED = ["henon", "mackey_glass", "lorenz"]
LENGTH = 1_000


@cache
def simulated(name: str) -> Any:
    """Return a task of three lanes whose laps are 20 batches."""
    return TASKS[name](seed=5, batch_size=3, length=LENGTH, held_out_size=LAP)


def joined(batches: list[Batch]) -> Batch:
    """Return batches as one."""
    return Batch(*map(torch.cat, zip(*batches, strict=True)))


def lap(task: Task) -> Batch:
    """Return the first lap of a simulated task."""
    return joined([task.batch(i) for i in range(LAP // LENGTH)])


def unscaled(name: str) -> Tensor:
    """Return the values of the first lap before they were scaled, (N, B)."""
    task = simulated(name)
    return lap(task).x_TBI[..., 0].double() * task.deviation_B + task.mean_B


@pytest.mark.parametrize("name", SIMULATED)
def test_a_target_is_the_next_value_of_a_series_of_mean_0_and_variance_1(name: str):
    seen = lap(simulated(name))
    assert torch.equal(seen.y_TB[:-1], seen.x_TBI[1:])
    assert seen.mask_TB.all()
    for x_TB in (seen.x_TBI[..., 0], joined(list(simulated(name).held_out())).x_TBI[..., 0]):
        torch.testing.assert_close(x_TB.mean(dim=0), torch.zeros(3), atol=2e-4, rtol=0)
        torch.testing.assert_close(x_TB.std(dim=0), torch.ones(3), atol=2e-4, rtol=0)


@pytest.mark.parametrize("name", SIMULATED)
def test_lanes_and_the_held_out_stream_are_series_of_their_own(name: str):
    train_TB = simulated(name).batch(0).x_TBI[..., 0]
    held_out_TB = next(iter(simulated(name).held_out())).x_TBI[..., 0]
    lanes = torch.cat([train_TB, held_out_TB], dim=1).T
    assert (torch.cdist(lanes, lanes).fill_diagonal_(9) > 1).all()


@pytest.mark.parametrize("name", SIMULATED)
def test_the_state_is_reset_every_200_steps_and_the_lap_starts_over_with_a_reset(name: str):
    task = simulated(name)
    seen = lap(task)
    at_T = torch.arange(LAP)
    assert torch.equal(seen.resets_TB, (at_T % 200 == 0)[:, None].expand(-1, 3))
    again = task.batch(LAP // LENGTH)
    assert torch.equal(again.x_TBI, seen.x_TBI[:LENGTH])
    assert again.resets_TB[0].all()


def test_without_resets_a_stream_is_reset_at_the_beginning_of_a_lap_alone():
    task = Henon(0, 2, length=700, held_out_size=5, reset_every=None)
    resets_TB = joined([task.batch(i) for i in range(60)]).resets_TB
    assert resets_TB.nonzero()[:, 0].unique().tolist() == [0, 20_000, 40_000]
    assert resets_TB.sum() == 6


def test_henon_follows_its_map_in_which_two_values_determine_the_next():
    x_NB = unscaled("henon")
    next_NB = 1 - 1.4 * x_NB[1:-1] ** 2 + 0.3 * x_NB[:-2]
    torch.testing.assert_close(x_NB[2:], next_NB, atol=2e-6, rtol=0)


def test_mackey_glass_obeys_its_delay_equation_and_stays_between_two_tenths_and_1_4():
    x_NB = unscaled("mackey_glass")
    now_NB, delayed_NB = x_NB[17:-1], x_NB[:-18]
    next_NB = now_NB + 0.2 * delayed_NB / (1 + delayed_NB**10) - 0.1 * now_NB
    torch.testing.assert_close(x_NB[18:], next_NB, atol=2e-6, rtol=0)
    assert 0.2 < x_NB.min() < 0.6
    assert 1.1 < x_NB.max() < 1.4


def test_lorenz_is_bounded_and_visits_both_lobes_again_and_again():
    x_NB = unscaled("lorenz")
    assert 15 < x_NB.abs().max() < 25
    assert ((x_NB > 8).double().mean(dim=0) > 0.1).all()
    assert ((x_NB < -8).double().mean(dim=0) > 0.1).all()
    assert ((x_NB[1:] * x_NB[:-1] < 0).sum(dim=0) > 100).all()
    # Two steps of 0.01 at the speed of the fastest passages: no point is skipped.
    assert (x_NB[1:] - x_NB[:-1]).abs().max() < 8


def test_sunspots_are_scaled_by_their_training_part_alone():
    whole, task = series(), Sunspots(series(), 1, 3, length=269, held_out_size=100)
    mean, deviation = whole.train_N.mean(), whole.train_N.std()
    seen_TB = task.batch(0).x_TBI[..., 0].double() * deviation + mean
    held_out_T = joined(list(task.held_out())).x_TBI[:, 0, 0].double() * deviation + mean
    for lane_T in seen_TB.T:
        torch.testing.assert_close(lane_T.sort().values, whole.train_N[:-1], atol=1e-4, rtol=0)
    torch.testing.assert_close(held_out_T, whole.held_out_N[:-1], atol=1e-4, rtol=0)


def test_lanes_of_sunspots_read_one_ring_from_places_at_equal_distances():
    task = Sunspots(series(), 1, 3, length=100, held_out_size=20, reset_every=None)
    at_TB = joined([task.batch(i) for i in range(4)]).x_TBI[..., 0] * task.deviation_B
    at_TB = (at_TB + task.mean_B).round().long()
    assert ((at_TB[0, 1:] - at_TB[0, :-1]) % 269).tolist() == [89, 89]
    assert (((at_TB[1:] - at_TB[:-1]) % 269) == 1).all()
    other = Sunspots(series(), 2, 3, length=100, held_out_size=20)
    assert not torch.equal(other.batch(0).x_TBI, task.batch(0).x_TBI)


def test_sunspots_are_reset_where_the_ring_joins_and_no_target_lies_across():
    task = Sunspots(series(), 1, 3, length=400, held_out_size=20, reset_every=None)
    batch = task.batch(0)
    step_TB = (batch.y_TB - batch.x_TBI)[..., 0] * task.deviation_B
    torch.testing.assert_close(step_TB, torch.ones_like(step_TB), atol=1e-4, rtol=0)
    falls_TB = batch.x_TBI[1:, :, 0] < batch.x_TBI[:-1, :, 0]
    assert torch.equal(falls_TB, batch.resets_TB[1:])
    assert falls_TB.any()


def test_more_steps_than_a_series_holds_out_are_refused_but_of_a_stand_in() -> None:
    embedded = series()
    measured = replace(embedded, provenance=replace(embedded.provenance, embedded=False))
    there = len(embedded.held_out_N) - 1
    with pytest.raises(ValueError, match=rf"^held_out_size is {there + 1}: .* has {there} steps"):
        Sunspots(measured, 1, 3, length=100, held_out_size=there + 1)
    task = Sunspots(embedded, 1, 3, length=100, held_out_size=there + 1)
    assert sum(len(batch.x_TBI) for batch in task.held_out()) == there
    with pytest.raises(ValueError, match=r"^held_out_size is 20001: there are 20000 steps"):
        Henon(0, 2, length=700, held_out_size=LAP + 1)
