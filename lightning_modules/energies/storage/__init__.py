"""Rules that store patterns in symmetric weights, one a file, found by file name."""

from lightning_modules.registry import discover

STORAGE = discover(__name__, __path__, "lightning_modules.energies.storage._storage:Storage")
