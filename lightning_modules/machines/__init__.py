"""Networks whose weights are given, not learned: each computes something, in any type of number.

May import interfaces' helpers alone.
"""

from lightning_modules.registry import discover

MACHINES = discover(__name__, __path__, "lightning_modules.machines._machine:Machine")
