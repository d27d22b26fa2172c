"""Running trials for a command, with progress on the terminal."""

import os
from typing import TYPE_CHECKING

import typer

from pipeline.commands._terminal import console, end, say

if TYPE_CHECKING:
    from pipeline.params import Settings
    from pipeline.running.jobs import Job


def run(settings: "Settings", made: list["Job"], broken: dict[str, str], *, force: bool) -> None:
    """Run what is not finished and build the pages; exit with an error code if anything failed."""
    from pipeline.reporting import overview
    from pipeline.reporting.press import Press
    from pipeline.running import queue
    from pipeline.running.following import following

    parts = [part for job in made for part in job.study.parts.values()]
    if not settings.dispatch.gpus and not any(part.needs.gpus for part in parts):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        with Press(settings, console, broken) as press, following(made, console):
            ending = queue.run(
                made, settings, console, force=force, ended=lambda job: press.print(job.name)
            )
    except KeyboardInterrupt:
        say("interrupted: finished trials are kept; the same command goes on with the rest")
        raise typer.Exit(130) from None
    if not ending.stopped:
        shown = [job.name for job in made if job.name not in press.errors]
        for line in overview.verdicts(settings.scale, shown):
            say(line)
    end(broken, ending.code or (2 if press.errors else 0))
