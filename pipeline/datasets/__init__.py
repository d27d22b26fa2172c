"""The data sets, one a file, found by file name."""

from lightning_modules.registry import discover
from pipeline.datasets._base import Dataset

DATASETS = discover(__name__, __path__, Dataset)
