"""The studies that a command is about."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.commands._terminal import end, say
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.params import Settings
    from pipeline.running.jobs import Job


def settings_at(scale: str | None) -> "Settings":
    """Return the settings in params.yaml, at the scale that was asked for."""
    from pipeline import params

    return params.load().at(scale)


def declared(
    settings: "Settings", studies: Sequence[str] | None
) -> tuple[list["Job"], dict[str, str]]:
    """Return the studies that were asked for, and, by name, why others cannot be declared.

    If none can be declared, these errors are printed and the command ends.
    """
    from pipeline.params import unheard
    from pipeline.running.jobs import jobs
    from pipeline.running.machine import at_once

    with at_once():
        made, broken = jobs(settings, studies or ())
    for job in made:
        for line in unheard(job.name, job.study, job.scale, job.trials):
            say(f"{job.name}: {line}")
    if not made:
        end(broken)
    return made, broken


def with_journals(
    settings: "Settings", studies: Sequence[str] | None
) -> tuple[list["Job"], dict[str, str]]:
    """Return the studies as ``declared`` does, without those whose journals cannot be read.

    The latter are left out here so that each error is reported once, not at every later reading.
    """
    made, broken = declared(settings, studies)
    readable = []
    for job in made:
        try:
            job.journal.read()
        except UserError as error:
            broken[job.name] = str(error)
        else:
            readable.append(job)
    if not readable:
        end(broken)
    return readable, broken
