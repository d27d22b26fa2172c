"""Initialisations of a cell's weights, one a file, found by file name."""

from lightning_modules.registry import discover

STARTS = discover(__name__, __path__, "lightning_modules.starts._start:Start")
