"""Classical back-propagation: logistic units, squared error, an update after each example.

    h_0 = x        h_l = σ(W_l h_{l-1} + b_l)        L = ½ Σ (t - h_L)²
    e_L = h_L - t        δ_l = e_l h_l (1 - h_l)        e_{l-1} = W_l' δ_l
    ΔW_l = -η δ_l h_{l-1}'        Δb_l = -η δ_l

Written out, without automatic differentiation: e is ∂L/∂h, δ the derivative by the units' weighted
sums. All errors of an example are computed before any weight moves. All vectors are allocated
before the first example, none for each.

Cost: O(W) time an example, W the number of weights; three passes over them.

References:
    Rumelhart, Hinton & Williams (1986), Learning internal representations by error propagation,
        Parallel Distributed Processing 1.
    LeCun, Bottou, Orr & Müller (1998), Efficient backprop, Neural Networks: Tricks of the Trade.
"""

from itertools import pairwise
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from lightning_modules.norms import joint, norm
from lightning_modules.rules._rule import Rule, Seen


@final
class ClassicalBackpropagation(Rule):
    """Update after each example."""

    middle = 0.5
    has_errors = True

    def __init__(
        self,
        rate: float = 0.5,
        decay: float = 0.0,
        enough: float | None = 1.0,
        still: float | None = None,
        epoch: int | None = None,
    ):
        """By default the rule settles after an epoch in which all answers were right."""
        super().__init__(rate, decay, enough, still, epoch)

    def outputs(self, network: nn.Module, x_TBI: Tensor) -> Tensor:
        """Return h_L, (T, B, O)."""
        return network(x_TBI)

    def loss(self, z_NO: Tensor, t_NO: Tensor) -> Tensor:
        """Return the sum of ½ (t - h_L)²."""
        return (z_NO - t_NO).square().sum() / 2

    def sweep(
        self, network: nn.Module, x_NI: Tensor, t_NO: Tensor, rate: float, watched: bool
    ) -> Seen:
        """Go forward, back and update the weights, example by example."""
        layers = [_Layer.of(pair, len(x_NI), watched) for pair in _pairs(network)]
        below, top = [*pairwise(reversed(layers))], layers[-1]
        h_NO = x_NI.new_empty(t_NO.shape)
        targets, answers = t_NO.unbind(), h_NO.unbind()
        for n, x_I in enumerate(x_NI.unbind()):
            h_I = x_I
            for W_OI, b_O, h_O, *_ in layers:
                torch.sigmoid(torch.addmv(b_O, W_OI, h_I, out=h_O), out=h_O)
                h_I = h_O
            answers[n].copy_(h_I)
            torch.sub(h_I, targets[n], out=top.e[n])
            for upper, lower in below:
                _through(upper, n)
                torch.mv(upper.W_IO, upper.d[n], out=lower.e[n])
            _through(layers[0], n)
            h_I = x_I
            for W_OI, b_O, h_O, _, d, d_O1, _, moves_W, moves_b in layers:
                if moves_W:
                    W_OI.addcmul_(d_O1[n], h_I, value=-rate)
                if moves_b:
                    b_O.add_(d[n], alpha=-rate)
                h_I = h_O
        seen = self.judge(h_NO, t_NO)
        errors = _errors(network, layers) if watched else None
        return seen._replace(moved=rate * _length(x_NI[-1], layers), errors=errors)


class _Layer(NamedTuple):
    """A layer's weights, and memory for its vectors.

    Errors are kept for every example if they are watched; otherwise all examples share one vector.
    """

    W_OI: Tensor
    b_O: Tensor
    h_O: Tensor
    e: tuple[Tensor, ...]
    d: tuple[Tensor, ...]
    d_O1: tuple[Tensor, ...]
    W_IO: Tensor
    moves_W: bool
    moves_b: bool
    """Whether weights and biases train: a frozen layer passes errors on but stays as it is."""

    @classmethod
    def of(cls, pair: tuple[nn.Linear, nn.Module], examples: int, watched: bool) -> "_Layer":
        """Allocate the vectors for so many examples."""
        W_OI, b_O = pair[0].weight.detach(), pair[0].bias.detach()
        e_NO, d_NO = b_O.new_zeros(2, examples if watched else 1, len(b_O))
        if not watched:
            e_NO, d_NO = e_NO.expand(examples, -1), d_NO.expand(examples, -1)
        d = d_NO.unbind()
        columns = d_NO.unsqueeze(-1).unbind()
        moves = pair[0].weight.requires_grad, pair[0].bias.requires_grad
        return cls(W_OI, b_O, torch.empty_like(b_O), e_NO.unbind(), d, columns, W_OI.t(), *moves)


def _through(layer: _Layer, n: int) -> None:
    """Take an error back through the units: δ = e h (1 - h)."""
    d_O = torch.addcmul(layer.h_O, layer.h_O, layer.h_O, value=-1, out=layer.d[n])
    d_O.mul_(layer.e[n])


def _pairs(network: nn.Module) -> list[tuple[nn.Linear, nn.Module]]:
    """Return each affine layer with its logistic units; TypeError for any other layers."""
    modules = list(_children(network).values())
    pairs = list(zip(modules[::2], modules[1::2], strict=False))
    logistic = [isinstance(a, nn.Linear) and isinstance(b, nn.Sigmoid) for a, b in pairs]
    if not pairs or 2 * len(pairs) != len(modules) or not all(logistic):
        found = ", ".join(type(module).__name__ for module in modules) or "nothing"
        raise TypeError(f"classical back-propagation takes layers of logistic units, not {found}")
    return pairs  # pyright: ignore[reportReturnType]


def _children(network: nn.Module) -> dict[str, nn.Module]:
    """Return the layers by name; one that is used twice appears twice."""
    modules = network.named_modules(remove_duplicate=False)
    return {name: module for name, module in modules if name and "." not in name}


def _errors(network: nn.Module, layers: list[_Layer]) -> dict[str, Tensor]:
    """Return norms over all examples, by module: of δ for affine ones, of e for logistic ones."""
    names, found = list(_children(network)), []
    for layer in layers:
        found += [norm(torch.stack(layer.d)), norm(torch.stack(layer.e))]
    return dict(zip(names, found, strict=True))


def _length(x_I: Tensor, layers: list[_Layer]) -> float:
    """Return the norm of the last example's gradient; ‖δ h'‖ = ‖δ‖ ‖h‖ for each layer."""
    parts, h_I = [], x_I
    for layer in layers:
        from_W, from_b = layer.moves_W * norm(h_I), h_I.new_tensor(float(layer.moves_b))
        parts.append(norm(layer.d[-1]) * joint([from_W, from_b]))
        h_I = layer.h_O
    return float(joint(parts))
