"""Binary Tree-LSTM: a cell that composes two memories into one, with a forget gate for each.

    leaf    [g, o] = V e + a                 c = g                      h = sigmoid(o) tanh(c)
    node    [i, f, f', o, g] = W [h, h_child] + b
            c = sigmoid(i) tanh(g) + sigmoid(f) c + sigmoid(f') c_child
            h = sigmoid(o) tanh(c)

for each child in turn, see ``_trees.py``: Tai, Socher and Manning's N-ary Tree-LSTM with N = 2 over
a tree branched to the left, tokens at the leaves alone. Forget gates start with 1 added to their
bias. The tree is given (gold), by column 1 of x; column 0 holds the tokens. Trained by automatic
differentiation alone.

References:
    Tai, Socher & Manning (2015), Improved semantic representations from tree-structured long
        short-term memory networks, ACL, equations 9 to 14.
    Nangia & Bowman (2018), ListOps: a diagnostic dataset for latent tree learning, NAACL Student
        Research Workshop.
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.networks._trees import TreeNetwork


@final
class TreeLSTM(TreeNetwork):
    """Memory cells over given trees, the root's h under a linear readout."""

    def __init__(self, symbols: int, output_size: int, *, hidden_size: int):
        """Build it for ids below ``symbols``, 0 being padding; the state is [h, c]."""
        super().__init__(symbols, output_size, hidden_size, state_size=2 * hidden_size)
        self.token = nn.Linear(hidden_size, 2 * hidden_size)
        self.pair = nn.Linear(2 * hidden_size, 5 * hidden_size)
        with torch.no_grad():
            self.pair.bias[hidden_size : 3 * hidden_size] += 1

    def leaf(self, e_NH: Tensor) -> Tensor:
        """Return [h, c] of tokens."""
        c_NH, o_NH = self.token(e_NH).chunk(2, dim=-1)
        return torch.cat([o_NH.sigmoid() * c_NH.tanh(), c_NH], dim=-1)

    def merge(self, s_NS: Tensor, child_NS: Tensor) -> Tensor:
        """Return [h, c] of nodes with one more child."""
        (h_NH, c_NH), (k_NH, d_NH) = s_NS.chunk(2, dim=-1), child_NS.chunk(2, dim=-1)
        z_NZ = self.pair(torch.cat([h_NH, k_NH], dim=-1))
        sizes = [4 * self.hidden_size, self.hidden_size]
        gates_NZ, g_NH = z_NZ.split(sizes, dim=-1)
        i_NH, f_NH, own_NH, o_NH = gates_NZ.sigmoid().chunk(4, dim=-1)
        c_NH = i_NH * g_NH.tanh() + f_NH * c_NH + own_NH * d_NH
        return torch.cat([o_NH * c_NH.tanh(), c_NH], dim=-1)
