"""Trees given beside their tokens and composed bottom-up, all nodes that are ready at once.

Column 0 of x holds the tokens' ids, 0 being padding. Column 1 encodes the tree: for a token that is
a node the position of its parent, counted from 1; for the root its own position; 0 for brackets and
padding, which are no nodes. A node's children are in the order of their positions.

A node starts as the leaf that its token makes and takes its children in, one after the other:

    s = leaf(token)        s = merge(s, s_1)        s = merge(s, s_2)  …

That is a binary tree branching to the left: ((token, child 1), child 2). Each round merges, over
the whole batch, every node with its next child if that child is complete.

Cost: a merge for each node but the roots, in as many rounds as there are merges on the longest path
to a root.
"""

import abc
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.networks._ids import ids


class Made(NamedTuple):
    """The new states that one round made."""

    node_n: Tensor
    """The nodes whose states these are."""
    child_n: Tensor | None
    """The children that were merged into them; None for leaves."""
    s_nS: Tensor


class Composed(NamedTuple):
    """The states of the N nodes of a batch, in the order of steps, then samples."""

    root_BS: Tensor
    rounds: list[Made]
    """All states on the way to the roots', the leaves first."""
    root_B: Tensor
    """The roots among the nodes."""
    step_N: Tensor
    """The step at which each node's token is read."""


class TreeNetwork(nn.Module, abc.ABC):
    """Composes a tree by two maps, of leaves and of pairs, and reads outputs from the root."""

    def __init__(self, symbols: int, output_size: int, hidden_size: int, state_size: int):
        """``symbols`` counts ids, 0 included; h, which outputs read, is the state's first part."""
        super().__init__()
        whole(1, symbols=symbols, output_size=output_size, hidden_size=hidden_size)
        self.hidden_size, self.state_size = hidden_size, state_size
        self.embedding = nn.Embedding(symbols, hidden_size)
        self.readout = nn.Linear(hidden_size, output_size)

    @abc.abstractmethod
    def leaf(self, e_NH: Tensor) -> Tensor:
        """Return the states of tokens, (N, S), from their vectors."""

    @abc.abstractmethod
    def merge(self, s_NS: Tensor, child_NS: Tensor) -> Tensor:
        """Return the states of nodes that have taken in one more child, (N, S)."""

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return each tree's outputs, the same at every step, (T, B, O).

        ValueError where column 1 holds no tree.
        """
        root_BS = self.composed(x_TBI).root_BS
        return self.readout(root_BS[:, : self.hidden_size]).expand(len(x_TBI), -1, -1)

    def composed(self, x_TBI: Tensor) -> Composed:
        """Return the roots' states and all on the way to them."""
        tokens_TB = ids(x_TBI[..., 0], self.embedding.num_embeddings)
        parents_TB = ids(x_TBI[..., 1], len(x_TBI) + 1)
        step_N, sample_N = parents_TB.nonzero(as_tuple=True)
        parent_N, root_B = _nodes(parents_TB)
        s_NS = self.leaf(self.embedding(tokens_TB[step_N, sample_N]))
        rounds = [Made(torch.arange(len(step_N), device=x_TBI.device), None, s_NS)]
        for node_n, child_n in _ready(parent_N):
            merged_nS = self.merge(s_NS[node_n], s_NS[child_n])
            rounds.append(Made(node_n, child_n, merged_nS))
            s_NS = s_NS.index_copy(0, node_n, merged_nS)
        if sum(len(made.node_n) for made in rounds[1:]) < len(parent_N) - len(root_B):
            raise ValueError("column 1 of x holds no trees: some nodes are not below a root")
        return Composed(s_NS[root_B], rounds, root_B, step_N)


def _nodes(parents_TB: Tensor) -> tuple[Tensor, Tensor]:
    """Return each node's parent (a root's is itself), and the roots, (B,)."""
    T, B = parents_TB.shape
    own_TB = torch.arange(1, T + 1, device=parents_TB.device)[:, None].expand(T, B)
    root_TB, there_TB = parents_TB == own_TB, parents_TB > 0
    above_TB = (parents_TB - 1).clamp(0, T - 1)
    below_TB = there_TB & (parents_TB <= T) & there_TB.gather(0, above_TB)
    if (root_TB.sum(dim=0) != 1).any() or not (below_TB | (parents_TB == 0)).all():
        raise ValueError(
            "column 1 of x holds no trees: it is 0 of what is no node, else the position of the "
            "parent, a node, counted from 1, and of one in each sample, the root, its own"
        )
    number_TB = there_TB.flatten().cumsum(0).view(T, B) - 1
    root_B = number_TB.gather(0, root_TB.int().argmax(dim=0, keepdim=True))[0]
    return number_TB.gather(0, above_TB)[there_TB], root_B


def _ready(parent_N: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Iterate over rounds: nodes whose next child is complete, and that child."""
    own_N = torch.arange(len(parent_N), device=parent_N.device)
    child_C = own_N[parent_N != own_N]
    child_C = child_C[parent_N[child_C].argsort(stable=True)]
    of_C = parent_N[child_C]
    first_C = torch.ones_like(of_C, dtype=torch.bool)
    first_C[1:] = of_C[1:] != of_C[:-1]
    next_N, sibling_N = torch.full_like(parent_N, -1), torch.full_like(parent_N, -1)
    next_N[of_C[first_C]] = child_C[first_C]
    sibling_N[child_C[:-1]] = child_C[1:].masked_fill(first_C[1:], -1)
    complete_N = next_N < 0
    waiting = (~complete_N).nonzero().squeeze(1)
    while len(waiting):
        node_n = waiting[complete_N[next_N[waiting]]]
        if not len(node_n):
            return
        child_n = next_N[node_n]
        yield node_n, child_n
        next_N[node_n] = after_n = sibling_N[child_n]
        complete_N[node_n[after_n < 0]] = True
        waiting = waiting[next_N[waiting] >= 0]
