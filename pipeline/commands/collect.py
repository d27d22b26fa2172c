"""`collect`: trials from an MLflow server into the journals."""

from typing import Annotated

import typer

from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Scale, Studies
from pipeline.commands._terminal import end, say

EXAMPLES = ("Example: python -m pipeline collect cures --server http://server:5000",)


def command(
    studies: Studies = None,
    scale: Scale = None,
    server: Annotated[
        str | None, typer.Option(help="MLflow's address; MLFLOW_TRACKING_URI if not given.")
    ] = None,
) -> None:
    """Copy trials that the journals lack from an MLflow server into the journals."""
    from pipeline.running.collecting import collect

    made, broken = with_journals(settings_at(scale), studies)
    for job in made:
        for line in collect(job, server).lines():
            say(line)
    end(broken)
