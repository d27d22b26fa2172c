"""The studies, one a file or folder, found by name."""

from lightning_modules.registry import Registry
from pipeline.study import Study

STUDIES: Registry[Study] = Registry(__name__, __path__, lambda module: module.STUDY)
