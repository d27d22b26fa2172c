"""What several commands take."""

from typing import Annotated

import typer

Studies = Annotated[
    list[str] | None, typer.Argument(help="Studies, as `list` shows them; all if none is named.")
]
Scale = Annotated[
    str | None, typer.Option(help="quick, standard or paper; that of params.yaml if not given.")
]
Force = Annotated[bool, typer.Option(help="Run finished trials again as well.")]
