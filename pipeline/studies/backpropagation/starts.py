"""The names of where weights of feed-forward networks start from, known without torch."""

from typing import Annotated

from pipeline.study import named

STARTS = "uniform", "fan_in", "normalised", "gaussian", "orthogonal"
"""Those of ``lightning_modules.networks._starts``."""
Start = Annotated[str, named(STARTS)]
