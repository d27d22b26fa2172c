"""Generators against discriminators, a pair a file; losses and regularisers, a folder each below.

May import interfaces' helpers alone.
"""

from lightning_modules.registry import discover_files

ADVERSARIES = discover_files(
    __name__, __path__, "lightning_modules.adversaries._adversary:Adversary"
)
