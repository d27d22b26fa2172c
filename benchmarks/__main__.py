"""python -m benchmarks [NAME] [--json] [--with KEY=VALUE]: run one of the modules beside this file.

Each has a function ``run``, which returns rows, a flat dict each; ``--with`` gives it other
arguments. Without a name all benchmarks are run, one after the other.
"""

import ast
import importlib
import inspect
import json
import pathlib
import pkgutil
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, get_args

import rich
import typer
from rich.markup import escape
from rich.table import Table

from lightning_modules.registry import UnknownNameError, nearest

Row = dict[str, Any]
ABREAST = 5
"""How many rows a table shows side by side: more would not fit a terminal."""
NAMES = sorted(
    m.name for m in pkgutil.iter_modules([str(pathlib.Path(__file__).parent)]) if m.name[0] != "_"
)


def main(
    name: Annotated[str | None, typer.Argument(help=" | ".join(NAMES))] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    given: Annotated[
        list[str] | None, typer.Option("--with", metavar="KEY=VALUE", help="An argument.")
    ] = None,
) -> None:
    """Measure speed and memory beside peers and floors; without a name, all, one by one."""
    if name is not None and name not in NAMES:
        _refuse(f"benchmark {name!r} is unknown: {nearest(name, NAMES)}")
    for chosen in NAMES if name is None else [name]:
        run = importlib.import_module(f"benchmarks.{chosen}").run
        try:
            rows = run(**_arguments(run, given or []))
        except UnknownNameError as error:
            _refuse(str(error))
        if as_json:
            typer.echo(json.dumps(rows, indent=2))
        else:
            for first in range(0, len(rows), ABREAST):
                rich.print(_table(chosen, rows[first : first + ABREAST]))


def _arguments(run: Callable[..., list[Row]], given: list[str]) -> Row:
    """Read KEY=VALUE pairs as arguments of ``run``."""
    allowed, arguments = inspect.signature(run).parameters, {}
    for pair in given:
        key, _, value = pair.partition("=")
        if key not in allowed:
            _refuse(f"argument {key!r} is unknown: {nearest(key, allowed) if allowed else 'none'}")
        try:
            arguments[key] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            kind = allowed[key].annotation
            if str in (kind, *get_args(kind)):
                arguments[key] = value
                continue
            _refuse(f"{pair!r} cannot be read: write it as KEY=NUMBER or KEY=NUMBER,NUMBER")
    return arguments


def _refuse(why: str) -> NoReturn:
    """Exit with one line of error."""
    sys.exit(f"error: {why}")


def _table(name: str, rows: list[Row]) -> Table:
    """Return a table with a column for each row and a line for each key that any of them has."""
    table = Table("", *([""] * len(rows)), title=name, show_header=False)
    for column in table.columns:
        column.overflow = "fold"
    for key in dict.fromkeys(key for row in rows for key in row):
        table.add_row(key.replace("_", " "), *(_text(row.get(key, "")) for row in rows))
    return table


def _text(value: Any) -> str:
    """Return a value as text, a float to three digits."""
    if not isinstance(value, float):
        return escape(str(value))
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    typer.run(main)
