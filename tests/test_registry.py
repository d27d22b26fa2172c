"""The folder is the registry."""

import importlib
import pathlib
import sys

import pytest

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Algorithm, Claim
from lightning_modules.registry import UnknownNameError, discover, lookups, nearest


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A package of modules with classes of their own."""
    package = tmp_path / "shelf"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [m for m in sys.modules if m.split(".")[0] == "shelf"]:
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    return package


def _class(*names: str) -> str:
    lines = [f"class {name}(nn.Module): pass" for name in names]
    return "\n".join(["from torch import nn", *lines])


def test_a_file_is_found_by_its_name_alone(folder: pathlib.Path) -> None:
    (folder / "one.py").write_text(_class("One", "_Helper"))
    (folder / "_hidden.py").write_text("raise ImportError")
    found = discover("shelf", [str(folder)], "torch.nn:Module")
    assert list(found) == ["one"]
    assert len(found) == 1
    assert found["one"].__name__ == "One"


def test_nothing_is_imported_before_it_is_looked_up(folder: pathlib.Path) -> None:
    (folder / "broken.py").write_text("raise ImportError('looked up')")
    found = discover("shelf", [str(folder)], "torch.nn:Module")
    assert "broken" in found
    with pytest.raises(ImportError, match="looked up"):
        found["broken"]


@pytest.mark.parametrize("names", [(), ("One", "Two")])
def test_a_file_must_define_one_public_class(folder: pathlib.Path, names: tuple[str, ...]) -> None:
    (folder / "wrong.py").write_text(_class(*names))
    with pytest.raises(TypeError, match=r"shelf.wrong must define one Module"):
        discover("shelf", [str(folder)], "torch.nn:Module")["wrong"]


def test_an_unknown_name_says_what_is_allowed_the_nearest_first() -> None:
    with pytest.raises(UnknownNameError) as unknown:
        CELLS["ltsm"]
    said = str(unknown.value)
    assert "\n" not in said
    assert "did you mean 'lstm'?" in said
    assert ", ".join(CELLS) in said


def test_no_name_is_suggested_where_none_is_near() -> None:
    assert nearest("zzz", ["gru", "srn"]) == "allowed: gru, srn"


def test_a_watch_sees_what_is_looked_up_while_it_runs() -> None:
    CELLS["gru"]
    with lookups() as seen:
        CELLS["srn"]
        with lookups() as inner:
            ALGORITHMS["bptt"]
    assert seen == {"lightning_modules.cells.srn"}
    assert inner == {"lightning_modules.algorithms.bptt"}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_builds_without_arguments_and_claims_something(name: str) -> None:
    algorithm = ALGORITHMS[name]()
    assert isinstance(algorithm, Algorithm)
    assert isinstance(algorithm.claim, Claim)
