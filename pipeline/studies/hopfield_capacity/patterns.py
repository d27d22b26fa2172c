"""Patterns at random, networks that store them, and the load at which they are lost."""

import itertools
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from torch import Tensor

RECALLED = 0.95
"""Overlap from which on a pattern counts as recalled."""


def patterns(count: int, units: int) -> "Tensor":
    """Return patterns of -1 and 1, each bit at random, (M, S)."""
    import torch

    return torch.randint(2, (count, units)).float() * 2 - 1


def stored(rule: Any, x_MS: "Tensor", **how: Any) -> Any:
    """Return a Hopfield network in which a storage rule stored the patterns, of their type."""
    from lightning_modules.energies.hopfield import Hopfield

    net = Hopfield(x_MS.shape[1], rule, **how).to(x_MS.dtype)
    net.store(x_MS)
    return net


def flipped(x_MS: "Tensor", share: float) -> "Tensor":
    """Return patterns of which so many bits, each by chance, are turned over."""
    import torch

    return torch.where(torch.rand(x_MS.shape) < share, -x_MS, x_MS)


def lost_at(rows: pd.DataFrame) -> pd.Series:
    """Return the load at which half of the patterns are recalled, by seed.

    In a line between the first two loads between which recall falls below a half; a network that
    keeps more at all loads, or fewer, has none.
    """
    found: dict[int, float] = {}
    for seed, of in rows.groupby("seed"):
        curve = list(of.sort_values("load")[["load", "recalled"]].itertuples(index=False))
        for (a, high), (b, low) in itertools.pairwise(curve):
            if high >= 0.5 > low:
                found[int(str(seed))] = a + (b - a) * (high - 0.5) / (high - low)
                break
    return pd.Series(found, dtype=float).rename_axis("seed")
