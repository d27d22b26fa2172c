"""Gradients scale with what is asked of them, over all that a type holds, on every cell.

Errors times 2^k give 2^k times the gradient, bit for bit; errors times 10^k to rounding. A new
algorithm or cell is in it by its file.
"""

import math

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.algorithms._noise import balance
from lightning_modules.interfaces import Cell
from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.norms import norm
from lightning_modules.rules.classical_backpropagation import ClassicalBackpropagation
from lightning_modules.rules.perceptron_rule import PerceptronRule
from pipeline.measuring.gradients import compare
from tests.cases import CELL_CASES, INPUTS
from tests.rules import applies

STEPS, BATCH = 5, 2
ENDS = {torch.float64: (-300, 300), torch.float32: (-28, 34)}
"""Powers of ten, beyond which the gradients' own entries leave the type."""


def _gradient(name: str, cell: Cell, scale: float) -> Tensor:
    """Return the algorithm's gradient of errors times ``scale``, over two runs of a stream."""
    torch.manual_seed(1)
    dtype = next(cell.parameters()).dtype
    x_TBI = torch.randn(STEPS, BATCH, INPUTS).to(dtype)
    c_TBS = (torch.randn(STEPS, BATCH, cell.state_size).to(dtype) * scale).to(dtype)
    resets_TB = torch.zeros(STEPS, BATCH, dtype=torch.bool)
    resets_TB[2, 0] = True
    s_BS, memory, total_P = c_TBS.new_zeros(BATCH, cell.state_size), None, 0.0
    rule = ALGORITHMS[name]()
    for part in (slice(0, 3), slice(3, STEPS)):
        c_PBS = c_TBS[part]
        run = rule.run(cell, x_TBI[part], s_BS, lambda t, _: c_PBS[t], memory, resets_TB[part])  # noqa: B023
        s_BS, memory, total_P = run.state_BS, run.memory, total_P + run.gradient_P
    assert isinstance(total_P, Tensor)
    return total_P


@pytest.mark.parametrize("dtype", ENDS, ids=str)
@pytest.mark.parametrize("kind", CELL_CASES)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_gradient_scales_with_its_errors(name: str, kind: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    cell = CELL_CASES[kind].build().to(dtype)
    with applies(name, CELL_CASES[kind]):
        plain_P = _gradient(name, cell, 1.0)
        for power in ENDS[dtype]:
            two = 2.0 ** round(power * math.log2(10))
            assert torch.equal(_gradient(name, cell, two), plain_P * two)
        ten = 10.0 ** ENDS[dtype][0]
        off_P = _gradient(name, cell, ten).double() / ten - plain_P.double()
        assert norm(off_P) <= 64 * torch.finfo(dtype).eps * norm(plain_P.double())


@pytest.mark.parametrize("over", [1e-37, 1e-25, 1.0, 1e37])
@pytest.mark.parametrize("under", [1e-37, 1e-25, 1.0, 1e37])
def test_two_factors_are_balanced_at_any_size(over: float, under: float) -> None:
    (r,), (of_r,) = balance(torch.tensor([over]), torch.tensor([under]))
    assert float(r * of_r) == pytest.approx(1, rel=1e-6)
    assert float(r) * under == pytest.approx(float(of_r) * over, rel=1e-6, abs=0)


@pytest.mark.parametrize(("over", "under"), [(1e-45, 3e38), (3e38, 1e-45), (math.inf, 1.0)])
def test_a_factor_is_never_lost_to_the_other(over: float, under: float) -> None:
    r, of_r = balance(torch.tensor(over), torch.tensor(under))
    assert float(r * of_r) == 1
    assert [v.item() for v in balance(torch.tensor(0.0), torch.tensor(over))] == [0, 0]


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_gradients_of_any_size_are_compared(scale: float) -> None:
    a_P, b_P = torch.tensor([1.0, 0.0]).double(), torch.tensor([3.0, 4.0]).double()
    plain, found = compare(a_P, b_P), compare(a_P * scale, b_P * scale)
    assert found == pytest.approx(plain, rel=1e-12)
    assert compare(a_P * scale, b_P)["cosine"] == pytest.approx(0.6)


@pytest.mark.parametrize("scale", [2.0**-90, 2.0**90])
def test_a_rule_says_how_far_weights_moved_at_any_size(scale: float) -> None:
    x_NI, t_NO = torch.tensor([[3.0, 4.0]]), torch.ones(1, 1)
    network = Perceptron(2, 1)
    for w in network.parameters():
        nn.init.zeros_(w)
    moved = PerceptronRule(rate=1.0).learn(network, x_NI * scale, t_NO).moved
    assert moved == pytest.approx(math.hypot(5 * scale, 1), rel=1e-6)
    still = ClassicalBackpropagation(rate=1.0, still=scale / 2)
    layer = nn.Linear(2, 1)
    still._course.before = [w.detach() - scale for w in (torch.zeros(1, 2), torch.zeros(1))]
    for w in layer.parameters():
        nn.init.zeros_(w)
    assert still._moved(layer) == pytest.approx(math.sqrt(3) * scale, rel=1e-6)
