"""Networks that the probes of a learner meet, and what these say of them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint


class Network(nn.Module):
    """Layers that are put together in some way."""

    squash: nn.Module

    def __init__(self, forward: Callable[["Network", Tensor], Tensor]):
        super().__init__()
        self.before, self.squash, self.drop = nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.3)
        self.after = nn.Linear(5, 2)
        self.way = [forward]

    def forward(self, x_TBI: Tensor) -> Tensor:
        return self.way[0](self, x_TBI)

    def end(self, h_TBH: Tensor) -> Tensor:
        return self.after(self.drop(h_TBH))


def _plain(n: Network, x_TBI: Tensor) -> Tensor:
    return n.end(n.squash(n.before(x_TBI)))


def _recurrent(n: Network, x_TBI: Tensor) -> Tensor:
    return n.end(n.get_submodule("net")(x_TBI)[0])


def _bare(n: Network, x_TBI: Tensor) -> Tensor:
    h_TBH = nn.functional.linear(x_TBI, n.before.weight, n.before.bias).tanh()
    return nn.functional.linear(h_TBH, n.after.weight, n.after.bias)


def _twice(n: Network, x_TBI: Tensor) -> Tensor:
    return n.end(n.squash(n.before(x_TBI)) + n.squash(n.before(x_TBI.flip(0))))


def _in_place(n: Network, x_TBI: Tensor) -> Tensor:
    return n.end(nn.functional.relu_(n.before(x_TBI)))


def _view_in_place(n: Network, x_TBI: Tensor) -> Tensor:
    h_NH = n.get_submodule("flat")(n.before(x_TBI))
    return n.end(nn.functional.relu_(h_NH).unflatten(0, x_TBI.shape[:2]))


def _checkpointed(reentrant: bool) -> Callable[[Network, Tensor], Tensor]:
    def forward(n: Network, x_TBI: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return _plain(n, x_TBI)
        x_TBI = x_TBI.clone().requires_grad_()  # without which a reentrant one has no gradients
        return n.end(checkpoint(lambda x: n.squash(n.before(x)), x_TBI, use_reentrant=reentrant))

    return forward


def _autocast(n: Network, x_TBI: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return _plain(n, x_TBI).float()


def _lent(n: Network, x_TBI: Tensor) -> Tensor:
    weights = {name: w * 1.0 for name, w in n.before.named_parameters()}
    return n.end(n.squash(functional_call(n.before, weights, (x_TBI,))))


def _with(**modules: Callable[[], nn.Module]) -> Callable[[Network], Any]:
    def prepare(n: Network) -> None:
        for name, build in modules.items():
            setattr(n, name, build())

    return prepare


def _normed(n: Network) -> None:
    norm = nn.BatchNorm1d(5).eval().requires_grad_(False)
    n.squash = nn.Sequential(nn.Flatten(0, 1), norm, nn.Tanh(), nn.Unflatten(0, (7, 4)))


def _tied(n: Network) -> None:
    n.again = nn.Linear(3, 5)
    n.again.weight = n.before.weight
    n.way = [lambda n, x: n.end(n.squash(n.before(x) + n.again(x)))]


@dataclasses.dataclass
class Meeting:
    """A network, and what each probe says of it.

    Attributes:
        errors: what error_flow says; empty where it says nothing.
        outputs: what activations does.
    """

    way: Callable[[Network, Tensor], Tensor] = _plain
    prepare: Callable[[Network], Any] = lambda n: None
    wrap: Callable[[Any], Any] = lambda n: n
    errors: str = ""
    outputs: str = ""
    dtype: torch.dtype = torch.float32


NO_LAYER = ": it calls no module without children"
MEETINGS: dict[str, Meeting] = {
    "plain": Meeting(),
    "frozen": Meeting(
        prepare=lambda n: n.before.requires_grad_(False), errors="before (takes no gradient)"
    ),
    "unused": Meeting(prepare=_with(other=lambda: nn.Linear(3, 5))),
    "tied": Meeting(prepare=_tied),
    "one layer called twice": Meeting(_twice),
    "returns a tuple": Meeting(
        _recurrent,
        _with(net=lambda: nn.GRU(3, 5)),
        errors="net (returns a tuple)",
        outputs="net (returns a tuple)",
    ),
    "bidirectional": Meeting(
        _recurrent,
        _with(net=lambda: nn.GRU(3, 5, bidirectional=True), after=lambda: nn.Linear(10, 2)),
        errors="net (returns a tuple)",
        outputs="net (returns a tuple)",
    ),
    "without layers": Meeting(_bare, errors=NO_LAYER, outputs=NO_LAYER),
    "BatchNorm frozen": Meeting(prepare=_normed),
    "changed in place": Meeting(_in_place),
    "view changed in place": Meeting(
        _view_in_place,
        _with(flat=lambda: nn.Flatten(0, 1)),
        errors="flat (is a view that was written to)",
    ),
    "checkpointed": Meeting(_checkpointed(False)),
    "checkpointed, reentrant": Meeting(_checkpointed(True), errors="before (takes no gradient)"),
    "autocast": Meeting(_autocast),
    "bfloat16": Meeting(dtype=torch.bfloat16),
    "functional_call": Meeting(_lent),
    # Before the first batch it is evaluated, and so compiled without what probes attach.
    "compiled": Meeting(
        wrap=lambda n: torch.compile(n, backend="eager"), errors=NO_LAYER, outputs=NO_LAYER
    ),
}
