"""The eigenvalues of a game's Jacobian, exactly, in float64: do the players converge or rotate?

    v = -(∂L_D/∂w_D, ∂L_G/∂w_G)        λ: the eigenvalues of ∂v/∂w, on the present batch

    abscissa    the largest Re λ: above 0 even the flow dw/dt = v diverges
    turning     the largest |Im λ|
    rotation    the share of eigenvalues with |Im λ| > |Re λ|
    real, imaginary    the parts of the ``leading`` eigenvalues, the largest |λ| first

An eigenvalue of the size of rounding belongs to a direction in which nothing changes, and is left
out of the first three. Costs a backward pass for each weight, so it is for small players: for more
than ``most`` weights it measures nothing and says so.

References:
    Mescheder, Nowozin & Geiger (2017), The numerics of GANs, NeurIPS, arXiv:1705.10461.
    Berard, Gidel, Almahairi, Vincent & Lacoste-Julien (2020), A closer look at the optimization
        landscapes of generative adversarial networks, ICLR, arXiv:1906.04848.
"""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lightning_modules.adversaries._field import exactly, jacobian
from lightning_modules.adversaries._round import Round
from lightning_modules.checks import whole
from lightning_modules.instruments import Row
from lightning_modules.probes._base import Probe

FLAT = 1e-9
"""|λ| below this share of the largest is rounding: a direction in which nothing changes."""


@final
class GameSpectrum(Probe):
    """Abscissa, turning and rotation, and the leading eigenvalues."""

    sees = frozenset({"games"})

    def __init__(self, every: int = 500, most: int = 2_000, leading: int = 0):
        """Look at games of at most ``most`` weights; tell ``leading`` eigenvalues one by one."""
        super().__init__(every)
        whole(1, most=most)
        whole(0, leading=leading)
        self.most, self.leading = most, leading

    def passed(self, seen: Round) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keep what the eigenvalues tell, if there are at most ``most`` weights."""
        size = sum(w.numel() for w in [*seen.weights_D, *seen.weights_G])
        if size > self.most:
            self.remark(f"does not see games of more than {self.most:,} weights: here {size:,}")
            return
        with torch.random.fork_rng([]):
            J_PP = jacobian(exactly(seen.game, seen.x_BI, seen.y_B, seen.z_BZ))
        values_P = torch.linalg.eigvals(J_PP)
        order_P = values_P.abs().argsort(descending=True, stable=True)[: self.leading]
        parts_L2 = torch.view_as_real(values_P[order_P])
        self.keep(**told_of(values_P), **({"leading": parts_L2} if self.leading else {}))

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity."""
        leading_L2 = means.pop("leading", torch.zeros(0, 2))
        for quantity, value in means.items():
            yield {"quantity": quantity, "value": float(value)}
        for number, parts in enumerate(leading_L2.tolist()):
            for quantity, value in zip(("real", "imaginary"), parts, strict=True):
                yield {"quantity": quantity, "number": number, "value": value}


def told_of(values_P: Tensor) -> dict[str, Tensor]:
    """Return what some eigenvalues say of a game."""
    size_P = values_P.abs()
    values_P = values_P[size_P > FLAT * size_P.max()]
    real_P, turn_P = values_P.real, values_P.imag.abs()
    return {
        "abscissa": real_P.max(),
        "turning": turn_P.max(),
        "rotation": (turn_P > real_P.abs()).double().mean(),
    }
