"""The vector field of a game and its Jacobian, by automatic differentiation in float64.

    v(w) = -(∂L_D/∂w_D, ∂L_G/∂w_G)        J = ∂v/∂w        w: both players' weights, D's first

A simultaneous step of size h is w <- w + h v(w). Near a fixed point it multiplies the component
along an eigenvector of J with eigenvalue λ by 1 + hλ. A pure rotation, Im λ ≠ 0 and Re λ = 0,
therefore grows: |1 + hλ| > 1. An alternating step is the product of two shears: first
w_D <- w_D + h v_D(w), then w_G <- w_G + h v_G at the new w_D.

Cost: P backward passes, P the number of weights of both players.

References:
    Mescheder, Nowozin & Geiger (2017), The numerics of GANs, NeurIPS, arXiv:1705.10461.
    Nagarajan & Kolter (2017), Gradient descent GAN optimization is locally stable, NeurIPS,
        arXiv:1706.04156.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_modules.adversaries._round import Game, Round

TOGETHER = 64
"""How many rows of the Jacobian one backward pass computes: a bound on memory."""


def exactly(game: Game, x_BI: Tensor, y_B: Tensor, z_BZ: Tensor) -> Round:
    """Return the round of a float64 copy of the players; the originals do not change."""
    adversary = copy.deepcopy(game.adversary).double()
    twin = game._replace(adversary=adversary)
    return Round(twin, x_BI.double(), y_B, z_BZ.double())


def field(played: Round, graph: bool = False) -> Tensor:
    """Return v, (P,); with ``graph`` v can itself be differentiated."""
    parts = [
        *torch.autograd.grad(played.loss_D, played.weights_D, create_graph=True),
        *torch.autograd.grad(played.loss_G, played.weights_G, create_graph=True),
    ]
    v_P = -torch.cat([part.flatten() for part in parts])
    return v_P if graph else v_P.detach()


def move(game: Game, batch: tuple[Tensor, Tensor, Tensor], step: float, alternating: bool) -> None:
    """Move both players by plain gradient steps, in place: D and then G, or both at once."""
    played = Round(game, *batch)
    of_D = torch.autograd.grad(played.loss_D, played.weights_D, retain_graph=True)
    if alternating:
        _down(played.weights_D, of_D, step)
        played = Round(game, *batch)
    of_G = torch.autograd.grad(played.loss_G, played.weights_G)
    if not alternating:
        _down(played.weights_D, of_D, step)
    _down(played.weights_G, of_G, step)


def jacobian(played: Round) -> Tensor:
    """Return J, (P, P)."""
    with torch.enable_grad():
        v_P = field(played, graph=True)
        weights = [*played.weights_D, *played.weights_G]
        rows = [
            torch.autograd.grad(
                v_P,
                weights,
                some_RP,
                retain_graph=True,
                is_grads_batched=True,
                materialize_grads=True,
            )
            for some_RP in torch.eye(len(v_P), dtype=v_P.dtype).split(TOGETHER)
        ]
    return torch.cat([torch.cat([g.flatten(1) for g in of], dim=1) for of in rows])


def shears(J_PP: Tensor, of_D: int, step: float) -> Tensor:
    """Return the matrix of an alternating step near a fixed point, (P, P): D moves, then G.

    ``of_D`` is the number of D's weights. The matrix of a simultaneous step is 1 + step J.
    """
    P = len(J_PP)
    only_D, only_G = torch.eye(P, dtype=J_PP.dtype), torch.eye(P, dtype=J_PP.dtype)
    only_D[:of_D] += step * J_PP[:of_D]
    only_G[of_D:] += step * J_PP[of_D:]
    return only_G @ only_D


@torch.no_grad()
def _down(weights: list[nn.Parameter], gradients: Sequence[Tensor], step: float) -> None:
    for w, g in zip(weights, gradients, strict=True):
        w.sub_(g, alpha=step)
