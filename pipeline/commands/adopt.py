"""`adopt`: keep rows that earlier code measured, where present code gives the same."""

from typing import Annotated

import typer

from pipeline.commands._asked import settings_at, with_journals
from pipeline.commands._options import Scale, Studies
from pipeline.commands._terminal import console, end, say

EXAMPLES = ("Example: python -m pipeline adopt --from HEAD~1 cures --scale standard",)


def command(
    commit: Annotated[str, typer.Option("--from", help="Where the code stands that measured.")],
    studies: Studies = None,
    scale: Scale = None,
    share: Annotated[
        float, typer.Option(help="How much of the rest of each group is run again, too.")
    ] = 0.0,
) -> None:
    """Keep rows that earlier code measured, if a sample run under both codes has equal rows."""
    from pipeline.running.adoption import adopt

    made, broken = with_journals(settings_at(scale), studies)
    for job in made:
        for line in adopt(job, commit, share, console).lines():
            say(line)
    end(broken)
