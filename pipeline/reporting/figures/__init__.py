"""A declared figure and the rows -> its chart, pictures and numbers. Only this room draws."""

from pipeline.reporting.figures.choice import called, chosen, groups, hidden, numbers
from pipeline.reporting.figures.drawing import Drawn, draw
from pipeline.reporting.figures.grounds import DARK, LIGHT, words

__all__ = [
    "DARK", "LIGHT", "Drawn", "called", "chosen", "draw", "groups", "hidden", "numbers", "words",
]  # fmt: skip
