"""Arguments and options that several commands share, and their completion by a shell."""

from collections.abc import Callable
from typing import Annotated

import typer


def members(of: str) -> Callable[[str], list[str]]:
    """Return a function that completes the name of a member of a room."""

    def complete(incomplete: str) -> list[str]:
        from pipeline.rooms import rooms

        return [name for name in rooms()[of].members if name.startswith(incomplete)]

    return complete


def room_names(incomplete: str) -> list[str]:
    """Complete the name of a room."""
    from pipeline.rooms import rooms

    return [name for name in rooms() if name.startswith(incomplete)]


def _scales(incomplete: str) -> list[str]:
    from pipeline.params import SCALES

    return [scale for scale in SCALES if scale.startswith(incomplete)]


Studies = Annotated[
    list[str] | None,
    typer.Argument(
        help="Studies, as `list` shows them; all if none is named.",
        autocompletion=members("studies"),
    ),
]
Scale = Annotated[
    str | None,
    typer.Option(
        help="quick, standard or paper; that of params.yaml if not given.", autocompletion=_scales
    ),
]
Force = Annotated[bool, typer.Option(help="Run finished trials again as well.")]
Json = Annotated[bool, typer.Option("--json", help="Say it as JSON, for a machine.")]
