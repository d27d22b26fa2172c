"""What a method of each kind is held to, wherever its file lies: a contract a file, by file name.

The tests hold every file of the rooms to these, `python -m pipeline test-method` a class that lies
anywhere. Asserts all of it, so not under ``python -O``. May import all of lightning_modules.
"""

from lightning_modules.contracts._contract import Contract
from lightning_modules.registry import Registry

CONTRACTS: Registry[Contract] = Registry(__name__, __path__, lambda module: module.CONTRACT)
