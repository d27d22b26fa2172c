"""Random signs whose source is part of a stream's memory, so that a restored run goes on alike."""

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
        """Return where the source stands."""
        return {"device": self._generator.device, "state": self._generator.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._generator = torch.Generator(state["device"])
        self._generator.set_state(state["state"].cpu())  # there it is kept, wherever it draws


def balance(over_B1: Tensor, under_B1: Tensor) -> tuple[Tensor, Tensor]:
    """Return r = sqrt(over / under) and 1 / r; both zero where one norm is, so is the product.

    Neither leaves the type: any r leaves the mean what it is, as long as r times 1 / r is 1.
    """
    some, least = (over_B1 > 0) & (under_B1 > 0), torch.finfo(over_B1.dtype).smallest_normal
    r_B1 = torch.where(some, over_B1, 1).sqrt() / torch.where(some, under_B1, 1).sqrt()
    r_B1 = r_B1.clamp(least, 1 / least)
    return torch.where(some, r_B1, 0), torch.where(some, 1 / r_B1, 0)
