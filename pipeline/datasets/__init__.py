"""The data sets, one a file, found by file name."""

from typing import Any

from lightning_modules.registry import Registry, discover
from pipeline.datasets._base import Dataset

DATASETS: Registry[type[Dataset[Any]]] = discover(__name__, __path__, Dataset)
