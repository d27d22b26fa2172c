"""`track`: log the journals' trials to MLflow."""

from pathlib import Path

from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Scale, Studies
from pipeline.commands._terminal import console, end, say

EXAMPLES = ("Example: python -m pipeline track --scale standard",)


def command(studies: Studies = None, scale: Scale = None) -> None:
    """Log finished trials that MLflow lacks, and attach the studies' pages."""
    from pipeline.reporting import imprint
    from pipeline.running.browsing import about
    from pipeline.running.following import track as logged
    from pipeline.running.tracking import Tracker

    made, broken = with_journals(settings_at(scale), studies)
    for name, count in logged(made, console).items():
        say(f"{name}: {count:,} trials logged now")
    tracker = Tracker()
    for job in made:
        folder = imprint.folder_of(job.name, job.scale, Path())
        if folder.exists():
            left = imprint.left(folder)
            answer = left.answer if left else ""
            tracker.attach(job.name, job.scale, folder, about(job), answer)
            say(f"{job.name}: its page is kept in its run `report {job.scale}`")
    end(broken)
