"""`report`: pages and figures from journals."""

from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Scale, Studies
from pipeline.commands._terminal import console, end

EXAMPLES = "Example: python -m pipeline report cures --scale standard"


def command(studies: Studies = None, scale: Scale = None) -> None:
    """Build the pages and figures of studies from their journals, and the page over all."""
    from pipeline.reporting.press import Press

    settings = settings_at(scale)
    made, broken = with_journals(settings, studies)
    with Press(settings, console, broken) as press:
        for job in made:
            press.print(job.name)
    end(broken, 2 if press.errors else 0)  # what is wrong with a page has been said
