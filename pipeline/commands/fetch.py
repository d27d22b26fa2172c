"""`fetch`: data sets from their publishers into `data/`."""

from typing import Annotated, Any

import typer

from pipeline.commands._asked import settings_at
from pipeline.commands._options import Json, Scale, members
from pipeline.commands._terminal import say, tell
from pipeline.errors import UserError

EXAMPLES = ("Example: python -m pipeline fetch mnist",)


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Data sets; all if none.", autocompletion=members("datasets")),
    ] = None,
    scale: Scale = None,
    keep_going: Annotated[
        bool, typer.Option(help="Leave a note where one cannot be had, and end well.")
    ] = False,
    json: Json = False,
) -> None:
    """Fetch data sets and verify them; DATA_MIRROR, a URL or a folder, is tried first."""
    from pipeline.data import sources

    settings, missing = settings_at(scale), []
    had = dict[str, dict[str, Any]]()
    for name in names or settings.data.sets:
        try:
            got = sources.fetch(name, offline=settings.offline)
        except UserError as error:
            missing.append(name)
            say(str(error))
            if keep_going:
                sources.note(name, str(error))
        else:
            had[name] = got.facts()
            if not json:
                say(f"{name}: {got.served}, {got.count:,} {got.unit}")
    if json:
        tell(had)
    if missing and not keep_going:
        raise typer.Exit(2)
