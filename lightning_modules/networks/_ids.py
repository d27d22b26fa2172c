"""Ids of words, characters and symbols, which are stored in x as numbers of its type."""

import torch
from torch import Tensor


def ids(x: Tensor, most: int) -> Tensor:
    """Return x as whole numbers; ValueError where its type cannot tell ``most`` of them apart."""
    if x.is_floating_point():
        exact = int(2 / torch.finfo(x.dtype).eps)
        if most - 1 > exact:
            raise ValueError(
                f"x is {x.dtype}, which tells whole numbers apart up to {exact}, and there are "
                f"{most} ids: give integers, or more precision"
            )
    return x.long()
