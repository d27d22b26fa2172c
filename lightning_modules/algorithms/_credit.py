"""Credit of several steps at once."""

import torch
from torch import Tensor

from lightning_modules.interfaces import Credit


def credits_of(credit: Credit, states_TBS: Tensor) -> Tensor:
    """Return the credit at every step, (T, B, S), in one call where it offers ``sequence``."""
    together = getattr(credit, "sequence", None)
    if together is not None:
        return together(states_TBS)
    return torch.stack([credit(t, s_BS) for t, s_BS in enumerate(states_TBS.unbind())])
