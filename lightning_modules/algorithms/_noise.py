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
        self._generator.set_state(state["state"])


def balance(over_B1: Tensor, under_B1: Tensor) -> tuple[Tensor, Tensor]:
    """Return r = sqrt(over / under) and 1 / r; both zero where one norm is, so is the product."""
    some = (over_B1 > 0) & (under_B1 > 0)
    r_B1 = torch.where(some, over_B1, 0).sqrt() / torch.where(some, under_B1, 1).sqrt()
    return r_B1, torch.where(some, 1 / torch.where(some, r_B1, 1), 0)
