"""The pages that are written by hand: what they show in Python does what it says there."""

import re
import subprocess
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from docs.__main__ import PROBES as TABLE
from docs.__main__ import WRITTEN
from docs.making import missed_table, probes_table
from docs.members import rooms
from docs.usage import Usage
from lightning_modules.probes import PROBES
from lightning_modules.training.watch import watch

ROOT = Path(__file__).parents[1]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
WITH_PYTHON = sorted(
    page
    for page in WRITTEN.rglob("*.md")
    if page.parent.name != "add" and PYTHON.search(page.read_text())
)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: str(page.relative_to(WRITTEN)))
def test_the_blocks_of_a_page_run_one_after_the_other(
    page: Path, capsys: pytest.CaptureFixture[str]
):
    names: dict = {"__name__": page.stem}
    for number, block in enumerate(PYTHON.findall(page.read_text())):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)
    assert capsys.readouterr().out


def test_the_table_of_probes_says_what_watch_takes():
    (of,) = (room for room in rooms() if room.name == "probes")
    table = probes_table(of)
    assert TABLE in (WRITTEN / "watch.md").read_text()
    for name in PROBES:
        (line,) = (line for line in table.splitlines() if f"[`{name}`]" in line)
        layer = torch.nn.GRU(2, 2)
        try:
            with watch(layer, [name]):
                layer(torch.randn(3, 1, 2))[0].sum().backward()
                taken = True
        except (TypeError, ValueError):
            taken = False
        assert ("| yes |" in line) == taken


def _blocks(page: str, kind: str) -> list[str]:
    text = (WRITTEN / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("kind", ["sh", "bash"])
def test_every_block_of_shell_is_shell(kind: str):
    for page in sorted(WRITTEN.rglob("*.md")):
        for block in _blocks(str(page.relative_to(WRITTEN)), kind):
            done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True)
            assert not done.returncode, f"{page}: {done.stderr}"


def test_the_page_on_scaling_out_gives_ray_options_that_it_has():
    from ray.scripts.scripts import cli

    text = (WRITTEN / "scale.md").read_text().replace("\\\n", " ")
    called = re.findall(r"^(?:.*\b(?:srun|=token)\s+)?ray ([a-z-]+)([^#\n]*)", text, re.MULTILINE)
    assert {name for name, _ in called} >= {"start", "stop", "status", "symmetric-run"}
    for name, rest in called:
        assert name in cli.commands, f"ray has no command {name}"
        known = {o for of in ("start", name) for p in cli.commands[of].params for o in p.opts}
        for option in re.findall(r"(?<=\s)(--[a-z-]+)", rest.partition(" -- ")[0]):
            assert option in known, f"ray {name} has no option {option}"


def test_the_page_on_scaling_out_names_the_ray_that_is_pinned():
    (version,) = re.findall(r"^ray==(.*)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    text = (WRITTEN / "scale.md").read_text()
    assert f"rayproject/ray:{version}-py311" in text
    (described,) = (
        of for of in map(YAML(typ="safe").load, _blocks("scale.md", "yaml")) if "kind" in of
    )
    assert described["spec"]["rayVersion"] == version
    settings = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    (shown,) = (
        of for of in map(YAML(typ="safe").load, _blocks("scale.md", "yaml")) if "dispatch" in of
    )
    assert shown["dispatch"] == settings["dispatch"]


def test_the_log_names_commits_of_their_day_and_all_that_was_missed():
    text = (WRITTEN / "log.md").read_text(encoding="utf-8")
    days = re.split(r"^## (\d{4}-\d\d-\d\d)$", text, flags=re.MULTILINE)
    if not (ROOT / ".git").exists() or (ROOT / ".git" / "shallow").exists():
        pytest.skip("the history is not here")
    for day, entries in zip(days[1::2], days[2::2], strict=True):
        named = re.findall(r"`([0-9a-f]{7})`", entries)
        assert named
        dates = [
            subprocess.run(
                ["git", "log", "-1", "--format=%as", commit],
                cwd=ROOT, capture_output=True, text=True, check=True,
            ).stdout.strip()
            for commit in named
        ]  # fmt: skip
        assert max(dates) == day
    shown = missed_table(usage := Usage(ROOT))
    for name, left in usage.left.items():
        if left:
            assert shown.count(f"[{name}]") == left.summary["claims"]["missed"]
