"""`test-method`: a contract's tests, on a method from this project or elsewhere."""

import ast
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from lightning_modules.registry import nearest
from pipeline.commands._options import Json
from pipeline.commands._terminal import tell
from pipeline.errors import UserError

if TYPE_CHECKING:
    from lightning_modules.contracts._contract import Check, Contract

EXAMPLES = (
    "Example: python -m pipeline test-method lightning_modules.cells.gru.GRU",
    "Example: python -m pipeline test-method my_package.MyCell --with hidden_size=6",
)


def command(
    method: Annotated[
        str,
        typer.Argument(
            help="A class: a cell, an algorithm, a network or a probe, as package.module.Class. "
            "Or a function of no arguments that returns one."
        ),
    ],
    given: Annotated[
        list[str] | None,
        typer.Option("--with", help="What it is built with, as name=value: 4, [5, 5], or a word."),
    ] = None,
    json: Json = False,
) -> None:
    """Run the laboratory's contract tests on a method of your own; exit code 1 if one fails."""
    if not __debug__:
        raise UserError("checks are asserts, which python -O leaves out: run it without -O")
    named = _found(method)
    contract, build = _built(method, named, dict(_pair(each) for each in given or ()))
    told, good = [], True
    for check in contract.checks(build):
        error = _error(check)
        good = good and not error
        if json:
            told.append({"check": check.says, "good": not error, "error": error})
        else:
            line = f"{'wrong' if error else 'ok':6}{check.says}{error and f': {error}'}"
            Console().print(line, highlight=False, markup=False, soft_wrap=True)
    if json:
        tell(told)
    raise typer.Exit(0 if good else 1)


def _found(method: str) -> Any:
    """Import what a dotted name names, from the current folder as well."""
    sys.path.insert(0, str(Path.cwd()))
    module, _, name = method.replace(":", ".").rpartition(".")
    if not module:
        raise UserError(f"{method!r} names no class: give package.module.Class")
    try:
        held = importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's module raises is its error
        said = " ".join(str(error).split())
        raise UserError(f"{module}: {type(error).__name__}: {said}") from None
    if not hasattr(held, name):
        public = [each for each in vars(held) if each[0] != "_"]
        raise UserError(f"{module} has no {name!r}: {nearest(name, public)}")
    return getattr(held, name)


def _built(method: str, named: Any, given: dict[str, Any]) -> tuple["Contract", Callable[[], Any]]:
    """Return the contract of what is named, and a function that builds it."""
    from lightning_modules.contracts import CONTRACTS

    if not callable(named):
        raise UserError(f"{method} is neither a class nor a function")
    kind = named if isinstance(named, type) else type(_made(method, named, given))
    # A cell is a Module, too: the more special contract is the one.
    fitting = [contract for contract in CONTRACTS.values() if issubclass(kind, contract.of)]
    if not fitting:
        allowed = ", ".join(contract.of.__name__ for contract in CONTRACTS.values())
        raise UserError(f"{method} derives from none of: {allowed}")
    contract = max(fitting, key=lambda each: len(each.of.__mro__))
    if isinstance(named, type):
        takes = inspect.signature(named).parameters
        given = {n: v for n, v in contract.sizes.items() if n in takes} | given

    def build() -> Any:
        return _made(method, named, given)

    build()
    return contract, build


def _made(method: str, named: Callable[..., Any], given: dict[str, Any]) -> Any:
    """Build it; UserError if its constructor fails."""
    try:
        return named(**given)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's constructor raises
        said = " ".join(str(error).split())
        line = f"{method} is not built ({type(error).__name__}: {said}): give --with name=value"
        raise UserError(line) from None


def _pair(given: str) -> tuple[str, Any]:
    """Return a name and its value: a Python literal, or the text itself."""
    name, equals, value = given.partition("=")
    if not (equals and name.isidentifier()):
        raise UserError(f"--with {given!r}: give name=value")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _error(check: "Check") -> str:
    """Return in one line why a check fails; empty if it passes."""
    try:
        check.hold()
    except Exception as error:  # noqa: BLE001 - whatever a method raises is its failure
        what = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        return what + (" ".join(str(error).split())[:300] or "it is not so")
    return ""
