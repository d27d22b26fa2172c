"""Git and DVC: whether `dvc repro` finds its repository and this environment's Python."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.health._finding import Finding

ACTIVATE = "source .venv/bin/activate, or go by make"


def examine() -> Iterator[Finding]:
    """Ask git and DVC for their root, from the current folder."""
    git = _answer(["git", "rev-parse", "--show-toplevel"]) if shutil.which("git") else ""
    told = "git: " + (git or "no repository here, which adopt and dvc exp need")
    yield Finding(told)
    python = shutil.which("python")
    if python is None or Path(python).parent != Path(sys.executable).parent:
        yield Finding(f"dvc: its stages call python, which is {python or 'not there'}", ACTIVATE)
    dvc = _answer([sys.executable, "-m", "dvc", "root"])
    if dvc:
        yield Finding("dvc: finds its repository")
    else:
        do = (
            "dvc config --local --unset core.no_scm"
            if git
            else "dvc config --local core.no_scm true"
        )
        there = Path(".dvc").is_dir()
        yield Finding("dvc: finds no repository here", do if there else "go where params.yaml lies")


def _answer(command: list[str]) -> str:
    """Return what a command prints; empty if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
