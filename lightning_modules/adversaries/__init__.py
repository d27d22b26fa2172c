"""Pairs of generator and discriminator, a pair a file; subfolders hold losses and regularisers.

May import interfaces, norms, checks and registry.
"""

from lightning_modules.registry import discover_files

ADVERSARIES = discover_files(
    __name__, __path__, "lightning_modules.adversaries._adversary:Adversary"
)
