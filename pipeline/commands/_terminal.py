"""Messages to the user of a command, results, and the exit."""

import json
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

console = Console(stderr=True)
"""Messages go to stderr, results to stdout."""


def say(line: str) -> None:
    """Print a message, on stderr."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def tell(result: Any) -> None:
    """Print a result as JSON on stdout; nothing else is printed there."""
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))


def end(broken: Mapping[str, str], code: int = 0) -> None:
    """Name the studies that were left out; exit with ``code``, or 2 if there are any."""
    for name, error in broken.items():
        say(f"{name}: left out: {error}")
    if broken or code:
        raise typer.Exit(code or 2)
