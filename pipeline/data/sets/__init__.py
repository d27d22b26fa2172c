"""The data sets, one a file, found by file name."""

from lightning_modules.registry import discover

DATASETS = discover(__name__, __path__, "pipeline.data.sets._base:Dataset")
