"""Layer-normalised long short-term memory.

    N(a; γ, β)  = γ * (a - mean a) / sqrt(var a + ε) + β         over all entries of a
    i, f, o, g  = N(U x; γ_x, β_x) + N(W h; γ_h, β_h) + b        before their functions
    c'          = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h'          = sigmoid(o) * tanh(N(c'; γ_c, β_c))

Every entry depends on all others through mean and variance, so the step is not unit-wise:
torch.func computes its derivatives (``_forward.py``), slowly, and algorithms that need units refuse
it.
O(n²) a step. The state is s = [h, c], so S = 2H. ε is 1e-5.

References:
    Ba, Kiros & Hinton (2016), Layer normalization, arXiv:1607.06450: equations 20 to 22.
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.cells._forward import ForwardCell


@final
class LayerNormLSTM(ForwardCell):
    """LSTM with a forget gate whose maps and content are normalised."""

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        """Build the cell: U, W and b uniform in ±1/sqrt(H), but for b of the forget gate."""
        super().__init__(input_size, hidden_size, state_size=2 * hidden_size)
        shapes = (4 * hidden_size, input_size), (4 * hidden_size, hidden_size), (4 * hidden_size,)
        self.U, self.W, self.b = (nn.Parameter(torch.empty(shape)) for shape in shapes)
        for weights in self.parameters():
            nn.init.uniform_(weights, -(hidden_size**-0.5), hidden_size**-0.5)
        with torch.no_grad():
            self.b[hidden_size : 2 * hidden_size] = forget_bias
        self.of_x, self.of_h = nn.LayerNorm(4 * hidden_size), nn.LayerNorm(4 * hidden_size)
        self.of_c = nn.LayerNorm(hidden_size)

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Return [h', c']."""
        h, c = s_BS.chunk(2, dim=-1)
        i, f, o, g = (self.of_x(x_BI @ self.U.T) + self.of_h(h @ self.W.T) + self.b).chunk(
            4, dim=-1
        )
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return torch.cat([o.sigmoid() * self.of_c(c).tanh(), c], dim=-1)
