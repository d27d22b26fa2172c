"""The folder for temporary checkpoints is one's own."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pipeline.running import worker


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_is_named_after_the_user_and_closed_to_others(temporary: Path) -> None:
    folder = worker._own()
    assert folder == temporary / f"gradient-dynamics-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert worker._own() == folder, "another trial of the same user finds it"


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file", "another user's"])
def test_a_folder_that_others_could_plant_something_in_is_not_used(
    kind: Any, temporary: Path, monkeypatch: Any
) -> None:
    place = temporary / f"gradient-dynamics-{os.getuid()}"
    if kind == "a file":
        place.touch()
    elif kind == "a link":
        place.symlink_to(temporary)
    else:
        place.mkdir()
        place.chmod(0o777 if kind == "open to others" else 0o755)
    if kind == "another user's":
        another = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: another)
        place.rename(temporary / f"gradient-dynamics-{os.getuid()}")
    folder = worker._own()
    assert folder.parent == temporary
    assert folder.name not in (place.name, f"gradient-dynamics-{os.getuid()}")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
