"""torch.nn's recurrent layers as cells of this project with the same weights.

torch's layers have two biases, which matter separately only in a GRU's candidate, and gates in
another order:

    LSTM    i f g o  ->  i f o g        GRU    r z n  ->  n_x r u n_h

A layer without biases becomes a cell whose biases are zero; probes of gradients count these, too.
"""

from typing import Any, final

import torch
from torch import Tensor, nn

from lightning_modules.cells.gru import GRU
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Cell


def refusal(net: nn.RNNBase) -> str | None:
    """Return why no cell is like the layer as it is now; None where one is."""
    name = type(net).__name__
    if not isinstance(net, nn.RNN | nn.GRU | nn.LSTM):
        return f"{name} is no RNN, GRU or LSTM: no cell is like it"
    if any(isinstance(w, Tensor) and w.is_complex() for w in net._flat_weights):
        return f"{name} has complex weights: a cell's are real"
    if net.bidirectional:
        return f"{name} is bidirectional: a cell goes one way; probe one of each way"
    if net.proj_size:
        return f"{name} has proj_size {net.proj_size}: no cell projects its h"
    if net.dropout and net.num_layers > 1 and net.training:
        return f"{name} drops out between layers, unseen from outside: make them a module each"
    return None


def as_cell(net: nn.RNNBase) -> Cell:
    """Return one cell for all layers; ValueError for what has no counterpart."""
    why = refusal(net)
    if why is not None:
        raise ValueError(why)
    return Weights(net).cell()


@final
class Weights:
    """The weights of a layer as they are now, from which a cell can be made later.

    They are not copied; ``changed`` tells whether they were written to meanwhile. The layer itself
    may have other weights by then: ``functional_call`` lends it weights for one call.
    """

    def __init__(self, net: nn.RNNBase):
        """Take what the layer's last call was made with."""
        self.kind, self.hidden_size, self.layers = type(net), net.hidden_size, net.num_layers
        self.input_size, self.activation = net.input_size, getattr(net, "nonlinearity", "tanh")
        # Asking for a parametrized weight works it out anew, and may draw; these are what was used.
        self._of_layers = [w.detach() for w in net._flat_weights if isinstance(w, Tensor)]
        self._versions = [w._version for w in self._of_layers]

    def same_as(self, net: nn.RNNBase) -> bool:
        """Tell whether the layer has these weights still, unchanged."""
        now = [w for w in net._flat_weights if isinstance(w, Tensor)]
        return len(now) == len(self._of_layers) and all(
            w.data_ptr() == other.data_ptr() and w._version == version
            for w, other, version in zip(now, self._of_layers, self._versions, strict=True)
        )

    @property
    def changed(self) -> bool:
        """Whether they were written to since."""
        return [w._version for w in self._of_layers] != self._versions

    @torch.no_grad()
    def cell(self) -> Cell:
        """Return one cell for all layers, in float32 at least."""
        H, sizes = self.hidden_size, [self.input_size] + [self.hidden_size] * (self.layers - 1)
        each = len(self._of_layers) // self.layers
        cells: list[Cell] = []
        for level, I in enumerate(sizes):  # noqa: E741
            parts = _in_our_order(
                self.kind, [full(w) for w in self._of_layers[level * each :][:each]]
            )
            # On the meta device nothing is drawn, so the user's random generator stays as it is.
            with torch.device("meta"):
                cell: Any
                if issubclass(self.kind, nn.LSTM):
                    cell = LSTM(I, H)
                elif issubclass(self.kind, nn.GRU):
                    cell = GRU(I, H)
                else:
                    cell = SRN(I, H, activation=str(self.activation))
            cell = cell.to(parts[0].dtype).to_empty(device=parts[0].device)
            for into, weights in zip(cell.parameters(), parts, strict=True):
                into.copy_(weights)
            cells.append(cell)
        return cells[0] if len(cells) == 1 else Stack(cells)


def full(v: Tensor) -> Tensor:
    """Return v, in float32 if it is of lower precision, too low for sums and linear algebra."""
    return v.to(torch.promote_types(v.dtype, torch.float32))


def _in_our_order(kind: type, given: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return U, W and b of a layer, given torch's two maps and, if any, two biases."""
    U, W = given[:2]
    b_x, b_h = given[2:] or U.new_zeros(2, len(U)).unbind()
    if issubclass(kind, nn.LSTM):
        parts = (w.chunk(4) for w in (U, W, b_x + b_h))
        U, W, b = (torch.cat([i, f, o, g]) for i, f, g, o in parts)
        return U, W, b
    if issubclass(kind, nn.GRU):
        (U_r, U_u, U_n), (x_r, x_u, x_n), (h_r, h_u, h_n) = (w.chunk(3) for w in (U, b_x, b_h))
        return torch.cat([U_n, U_r, U_u]), W, torch.cat([x_n, x_r + h_r, x_u + h_u, h_n])
    return U, W, b_x + b_h


def joint(parts: tuple[Tensor, ...], B: int) -> Tensor:
    """Return torch's (layers, B, H), one for h and one for c, as our joint state, (B, S)."""
    of_LBH = [part.reshape(len(part), B, -1) for part in parts]
    layers = [torch.cat(layer, dim=-1) for layer in zip(*of_LBH, strict=True)]
    return torch.cat(layers[::-1], dim=-1)
