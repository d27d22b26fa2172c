"""What is said to whoever gave a command, and how it ends."""

import json
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

console = Console(stderr=True)
"""For the reader; results go to stdout."""


def say(line: str) -> None:
    """Print a line for the reader, apart from results."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def tell(result: Any) -> None:
    """Print a result for a machine: JSON on stdout, and nothing else there."""
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))


def end(broken: Mapping[str, str], code: int = 0) -> None:
    """Name the studies that were left out, and leave with the exit code."""
    for name, error in broken.items():
        say(f"{name}: left out: {error}")
    if broken or code:
        raise typer.Exit(code or 2)
