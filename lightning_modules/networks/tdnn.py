"""Time-delay neural network: each layer sees the last D steps of the one below, by shared weights.

    h_t^l = f(Σ_{d=0}^{D_l - 1} W_d h_{t-d}^{l-1} + b)        z_t = V h_t + c

Before the first step all is zero. An output sees 1 + Σ_l (D_l - 1) steps and not one more: it is a
convolution over time. f is tanh.

References:
    Waibel, Hanazawa, Hinton, Shikano & Lang (1989), Phoneme recognition using time-delay neural
        networks, IEEE Transactions on Acoustics, Speech, and Signal Processing 37(3).
"""

from collections.abc import Sequence
from typing import final

from torch import Tensor, nn
from torch.nn.functional import pad

from lightning_modules.checks import whole, wholes


@final
class TDNN(nn.Module):
    """Delay lines under every layer but the last, which is linear and sees one step."""

    def __init__(
        self, input_size: int, output_size: int, hidden: Sequence[int], delays: Sequence[int]
    ):
        """Build layers of ``hidden`` units, which see ``delays`` steps each, D."""
        super().__init__()
        whole(1, input_size=input_size, output_size=output_size)
        wholes(1, hidden=hidden, delays=delays)
        if not hidden or len(hidden) != len(delays):
            raise ValueError(f"{len(hidden)} hidden layers and {len(delays)} delays: as many, >= 1")
        self.window = 1 + sum(steps - 1 for steps in delays)
        below = (input_size, *hidden[:-1])
        self.layers = nn.Sequential(
            *(
                nn.Sequential(_DelayLine(steps), nn.Linear(steps * units, above), nn.Tanh())
                for units, above, steps in zip(below, hidden, delays, strict=True)
            )
        )
        self.readout = nn.Linear(hidden[-1], output_size)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return every step's output, (T, B, O)."""
        return self.readout(self.layers(x_TBI))


class _DelayLine(nn.Module):
    """The last ``steps`` values of each unit side by side, the oldest first."""

    def __init__(self, steps: int):
        super().__init__()
        self._steps = steps

    def forward(self, h_TBH: Tensor) -> Tensor:
        """Return them, (T, B, H D), a unit's values next to each other."""
        h_TBH = pad(h_TBH, (0, 0, 0, 0, self._steps - 1, 0))
        return h_TBH.unfold(0, self._steps, 1).flatten(2)
