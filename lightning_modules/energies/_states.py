"""All states of some binary units, block by block, so that memory stays bounded."""

from collections.abc import Iterator

import torch
from torch import Tensor

MOST, BLOCK = 20, 4096
"""The most units whose states are enumerated, and how many states are made at once."""


def states(like: Tensor, units: int, block: int = BLOCK) -> Iterator[Tensor]:
    """Iterate over all states of 0 and 1, (N, units), the first unit changing slowest.

    They are of the type and device of ``like``. ValueError for more than MOST units.
    """
    if units > MOST:
        raise ValueError(f"{units} units have too many states to go through: {MOST} is most")
    place_U = torch.arange(units - 1, -1, -1, device=like.device)
    for number_N in torch.arange(2**units, device=like.device).split(block):
        yield (number_N[:, None] >> place_U & 1).to(like.dtype)
