"""Random signs whose generator is part of a stream's memory, so a resumed run draws the same."""

from typing import Any, final

import torch
from torch import Tensor


@final
class Signs:
    """A source of independent signs, seeded by torch's own; it can be pickled."""

    def __init__(self, device: torch.device):
        """Seed it from torch's default generator."""
        self._generator = torch.Generator(device)
        self._generator.manual_seed(int(torch.randint(2**62, ()).item()))

    def draw(self, like: Tensor) -> Tensor:
        """Return +1 or -1 with equal chances, in the shape of ``like``."""
        return torch.empty_like(like).bernoulli_(0.5, generator=self._generator).mul_(2).sub_(1)

    def __getstate__(self) -> dict[str, Any]:
        """Return the generator's device and state."""
        return {"device": self._generator.device, "state": self._generator.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the generator."""
        self._generator = torch.Generator(state["device"])
        self._generator.set_state(state["state"].cpu())  # states are on the CPU, for any device


def balance(over_B1: Tensor, under_B1: Tensor) -> tuple[Tensor, Tensor]:
    """Return r = sqrt(over / under) and 1 / r; both are zero where either norm is zero.

    r is clamped so that neither overflows: the estimate is unbiased for any r, as long as the two
    multiply to 1.
    """
    some, least = (over_B1 > 0) & (under_B1 > 0), torch.finfo(over_B1.dtype).smallest_normal
    r_B1 = torch.where(some, over_B1, 1).sqrt() / torch.where(some, under_B1, 1).sqrt()
    r_B1 = r_B1.clamp(least, 1 / least)
    return torch.where(some, r_B1, 0), torch.where(some, 1 / r_B1, 0)
