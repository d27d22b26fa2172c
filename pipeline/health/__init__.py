"""What `doctor` looks at, one examination a file, found by file name.

A file has a function ``examine``, which says in a line each what is so, whether that is well, and
what to do where it is not. Nothing is written. May import what commands may.
"""

from collections.abc import Callable, Iterator

from lightning_modules.registry import Registry
from pipeline.health._finding import Finding

EXAMINATIONS: Registry[Callable[[], Iterator[Finding]]] = Registry(
    __name__, __path__, lambda module: module.examine
)
