"""`run`: run the trials of studies, write their journals, build their pages."""

from pipeline.commands import _trials
from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Force, Scale, Studies

EXAMPLES = ("Example: python -m pipeline run cures vanishing_gradient --scale quick",)


def command(studies: Studies = None, scale: Scale = None, force: Force = False) -> None:
    """Run all trials that are not finished, those of all studies in one queue."""
    settings = settings_at(scale)
    _trials.run(settings, *with_journals(settings, studies), force=force)
