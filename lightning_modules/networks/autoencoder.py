"""Deep autoencoder: down to a code of few linear units, and back.

    h_0 = x    h_k = f(W_k h_{k-1} + b_k)    code h_K, linear    and back by weights of its own

f is the logistic, and so are the outputs, in [0, 1] as pixels are. As Hinton & Salakhutdinov do, it
can start from a stack of restricted Boltzmann machines: ``training/stacks.py``.

References:
    Hinton & Salakhutdinov (2006), Reducing the dimensionality of data with neural networks,
        Science 313: 784-1000-500-250-30.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import final

from torch import Tensor, nn

from lightning_modules.checks import whole, wholes


@final
class Autoencoder(nn.Module):
    """An encoder and a decoder that mirrors it."""

    def __init__(self, input_size: int, hidden: Sequence[int] = (1000, 500, 250, 30)):
        """``hidden`` are the sizes of the encoder's layers, the code's last."""
        super().__init__()
        whole(1, input_size=input_size)
        wholes(1, hidden=hidden)
        if not hidden:
            raise ValueError("hidden is empty: its last number is the size of the code")
        self.input_size = self.output_size = input_size
        sizes = list(pairwise((input_size, *hidden)))
        ends = [nn.Sigmoid()] * (len(sizes) - 1)
        self.encoder = nn.ModuleList(
            nn.Sequential(nn.Linear(*pair), end)
            for pair, end in zip(sizes, [*ends, nn.Identity()], strict=True)
        )
        self.decoder = nn.ModuleList(
            nn.Sequential(nn.Linear(above, below), nn.Sigmoid()) for below, above in sizes[::-1]
        )

    def encode(self, x: Tensor) -> Tensor:
        """Return the code of each input, whatever axes lead."""
        for layer in self.encoder:
            x = layer(x)
        return x

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return the inputs reconstructed from their code, (T, B, I)."""
        h = self.encode(x_TBI)
        for layer in self.decoder:
            h = layer(h)
        return h
