"""What counts, or does linear algebra, on weights of which only eight bits tell them apart."""

import pytest
import torch

from lightning_modules.algorithms._units import units_of
from lightning_modules.cells import CELLS
from lightning_modules.cells.srn import SRN
from lightning_modules.probes.spectrum import lyapunov
from lightning_modules.starts.orthogonal import Orthogonal


@pytest.mark.parametrize("name", ["srn", "gru", "lstm"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_units_are_counted_beyond_the_whole_numbers_of_the_type(
    name: str, dtype: torch.dtype
) -> None:
    cell = CELLS[name](3, 300)
    expected = units_of(cell, torch.zeros(()))
    found = units_of(cell.to(dtype), torch.zeros((), dtype=dtype))
    assert next(cell.parameters()).dtype == dtype
    assert torch.equal(found.row_P, expected.row_P)
    assert torch.equal(found.column_P, expected.column_P)
    assert torch.equal(found.of_h_ZH, expected.of_h_ZH)


def test_an_orthogonal_start_is_that_of_float32_rounded() -> None:
    cells = [SRN(2, 16), SRN(2, 16).bfloat16()]
    for cell in cells:
        torch.manual_seed(0)
        Orthogonal(1.5).apply(cell)
    assert torch.equal(cells[1].W, cells[0].W.bfloat16())


def test_exponents_of_bfloat16_jacobians_are_worked_out_in_float32() -> None:
    j_TBSS = (0.5 * torch.eye(3)).expand(12, 2, 3, 3)
    for dtype in (torch.float32, torch.bfloat16):
        assert lyapunov(j_TBSS.to(dtype), 2).tolist() == pytest.approx([-0.6931472] * 2)
