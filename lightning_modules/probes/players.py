"""How two players move: the norm of each one's gradient, and how far a step turns from the last.

    norm      ‖∂L_D/∂w_D‖ and ‖∂L_G/∂w_G‖, including what regularisers add
    cosine    Δw_t · Δw_(t-1) / ‖Δw_t‖ ‖Δw_(t-1)‖, of each player and of both together

A cosine of 1 is a straight path, -1 a step back; on a circle of angular speed ω, steps of size h
turn by ωh, which is a cosine of cos ωh. With ``every`` above 1 the batch after each n-th one is
looked at as well, to compare the two.

References:
    Mescheder, Nowozin & Geiger (2017), The numerics of GANs, NeurIPS, arXiv:1705.10461: players
        that turn around each other.
"""

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.instruments import Row, Update
from lightning_modules.norms import cosine, joint
from lightning_modules.probes._base import Probe

PLAYERS = "discriminator", "generator"


@final
class Players(Probe):
    """Both players' gradients, and the cosine of successive steps."""

    sees = frozenset({"players"})

    def __init__(self, every: int = 1):
        """Look at every ``every``-th batch and the one after it."""
        super().__init__(every)
        self._last: dict[str, Tensor] = {}
        self._first = True

    def due(self, batch: int) -> bool:
        """Tell whether it looks at this batch: a step is compared with the one before."""
        self._first = super().due(batch)
        return self._first or (batch > 0 and super().due(batch - 1))

    def updated(self, seen: Update) -> None:
        """Keep the norms and, where the last step was seen, the cosines."""
        moves, found = {}, {}
        for player in PLAYERS:
            of = [i for i, name in enumerate(seen.names) if name.startswith(f"{player}.")]
            if of:
                moved = [(seen.after[i] - seen.before[i]).flatten() for i in of]
                moves[player] = torch.cat(moved)
                found[f"norm {player}"] = joint([seen.raw[i] for i in of])
        moves["both"] = torch.cat(list(moves.values()))
        if self._last.keys() == moves.keys():
            found |= {f"cosine {of}": cosine(move, self._last[of]) for of, move in moves.items()}
        self._last = moves if self._first else {}
        self.keep(**found)

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity and player."""
        for name in means:
            quantity, _, player = name.partition(" ")
            for row in self.defined_of(name):
                yield {"quantity": quantity, "player": player, **row}

    def state_dict(self) -> dict[str, Any]:
        """Add the last step."""
        return {**super().state_dict(), "last": self._last}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back."""
        super().load_state_dict(state_dict)
        self._last = state_dict["last"]
