"""The studies, one declaration a file or folder, found by name.

May import measuring and what lies below; no other study.
"""

from lightning_modules.registry import Registry
from pipeline.study import Study

STUDIES: Registry[Study] = Registry(__name__, __path__, lambda module: module.STUDY)
