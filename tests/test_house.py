"""Rules of the house that a machine can check."""

import ast
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
LONG, WHY = 300, "Above 300 lines because"
HELD_AT_EVERY_SCALE = [
    ROOT / folder
    for folder in (
        *(
            f"lightning_modules/{of}"
            for of in ("probes", "algorithms", "training", "rules", "cells")
        ),
        "pipeline/measuring",
    )
]
RAW_NORMS = {"norm", "vector_norm", "matrix_norm", "cosine_similarity", "clip_grad_norm_"}
"""Functions and methods of torch whose squares leave the type before what they tell does."""
ALLOWED = {
    # The loss itself.
    "lightning_modules/rules/classical_backpropagation.py": {"square().sum"},
    # Each asks whether what it found lies in the band (`band`), where squares are numbers of the
    # type, and lifts or scales what does not: norms.norm would look at every step.
    "lightning_modules/algorithms/_block.py": {"vector_norm"},
    "lightning_modules/algorithms/_lifts.py": {"vector_norm"},
    "lightning_modules/algorithms/_reach.py": {"vector_norm", "square().sum"},
}
"""Files that may, and what."""


def test_a_file_above_300_lines_says_why():
    unexplained = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        doc = ast.get_docstring(ast.parse(text)) or ""
        if len(text.splitlines()) > LONG and WHY not in " ".join(doc.split()):
            unexplained.append(str(path.relative_to(ROOT)))
    assert not unexplained, f"above {LONG} lines the docstring says: {WHY} …"


def _raw_norms(tree: ast.AST) -> set[str]:
    """Return the raw norms that a module calls or imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module != "lightning_modules.norms":
            found |= {alias.name for alias in node.names} & RAW_NORMS
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in RAW_NORMS:
            found.add(node.func.attr)
        if ast.unparse(node.func).endswith(".square().sum"):
            found.add("square().sum")
    return found


def test_norms_are_taken_by_the_one_helper_that_holds_at_every_scale():
    for path in SOURCES:
        if not any(path.is_relative_to(folder) for folder in HELD_AT_EVERY_SCALE):
            continue
        name = str(path.relative_to(ROOT))
        found = _raw_norms(ast.parse(path.read_text(encoding="utf-8")))
        assert found == ALLOWED.get(name, set()), f"{name}: use lightning_modules/norms.py"


@pytest.mark.parametrize(
    "line",
    [
        "v.norm(dim=-1)",
        "torch.norm(v)",
        "torch.linalg.vector_norm(v)",
        "from torch.linalg import matrix_norm",
        "torch.cosine_similarity(a, b)",
        "nn.functional.cosine_similarity(a, b)",
        "v.square().sum(1)",
    ],
)
def test_a_raw_norm_is_found_in_any_form(line: str):
    assert _raw_norms(ast.parse(line))
    assert not _raw_norms(ast.parse("from lightning_modules.norms import norm\nnorm(v)"))


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


def _stage(name: str) -> dict:
    return YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"][name]


@pytest.mark.parametrize(
    ("stage", "below"),
    [("run", "pipeline.studies"), ("report", "pipeline.studies"), ("report", "pipeline.reporting")],
)
def test_dvc_runs_again_when_anything_that_a_study_or_a_page_imports_changes(
    stage: str, below: str
):
    watched = tuple(_stage(stage)["deps"])
    graph = grimp.build_graph("pipeline", "lightning_modules", cache_dir=None)
    members = graph.find_descendants(below)
    reached = set().union(*(graph.find_upstream_modules(member) for member in members))
    assert reached
    # What a page shows follows from the journals: the code that filled them is no part of it.
    apart = ("pipeline.running", "pipeline.params", "lightning_modules", "pipeline.data",
             "pipeline.tasks", "pipeline.errors") if stage == "report" else ()  # fmt: skip
    for module in sorted(reached - {"pipeline", "lightning_modules"}):
        if module.startswith(apart):
            continue
        path = module.replace(".", "/")
        covered = any(f"{path}.py" == dep or f"{path}/".startswith(f"{dep}/") for dep in watched)
        assert covered, f"{module} is no dependency of the stage `{stage}` in dvc.yaml"
