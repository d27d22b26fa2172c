"""The algorithms, one a file, found by file name."""

from lightning_modules.registry import discover

ALGORITHMS = discover(__name__, __path__, "lightning_modules.interfaces:Algorithm")
