"""Every cell, and files of every set of texts, for the tests that hold all of them to something."""

import shutil
from pathlib import Path

import pytest
import torch

from lightning_modules.interfaces import Cell
from tests.cases import CELL_BUILDS, QUICK, CellCase, case_of
from tests.texts import Whole, write_all


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


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a root folder with files of every set of texts and dated series."""
    return write_all(tmp_path_factory.mktemp("stand_ins"))


@pytest.fixture
def whole(stand_ins: Path, tmp_path: Path) -> Whole:
    """Return what copies the files of one of them, to be altered."""
    return lambda name: Path(shutil.copytree(stand_ins / name, tmp_path / name))
