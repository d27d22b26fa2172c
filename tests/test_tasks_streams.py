"""What the streams without end ask for, and what is reached by whom."""

import math

import pytest
import torch
from torch import Tensor

from lightning_modules.interfaces import Batch, Task
from pipeline.tasks._stream import BLOCK
from pipeline.tasks.anbn import NEWLINE, AnBn
from pipeline.tasks.lagged_sum import LaggedSum
from pipeline.tasks.mimic import Mimic


def steps(task: Task, batches: int) -> Batch:
    """Return the first batches as one."""
    return Batch(*map(torch.cat, zip(*(task.batch(i) for i in range(batches)), strict=True)))


def spelled(symbol_N: Tensor) -> str:
    """Return symbols as text."""
    return "".join("ab\n"[symbol] for symbol in symbol_N)


def test_anbn_is_runs_of_as_many_b_as_a_on_lines_of_their_own():
    seen = steps(AnBn(0, 2, length=500, held_out_size=5), 20)
    assert torch.equal(seen.y_TB[:-1], seen.x_TBI[1:].argmax(dim=-1))
    for lane in range(2):
        lines = spelled(seen.x_TBI[:, lane].argmax(dim=-1)).split("\n")[:-1]
        runs = [(a, b) for a, b in zip(lines[::2], lines[1::2], strict=False)]
        assert all(set(a) == {"a"} and b == "b" * len(a) for a, b in runs)
        assert {len(a) for a, _ in runs} == set(range(1, 33))
    assert seen.mask_TB.all()
    assert seen.resets_TB[0].all()
    assert not seen.resets_TB[1:].any()


def test_anbn_has_a_floor_of_a_seventh_of_a_bit_a_character_and_its_text_reaches_it():
    task = AnBn(1, 4, length=5_000, held_out_size=50_000)
    assert round(task.floor_loss / math.log(2), 4) == 0.1429
    y_TB = torch.cat([b.y_TB for b in task.held_out()])
    strings = float((y_TB == NEWLINE).sum()) / 2
    per_character = strings * math.log(32) / y_TB.numel()
    # The standard error of a mean length: 2 times that of n, whose variance is (32² - 1) / 12.
    standard_error = 2 * ((32**2 - 1) / 12 / strings) ** 0.5 / 35 * task.floor_loss
    assert abs(per_character - task.floor_loss) < 4 * standard_error
    shares = y_TB.flatten().bincount() / y_TB.numel()
    assert abs(float(-(shares * shares.log()).sum()) - task.chance_loss) < 0.01


def test_anbn_goes_on_with_a_new_string_where_its_ring_joins():
    task = AnBn(0, 1, length=1, held_out_size=1, longest=2)
    text = spelled(steps(task, 16_000).x_TBI[:, 0].argmax(dim=-1))
    size = next(n for n in range(12_000, 16_000) if text[n:] == text[: 16_000 - n])
    assert text[:size].count("\n") == 6_000
    assert text[size - 2 : size + 1] == "b\na"


@pytest.mark.parametrize("length", [7, 4 * BLOCK // 3])
def test_lagged_sum_weighs_inputs_of_6_and_10_steps_ago_across_batches_and_blocks(length: int):
    seen = steps(LaggedSum(0, 3, length, held_out_size=5), 1 + 2 * BLOCK // length)
    x_TB = seen.x_TBI[..., 0]
    assert torch.equal(seen.x_TBI[..., 1], 1 - x_TB)
    assert set(x_TB.unique().tolist()) == {0.0, 1.0}
    before_TB = torch.cat([torch.zeros(10, 3), x_TB])
    expected_TB = 0.5 + 0.5 * before_TB[4:-6] - 0.25 * before_TB[:-10]
    assert torch.equal(seen.y_TB[..., 0], expected_TB)
    assert seen.resets_TB[0].all()
    assert not seen.resets_TB[1:].any()


def test_lagged_sum_costs_what_is_said_without_memory_and_with_one_lag_only():
    seen = steps(LaggedSum(3, 4, 5_000, held_out_size=5), 4)
    first_TB, y_TB = seen.x_TBI[4:-6, :, 0], seen.y_TB[10:, :, 0]
    # y is 0.25, 0.5, 0.75 or 1 at even odds; its neighbours share no more than two inputs.
    error_N = (y_TB - 0.625).square().flatten()
    standard_error = (2 * error_N.var() / len(error_N)) ** 0.5
    assert abs(error_N.mean() - LaggedSum.chance_loss) < 4 * standard_error
    one_lag_N = (y_TB - 0.375 - 0.5 * first_TB).square().flatten()
    assert (one_lag_N == 0.25**2 / 4).all()
    assert LaggedSum.chance_loss == 0.078125
    assert LaggedSum.floor_loss == 0


def test_mimic_wants_the_outputs_of_one_tanh_network_started_anew_at_each_reset():
    task = Mimic(2, 3, length=700, held_out_size=5, units=6, input_size=4, output_size=5)
    seen = steps(task, 10)
    assert seen.resets_TB.nonzero()[:, 0].unique().tolist() == [0, BLOCK]
    W_HH, U_HI, V_OH = (torch.from_numpy(w) for w in (task._W_HH, task._U_HI, task._V_OH))
    torch.testing.assert_close(W_HH @ W_HH.T, torch.eye(6).double())
    h_BH, keep_TB1 = torch.zeros(3, 6).double(), ~seen.resets_TB.unsqueeze(-1)
    for x_BI, y_BO, keep_B1 in zip(seen.x_TBI.double(), seen.y_TB, keep_TB1, strict=True):
        h_BH = torch.tanh(keep_B1 * h_BH @ W_HH.T + x_BI @ U_HI.T)
        torch.testing.assert_close(h_BH @ V_OH.T, y_BO.double(), atol=1e-4, rtol=0)


def test_mimic_has_standard_normal_inputs_and_outputs_of_variance_1():
    task = Mimic(0, 8, length=1_000, held_out_size=5_000)
    batches = list(task.held_out())
    x_TBI, y_TBO = torch.cat([b.x_TBI for b in batches]), torch.cat([b.y_TB for b in batches])
    assert x_TBI.shape == y_TBO.shape == (5_000, 8, 32)
    for values in (x_TBI, y_TBO):
        torch.testing.assert_close(values.mean(dim=(0, 1)), torch.zeros(32), atol=0.03, rtol=0)
        torch.testing.assert_close(values.std(dim=(0, 1)), torch.ones(32), atol=0.03, rtol=0)
    assert abs(y_TBO.square().mean() - Mimic.chance_loss) < 0.01


def test_mimic_needs_a_memory_as_its_inputs_alone_leave_much_of_the_outputs_open():
    batch = Mimic(0, 8, length=5_000, held_out_size=5).batch(0)
    x_NI, y_NO = batch.x_TBI.flatten(0, 1), batch.y_TB.flatten(0, 1)
    error_NO = y_NO - x_NI @ torch.linalg.lstsq(x_NI, y_NO).solution
    assert 0.2 < error_NO.square().mean() < 0.9


@pytest.mark.parametrize("make", [AnBn, LaggedSum, Mimic])
def test_the_held_out_stream_and_every_lane_have_numbers_of_their_own(make: type[Task]):
    task = make(0, 3, length=400, held_out_size=400)  # pyright: ignore[reportCallIssue]
    train, held_out = task.batch(0).x_TBI, next(iter(task.held_out())).x_TBI
    lanes = torch.cat([train, held_out], dim=1).transpose(0, 1).flatten(1)
    assert (torch.cdist(lanes, lanes).fill_diagonal_(9) > 1).all()
