"""`fetch`: data sets from their publishers into `data/`."""

from typing import Annotated

import typer

from pipeline.commands._asked import settings_at
from pipeline.commands._options import Scale
from pipeline.commands._terminal import say
from pipeline.errors import UserError

EXAMPLES = "Example: python -m pipeline fetch mnist"


def command(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets; all if none.")] = None,
    scale: Scale = None,
    keep_going: Annotated[
        bool, typer.Option(help="Leave a note where one cannot be had, and end well.")
    ] = False,
) -> None:
    """Fetch data sets and verify them; DATA_MIRROR, a URL or a folder, is tried first."""
    from pipeline.data import sources

    settings, missing = settings_at(scale), []
    for name in names or settings.data.sets:
        try:
            got = sources.fetch(name, offline=settings.offline)
        except UserError as error:
            missing.append(name)
            say(str(error))
            if keep_going:
                sources.note(name, str(error))
        else:
            say(f"{name}: {got.served}, {got.count:,} {got.unit}")
    if missing and not keep_going:
        raise typer.Exit(2)
