"""Recursive network: one map that composes two vectors into one, applied along a tree.

    leaf        h = tanh(V e + a)
    node        h = tanh(W [h, h_child] + b)        for each child in turn, see ``_trees.py``

The tree is given (gold), by column 1 of x; column 0 holds the tokens. Error reaches a token through
as many merges as lie between it and the root, not through all tokens after it. Trained by automatic
differentiation alone.

References:
    Goller & Küchler (1996), Learning task-dependent distributed representations by backpropagation
        through structure, ICNN.
    Socher, Lin, Ng & Manning (2011), Parsing natural scenes and natural language with recursive
        neural networks, ICML. Ours has the operator's token as the first to be merged.
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.networks._trees import TreeNetwork


@final
class Recursive(TreeNetwork):
    """Tanh units over given trees, the root's under a linear readout."""

    def __init__(self, symbols: int, output_size: int, *, hidden_size: int):
        """Build it for ids below ``symbols``, 0 being padding."""
        super().__init__(symbols, output_size, hidden_size, state_size=hidden_size)
        self.token = nn.Linear(hidden_size, hidden_size)
        self.pair = nn.Linear(2 * hidden_size, hidden_size)

    def leaf(self, e_NH: Tensor) -> Tensor:
        """Return h of tokens."""
        return self.token(e_NH).tanh()

    def merge(self, s_NS: Tensor, child_NS: Tensor) -> Tensor:
        """Return h of nodes with one more child."""
        return self.pair(torch.cat([s_NS, child_NS], dim=-1)).tanh()
