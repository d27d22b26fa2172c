"""Networks with given, not learned, weights: each computes something, in any type of number.

May import interfaces, norms, checks and registry.
"""

from lightning_modules.registry import discover

MACHINES = discover(__name__, __path__, "lightning_modules.machines._machine:Machine")
