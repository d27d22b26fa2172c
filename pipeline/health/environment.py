"""Python and its packages, beside what the project asks for."""

import importlib.metadata
import platform
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.health._finding import Finding

PROJECT = Path(__file__).parents[2]
INSTALL = "python -m pip install -c constraints.txt -e '.[dev]'"
MOST = 5
"""The most packages that one line names."""


def examine() -> Iterator[Finding]:
    """Compare the interpreter with pyproject.toml, the packages with constraints.txt."""
    declared = PROJECT / "pyproject.toml"
    if not declared.exists():
        yield Finding(f"Python {platform.python_version()}; {declared} is not there to compare")
        return
    project = tomllib.loads(declared.read_text(encoding="utf-8"))["project"]
    oldest = tuple(int(n) for n in re.findall(r"\d+", project["requires-python"]))
    do = "" if sys.version_info >= oldest else f"make .venv anew by {project['requires-python']}"
    yield Finding(f"Python {platform.python_version()} at {sys.prefix}", do)
    names = [re.split(r"[\[<>=! ]", each)[0] for each in project["dependencies"]]
    yield from _compared(names, _pinned(PROJECT / "constraints.txt"))


def _pinned(file: Path) -> Mapping[str, str]:
    """Return the exact version of each package, by its normalised name."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "==" in line]
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {_one(name): version for name, version in pairs}


def _compared(needed: list[str], pinned: Mapping[str, str]) -> Iterator[Finding]:
    """Say which packages are missing, and which differ from the pinned versions."""
    held: dict[str, str] = {}
    for package in importlib.metadata.distributions():
        # Of two on the path, the first is imported; a local label (+cpu) makes no other version.
        held.setdefault(_one(package.name), package.version.partition("+")[0])
    missing = [name for name in needed if _one(name) not in held]
    if missing:
        yield Finding(f"not installed: {_few(missing)}", INSTALL)
    others = [f"{n} {held[n]} ({v})" for n, v in pinned.items() if held.get(n, v) != v]
    if others:
        yield Finding(
            f"others than constraints.txt has, which stand behind: {_few(others)}", INSTALL
        )
    if not (missing or others):
        yield Finding(f"{len(held.keys() & pinned.keys())} packages as in constraints.txt")


def _few(names: list[str]) -> str:
    """Return the first MOST names, and how many more there are."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def _one(name: str) -> str:
    """Return a package's normalised name, one for all of its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()
