"""The tasks, one a file, found by file name: sequences as functions of a seed and an index.

May import data and lightning_modules.
"""

from lightning_modules.registry import discover

TASKS = discover(__name__, __path__, "lightning_modules.interfaces:Task")
