"""Rules of the house that a machine can check."""

from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

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


def test_dvc_runs_a_study_again_when_anything_that_it_imports_changes():
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    watched = tuple(stages["run"]["do"]["deps"])
    graph = grimp.build_graph("pipeline", "lightning_modules", cache_dir=None)
    studies = graph.find_descendants("pipeline.studies")
    reached = set().union(*(graph.find_upstream_modules(study) for study in studies))
    assert reached
    for module in sorted(reached):
        path = module.replace(".", "/")
        if module in ("pipeline", "lightning_modules"):
            continue
        covered = any(f"{path}.py" == dep or f"{path}/".startswith(f"{dep}/") for dep in watched)
        assert covered, f"{module} is no dependency of the stage `run` in dvc.yaml"
