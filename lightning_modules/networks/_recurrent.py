"""Padded sentences read one way or both ways; padding does not change the result.

    h_t = [forward layer at t, backward layer at t]

The backward layer reads each sentence from its own last word on: its words are reversed and the
padding after them stays where it is, so that padding never comes before a word. Both are
one-directional layers of torch.nn, which ``training.watch`` can follow.

References:
    Schuster & Paliwal (1997), Bidirectional recurrent neural networks, IEEE Transactions on Signal
        Processing 45(11).
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.registry import UnknownNameError, nearest

LAYERS: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {
    "srn": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


def layer_named(name: str) -> type[nn.RNN | nn.LSTM | nn.GRU]:
    """Return torch's layer: srn, lstm or gru; UnknownNameError for another name."""
    if name not in LAYERS:
        raise UnknownNameError(f"{name!r} is not one of the layers: {nearest(name, LAYERS)}")
    return LAYERS[name]


@final
class Directions(nn.Module):
    """A recurrent layer, or two side by side, one in each direction."""

    def __init__(self, layer: str, input_size: int, hidden_size: int, both: bool = False):
        """Give each way ``hidden_size`` units; ``layer`` is srn, lstm or gru."""
        super().__init__()
        kind = layer_named(layer)
        whole(1, hidden_size=hidden_size)
        self.size = hidden_size * (1 + both)
        self.forwards = kind(input_size, hidden_size)
        self.backwards = kind(input_size, hidden_size) if both else None

    def forward(self, x_TBI: Tensor, lengths_B: Tensor) -> Tensor:
        """Return each step's h, (T, B, H) or (T, B, 2 H)."""
        h_TBH, _ = self.forwards(x_TBI)
        if self.backwards is None:
            return h_TBH
        back_TBH, _ = self.backwards(turned(x_TBI, lengths_B))
        return torch.cat([h_TBH, turned(back_TBH, lengths_B)], dim=-1)

    def last(self, h_TBH: Tensor, lengths_B: Tensor) -> Tensor:
        """Return each direction's final state: at the last word, and going back at the first."""
        end_TBH = turned(h_TBH, lengths_B)[0]
        if self.backwards is None:
            return end_TBH
        H = self.size // 2
        return torch.cat([end_TBH[..., :H], h_TBH[0, :, H:]], dim=-1)


def turned(x_TBI: Tensor, lengths_B: Tensor) -> Tensor:
    """Return each sample's first ``lengths`` steps in reverse order, the later ones as they are."""
    t_T1 = torch.arange(len(x_TBI), device=x_TBI.device).unsqueeze(1)
    from_TB = torch.where(t_T1 < lengths_B, lengths_B - 1 - t_T1, t_T1)
    return x_TBI.gather(0, from_TB.unsqueeze(-1).expand_as(x_TBI))
