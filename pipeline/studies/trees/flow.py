"""How much error reaches each state of a network, by how many states it came through.

Away from the output by 0 is the state that is read: the root's, or that after the last token. A
state that a merge took in is one further away than what the merge made, the child's and the node's
own before it alike; a step's is one further than the next step's.
"""

import copy
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pipeline.tasks._expressions import DIGITS

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lightning_modules.interfaces import Batch

State = tuple[int, float]
"""How far a state is from the output, and ‖∂L/∂h‖ there over that at the output."""


def flow(
    network: "nn.Module", batches: "Iterable[Batch]", followed: int
) -> Iterator[dict[str, Any]]:
    """Iterate over rows of what is left of error, geometric means over expressions.

    Records "flow" are by distance, "first digit" is at the first digit's token. A state that no
    error reaches has no logarithm and is left out; where that is all there is no row.
    """
    from lightning_modules.networks._trees import TreeNetwork

    exact = copy.deepcopy(network).double()
    left: dict[int | None, list[float]] = defaultdict(list)
    for batch in itertools.islice(_singly(batches), followed):
        of = tree(exact, batch) if isinstance(exact, TreeNetwork) else sequence(exact, batch)
        for step, states in of.items():
            for away, share in states:
                if share > 0:
                    left[away].append(math.log(share))
            if step == _first_digit(batch) and states[0][1] > 0:
                left[None].append(math.log(states[0][1]))
    for away, logs in sorted(left.items(), key=lambda one: -1 if one[0] is None else one[0]):
        mean = math.exp(sum(logs) / len(logs))
        if away is None:
            yield {"record": "first digit", "left": mean}
        else:
            yield {"record": "flow", "away": away, "left": mean}


def tree(network: Any, batch: "Batch") -> dict[int, list[State]]:
    """Return the states of each node of one tree, the leaf that its token makes first, by step."""
    import torch

    from lightning_modules.norms import norm

    composed = network.composed(batch.x_TBI)
    loss = _loss(network.readout(composed.root_BS[:, : network.hidden_size]), batch)
    made = [states.s_nS for states in composed.rounds]
    errors = torch.autograd.grad(loss, [*made, composed.root_BS])
    H = network.hidden_size
    root = float(norm(errors[-1][:, :H]))
    away = {int(composed.root_B[0]): 0}
    found: dict[int, list[State]] = defaultdict(list)
    for states, error_nS in reversed(list(zip(composed.rounds, errors, strict=False))):
        nodes, sizes = states.node_n.tolist(), norm(error_nS[:, :H], dim=1).tolist()
        children = [None] * len(nodes) if states.child_n is None else states.child_n.tolist()
        for node, child, size in zip(nodes, children, sizes, strict=True):
            found[int(composed.step_N[node])].insert(0, (away[node], size / root))
            if child is not None:
                away[node] = away[child] = away[node] + 1
    return found


def sequence(network: "nn.Module", batch: "Batch") -> dict[int, list[State]]:
    """Return the state of each step of one sequence, by step."""
    from lightning_modules.probes.error_flow import ErrorFlow
    from lightning_modules.training.watch import watch

    # By the class, so that the trial's hash knows of it: watching looks it up by name.
    with watch(network, [ErrorFlow().name]) as record:
        _loss(network(batch.x_TBI)[0], batch).backward()
    rows: list[dict[str, Any]] = list(record.rows)
    sizes = {int(row["t"]): float(row["value"] or 0) for row in rows}
    last = max(sizes)
    return {t: [(last - t, size / sizes[last])] for t, size in sizes.items()}


def _loss(z_BO: "Tensor", batch: "Batch") -> "Tensor":
    from torch.nn.functional import cross_entropy

    return cross_entropy(z_BO, batch.y_TB[-1])


def _singly(batches: "Iterable[Batch]") -> "Iterator[Batch]":
    """Iterate over expressions one by one, without padding."""
    for batch in batches:
        for b, length in enumerate((batch.x_TBI[..., 0] > 0).sum(dim=0).tolist()):
            yield type(batch)(*(part[:length, b : b + 1] for part in batch))


def _first_digit(batch: "Batch") -> int:
    """Return the step at which one expression's first digit is read."""
    ids_T = batch.x_TBI[:, 0, 0]
    return int(((ids_T > 0) & (ids_T <= DIGITS)).int().argmax())
