"""What a project is used to: changes, citation, hooks and templates say what is so."""

import re
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
HOOKS = YAML(typ="safe").load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_one_version_stands_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == version
    newest = re.search(r"^## (\S+) · ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest.group(1) == version


def test_changes_are_dated_newest_first():
    days = re.findall(r"^### (\d+) November 2026$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert days
    assert days == sorted(days, key=int, reverse=True)


def test_a_citation_has_what_the_format_asks_for():
    citation = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "license", "type"} <= citation.keys()
    assert all("name" in author for author in citation["authors"])


def test_hooks_are_what_make_check_runs_and_fetch_nothing():
    made = (ROOT / "Makefile").read_text()
    (recipe,) = re.findall(r"^check: .*\n((?:\t.*\n)+)", made, re.MULTILINE)
    checks = [line.strip() for line in recipe.splitlines() if "@" not in line]
    (local,) = HOOKS
    assert local["repo"] == "local"
    assert all(hook["language"] == "system" for hook in local["hooks"])
    entries = [hook["entry"].removesuffix(" --force-exclude") for hook in local["hooks"]]
    # The service that knows vulnerabilities is asked by make and CI alone.
    wanted = [check.removesuffix(" .") for check in checks if "audit" not in check]
    assert sorted(entries) == sorted(wanted)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_of_an_issue_can_be_read_and_asks_for_something(path: Path):
    template = YAML(typ="safe").load(path.read_text())
    if path.stem != "config":
        assert template["name"]
        assert all(field["attributes"]["label"] for field in template["body"])


def test_every_command_that_templates_and_contributing_name_is_there():
    from pipeline.commands import COMMANDS

    files = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", ROOT / "CHANGELOG.md", *TEMPLATES]
    files.append(ROOT / ".github" / "pull_request_template.md")
    named = {
        name
        for file in files
        for name in re.findall(r"(?<!Usage: )python -m pipeline ([a-z-]+)", file.read_text())
    }
    assert named - {name.replace("_", "-") for name in COMMANDS} == set()
    assert "doctor" in named


def test_contributing_maps_four_fields_onto_nouns_that_are_rooms():
    from pipeline.rooms import rooms

    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("## The words of four fields")[2].partition("## ")[0]
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    assert all(len(line) == 5 for line in lines if "---" not in line[0])
    nouns = {line[0] for line in lines}
    for room in ("cells", "algorithms", "networks", "probes", "rules", "starts", "tasks", "maps"):
        assert room in rooms()
        assert room.removesuffix("s") in nouns
