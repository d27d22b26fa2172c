"""`doctor`: what is wrong here, and what to do."""

from collections.abc import Iterator

import typer
from rich.console import Console

from pipeline.commands._options import Json
from pipeline.commands._terminal import tell
from pipeline.errors import UserError
from pipeline.health import EXAMINATIONS, Finding

EXAMPLES = (
    "Example: python -m pipeline doctor",
    "Example: python -m pipeline doctor --json",
)


def command(json: Json = False) -> None:
    """Examine environment, data, GPU, Ray, MLflow, DVC, disk, parameters and journals.

    The exit code is 1 if something is wrong.
    """
    told, good = [], True
    for name in EXAMINATIONS:
        for found in _examined(name):
            good = good and found.good
            if json:
                told.append({"examination": name, "good": found.good, **found._asdict()})
            else:
                do = f": {found.do}" if found.do else ""
                line = f"{'ok' if found.good else 'wrong':6}{name:12} {found.says}{do}"
                Console().print(line, highlight=False, markup=False, soft_wrap=True)
    if json:
        tell(told)
    raise typer.Exit(0 if good else 1)


def _examined(name: str) -> Iterator[Finding]:
    """Iterate over an examination's findings; an exception in it is a finding, too."""
    try:
        yield from EXAMINATIONS[name]()
    except UserError as error:
        yield Finding(str(error), "mend that first")
    except Exception as error:  # noqa: BLE001 - whatever a sick environment raises
        yield Finding(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", "mend that")
