"""`status`: how far each study is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from pipeline.commands._asked import declared, settings_at
from pipeline.commands._options import Json, Scale, Studies
from pipeline.commands._terminal import end, tell
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.running.jobs import State

EXAMPLES = (
    "Example: python -m pipeline status --scale standard",
    "Example: python -m pipeline status cures --json",
)


def command(studies: Studies = None, scale: Scale = None, json: Json = False) -> None:
    """Count the trials of every study: asked for, finished, failed, waiting, stale and why."""
    from pipeline.running.jobs import State, state
    from pipeline.running.machine import at_once

    made, broken = declared(settings_at(scale), studies)
    states = dict[str, State]()
    with at_once():
        for job in made:
            try:
                states[job.name] = state(job)
            except UserError as error:
                broken[job.name] = str(error)
    if json:
        tell({name: {**of.counts(), "why": of.why} for name, of in states.items()})
    elif states:
        _show(states)
    end(broken)


def _show(states: Mapping[str, "State"]) -> None:
    """Print the counts of every study, then why trials are stale."""
    first, *_ = states.values()
    shown = Table("study", *first.counts())
    for name, of in states.items():
        shown.add_row(name, *(f"{count:,}" for count in of.counts().values()))
    Console().print(shown)
    for name, of in states.items():
        for reason in of.why:
            Console().print(f"{name}: {reason}", highlight=False, markup=False, soft_wrap=True)
