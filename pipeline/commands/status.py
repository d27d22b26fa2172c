"""`status`: how far each study is."""

from rich.console import Console
from rich.table import Table

from pipeline.commands._asked import declared, settings_at
from pipeline.commands._options import Scale, Studies
from pipeline.commands._terminal import end
from pipeline.errors import UserError

EXAMPLES = "Example: python -m pipeline status --scale standard"


def command(studies: Studies = None, scale: Scale = None) -> None:
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
    shown = Table("study", *(name for name in State._fields if name != "why"))
    for name, of in states.items():
        shown.add_row(name, *(f"{count:,}" for count in of.counts().values()))
    if states:
        Console().print(shown)
    for name, of in states.items():
        for reason in of.why:
            Console().print(f"{name}: {reason}", highlight=False, markup=False, soft_wrap=True)
    end(broken)
