"""`replicate`: run and judge what reproduces one published figure."""

import dataclasses
from typing import Annotated

import typer

from pipeline.commands import _trials
from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Force, Json, Scale
from pipeline.commands._terminal import tell

EXAMPLES = ("Example: python -m pipeline replicate glorot-usual --scale standard",)


def command(
    row: Annotated[str, typer.Argument(help="A row of reports/<scale>/record.html.")],
    scale: Scale = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Run the trials that reproduce one published figure, and compare their result with it."""
    from pipeline.reporting import overview
    from pipeline.studies import STUDIES

    settings = settings_at(scale)
    at = overview.row(row, settings.scale, STUDIES)
    (job,), broken = with_journals(settings, [at["study"]])
    own = {k: trial for k, trial in job.trials.items() if trial.get("part", "") == at["part"]}
    _trials.run(settings, [dataclasses.replace(job, trials=own)], broken, force=force)
    at = overview.row(row, settings.scale, STUDIES)
    if json:
        tell(at)
        return
    typer.echo(f"{row}: {at['verdict']}: {at['claim']}: {at['seen']}")
    typer.echo(f"published: {at['value']} ({at['source']}); tolerance: {at['tolerance']}")
