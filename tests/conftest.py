"""Every cell, for the tests that hold all of them to something."""

import pytest
import torch

from lightning_modules.interfaces import Cell
from tests.cases import CELL_BUILDS, QUICK, CellCase, case_of


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Let no test's numbers hang on which tests its worker ran before."""
    torch.manual_seed(0)


@pytest.fixture(params=QUICK)
def cell_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def cell(cell_name: str) -> Cell:
    torch.manual_seed(0)
    return CELL_BUILDS[cell_name]()


@pytest.fixture
def case(cell_name: str) -> CellCase:
    return case_of(cell_name)
