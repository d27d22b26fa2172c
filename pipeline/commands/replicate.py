"""`replicate`: run and judge what reproduces one published figure."""

import dataclasses
from typing import Annotated

import typer

from pipeline.commands import _trials
from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Force, Json, Scale
from pipeline.commands._terminal import tell
from pipeline.errors import UserError

EXAMPLES = ("Example: python -m pipeline replicate glorot-usual --scale standard",)


def command(
    row: Annotated[str, typer.Argument(help="A row of reports/<scale>/record.html.")],
    scale: Scale = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Run the trials that reproduce one published figure, and compare their result with it."""
    from pipeline.params import SCALES
    from pipeline.reporting import overview
    from pipeline.studies import STUDIES

    settings = settings_at(scale)
    others = [each for each in SCALES if each != settings.scale]
    at = overview.row(row, [settings.scale, *others], list(STUDIES))
    (job,), broken = with_journals(settings, [at["study"]])
    own = {k: trial for k, trial in job.trials.items() if trial.get("part", "") == at["part"]}
    _trials.run(settings, [dataclasses.replace(job, trials=own)], broken, force=force)
    try:
        at = overview.row(row, [settings.scale], [at["study"]])
    except UserError:
        where = f"{row}: at scale {settings.scale} nothing is compared with the published figure"
        raise UserError(
            f"{where}, its trials are too few or too small: try another --scale"
        ) from None
    if json:
        tell(at)
        return
    typer.echo(f"{row}: {at['verdict']}: {at['claim']}: {at['seen']}")
    typer.echo(f"published: {at['value']} ({at['source']}); tolerance: {at['tolerance']}")
