"""A declared figure and the rows -> a picture and its numbers. Only these files draw."""

from pipeline.reporting.figures.choice import called, chosen, groups, hidden, numbers
from pipeline.reporting.figures.drawing import draw
from pipeline.reporting.figures.grounds import DARK, LIGHT, words

__all__ = ["DARK", "LIGHT", "called", "chosen", "draw", "groups", "hidden", "numbers", "words"]
