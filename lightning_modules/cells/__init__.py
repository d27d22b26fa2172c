"""The cells, one a file, found by file name."""

from lightning_modules.registry import discover

CELLS = discover(__name__, __path__, "lightning_modules.interfaces:Cell")
