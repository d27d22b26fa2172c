"""Rules of the house that a machine can check."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for folder in ("lightning_modules", "pipeline", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_200_lines(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 200


def test_exact_versions_name_no_local_build():
    pinned = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert pinned
    for line in pinned:
        name, _, version = line.partition("==")
        assert name
        assert version
        assert "+" not in version, f"{line}: a local label installs nowhere else"
