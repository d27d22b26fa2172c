"""`report`: pages and figures from journals."""

from pathlib import Path

from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Json, Scale, Studies
from pipeline.commands._terminal import console, end, tell

EXAMPLES = ("Example: python -m pipeline report cures --scale standard",)


def command(studies: Studies = None, scale: Scale = None, json: Json = False) -> None:
    """Build the pages and figures of studies from their journals, and the page over all."""
    from pipeline.reporting import imprint
    from pipeline.reporting.press import Press

    settings = settings_at(scale)
    made, broken = with_journals(settings, studies)
    with Press(settings, console, broken) as press:
        for job in made:
            press.print(job.name)
    if json:
        folders = {job.name: imprint.folder_of(job.name, job.scale, Path()) for job in made}
        left = {name: imprint.left(at) for name, at in folders.items() if name not in press.errors}
        tell(
            {
                name: {"page": str(folders[name] / "index.html"), **of.summary}
                for name, of in left.items()
                if of
            }
        )
    end(broken, 2 if press.errors else 0)  # what is wrong with a page has been said
