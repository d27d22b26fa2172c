"""Contract tests for each kind of method: one contract a file, found by file name.

The tests run them on every method of the project; `python -m pipeline test-method` runs them on a
class in any file. The checks are asserts, so they do nothing under ``python -O``. May import all of
lightning_modules.
"""

from lightning_modules.contracts._contract import Contract
from lightning_modules.registry import Registry

CONTRACTS: Registry[Contract] = Registry(__name__, __path__, lambda module: module.CONTRACT)
