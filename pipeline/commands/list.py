"""`list`: what there is."""

from rich.console import Console
from rich.table import Table

from pipeline.commands._terminal import end

EXAMPLES = "Example: python -m pipeline list"


def command() -> None:
    """Show every study: its question and how many trials it has at each scale."""
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
