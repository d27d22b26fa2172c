"""`list`: the studies, or the members of a room."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lightning_modules.registry import nearest
from pipeline.commands._options import Json, room_names
from pipeline.commands._terminal import end, tell
from pipeline.errors import UserError
from pipeline.rooms import Room, rooms, says

EXAMPLES = (
    "Example: python -m pipeline list",
    "Example: python -m pipeline list cells",
    "Example: python -m pipeline list --json",
)


def command(
    room: Annotated[
        str | None,
        typer.Argument(
            help="cells, algorithms, networks, ...: what it holds. Studies and their trials if "
            "none is named.",
            autocompletion=room_names,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show every study, its question and its number of trials at each scale; or one room."""
    there = rooms()
    if room is not None and room not in there:
        raise UserError(f"{room!r} is not a room: {nearest(room, there)}")
    shown = [there[room]] if room else list(there.values())
    if json:
        tell({each.name: _said(each) for each in shown})
    elif room:
        _show(there[room])
    else:
        _show_studies()


def _said(room: Room) -> dict[str, str]:
    """Return the first paragraph of each member's docstring, by name."""
    return {name: says(file) for name, file in room.members.items()}


def _show(room: Room) -> None:
    """Print the members of a room, and what each is."""
    table = Table(room.name, "what it is")
    for name, line in _said(room).items():
        table.add_row(name, line)
    Console().print(table)


def _show_studies() -> None:
    """Print all studies, and name those that cannot be declared."""
    from pipeline.params import SCALES
    from pipeline.running.jobs import asked_for
    from pipeline.running.machine import at_once

    shown = Table("study", "question", *SCALES)
    broken = dict[str, str]()
    with at_once():
        for name, question, trials in asked_for(broken):
            counts = (f"{trials[s]:,}" if s in trials else "–" for s in SCALES)
            shown.add_row(name, question, *counts)
    Console().print(shown)
    end(broken)
