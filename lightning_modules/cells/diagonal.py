"""Diagonal linear recurrence: the linear recurrent unit.

    λ  = exp(-exp(ν) + i exp(θ))        |λ| < 1 whatever ν and θ are
    h' = λ h + exp(γ) (U x + b)         γ starts at log sqrt(1 - |λ|²), which normalises h

h is complex: s = [Re h, Im h], so S = 2H, and the network sees its real part. The rows of z are
[Re, Im, ν, θ, γ], of which the last three are parameters alone. The real form has θ = 0 and no
imaginary half: s = [h], S = H, and rows [Re, ν, γ]. O(n m) a step, linear in h, diagonal by unit.

|λ|² starts uniform between r_min² and r_max², and the phase between 0 and max_phase.

References:
    Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu & De (2023), Resurrecting recurrent neural
        networks for long sequences, ICML, arXiv:2303.06349. It has no b.
    Zucchet, Meier, Schug, Mujika & Sacramento (2023), Online learning of long-range dependencies,
        NeurIPS, arXiv:2305.15947.
"""

import math
from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.registry import nearest

_STATE_BLOCKS = {"complex": 2, "real": 1}


@final
class Diagonal(UnitwiseCell):
    """Orvieto's recurrence, without what surrounds it in a layer."""

    held = slice(0, 2)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        form: str = "complex",
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 2 * math.pi,
    ):
        """Build the cell; ``form`` is complex or real, the rest are the paper's starting values."""
        if form not in _STATE_BLOCKS:
            raise ValueError(f"form {form!r} is unknown: {nearest(form, _STATE_BLOCKS)}")
        if not 0 <= r_min < r_max <= 1:
            raise ValueError(f"r_min is {r_min} and r_max is {r_max}: 0 <= r_min < r_max <= 1")
        K = _STATE_BLOCKS[form]
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=K,
            blocks=2 * K + 1,
            input_blocks=slice(0, K),
            recurrent_blocks=slice(0, 0),
        )
        with torch.no_grad():
            # 1 - u is in (0, 1]: a |λ| of zero would have ν at infinity.
            square_H = r_max**2 - (r_max**2 - r_min**2) * torch.rand(hidden_size)
            square_H.clamp_(1e-12, 1 - 1e-6)
            rows = self.b.view(-1, hidden_size)[K:]
            rows[0] = (-0.5 * square_H.log()).log()
            rows[-1] = 0.5 * (1 - square_H).log()
            if K == 2:
                rows[1] = (max_phase * (1 - torch.rand(hidden_size))).log()

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return [Re h', Im h'], or h' of the real form."""
        if self.state_size == self.hidden_size:
            x, nu, gamma = z_BZ.chunk(3, dim=-1)
            return (-nu.exp()).exp() * s_BS + gamma.exp() * x
        re, im, nu, theta, gamma = z_BZ.chunk(5, dim=-1)
        a, b = _eigenvalue(nu, theta)
        h_re, h_im = s_BS.chunk(2, dim=-1)
        re, im = gamma.exp() * re, gamma.exp() * im
        return torch.cat([a * h_re - b * h_im + re, b * h_re + a * h_im + im], dim=-1)

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and E = λ as a matrix of its real and imaginary parts.

        dλ/dν = -exp(ν) λ and dλ/dθ = i exp(θ) λ, each times h; what γ scales is exp(γ) x.
        """
        H = self.hidden_size
        if self.state_size == H:
            x, nu, gamma = z_BZ.split(H, dim=-1)
            e, a = gamma.exp(), (-nu.exp()).exp()
            C_BGH = torch.stack([e, -nu.exp() * a * s_BS, e * x], dim=-2)
            return C_BGH.unsqueeze(-3), a[..., None, None, :]
        re, im, nu, theta, gamma = z_BZ.split(H, dim=-1)
        a, b = _eigenvalue(nu, theta)
        h_re, h_im = s_BS.split(H, dim=-1)
        on_re, on_im = a * h_re - b * h_im, b * h_re + a * h_im
        rate, speed, e, zero = nu.exp(), theta.exp(), gamma.exp(), torch.zeros_like(re)
        of_re = torch.stack([e, zero, -rate * on_re, -speed * on_im, e * re], dim=-2)
        of_im = torch.stack([zero, e, -rate * on_im, speed * on_re, e * im], dim=-2)
        E = torch.stack([a, -b, b, a], dim=-2).unflatten(-2, (2, 2))
        return torch.stack([of_re, of_im], dim=-3), E


def _eigenvalue(nu: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return Re λ and Im λ."""
    modulus, phase = (-nu.exp()).exp(), theta.exp()
    return modulus * phase.cos(), modulus * phase.sin()
