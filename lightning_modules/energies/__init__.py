"""Symmetric networks: an energy, updates of their units, learning. One a file, found by file name.

Subfolders: estimators of a likelihood's gradient, ways to compute the sum Z over all states, rules
that store patterns. May import registry, checks and norms.
"""

from lightning_modules.registry import discover_files

ENERGIES = discover_files(__name__, __path__, "lightning_modules.energies._energy:Energy")
