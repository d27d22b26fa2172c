"""The small task of the contracts, as tests know it."""

from lightning_modules.contracts._recall import HELD_OUT, Recall

__all__ = ["HELD_OUT", "Recall"]
