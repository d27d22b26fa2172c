"""The examinations of `doctor`, one a file, found by file name.

A file has a function ``examine``, which yields findings: a line on what is there and, where that is
wrong, what to do. Nothing is written. An examination may import what commands may.
"""

from collections.abc import Callable, Iterator

from lightning_modules.registry import Registry
from pipeline.health._finding import Finding

EXAMINATIONS: Registry[Callable[[], Iterator[Finding]]] = Registry(
    __name__, __path__, lambda module: module.examine
)
