"""Leaky units: a continuous-time network taken in steps of dt.

    τ dh/dt = -h + f(U x + W h + b)

    z  = U x + W h + b
    h' = (1 - dt/τ) h + (dt/τ) tanh(z)

The forward Euler form; dt = τ is the simple recurrent network. O(n²) a step. The state is h
alone, so S = H.

References:
    Funahashi & Nakamura (1993), Approximation of dynamical systems by continuous time recurrent
        neural networks, Neural Networks 6(6).
    Jaeger, Lukosevicius, Popovici & Siewert (2007), Optimization and applications of echo state
        networks with leaky-integrator neurons, Neural Networks 20(3).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class Leaky(UnitwiseCell):
    """Leaky integrators of tanh."""

    held = slice(0, 1)

    def __init__(self, input_size: int, hidden_size: int, tau: float = 10.0, dt: float = 1.0):
        """Build the cell; it forgets by 1/e in about ``tau`` / ``dt`` steps."""
        if not 0 < dt <= tau:
            raise ValueError(f"dt is {dt} and tau is {tau}: dt must be above 0 and at most tau")
        one = slice(0, 1)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=1,
            input_blocks=one,
            recurrent_blocks=one,
        )
        self.leak = dt / tau

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return h'."""
        return torch.lerp(s_BS, z_BZ.tanh(), self.leak)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write h' and leave tanh(z) in z."""
        torch.lerp(s_BS, z_BZ.tanh_(), self.leak, out=next_BS)

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return (dt/τ)(1 - tanh²z) and dh'/dh = 1 - dt/τ at fixed z."""
        leak = z_BZ.new_full((), self.leak)
        C_BH = torch.addcmul(leak, z_BZ, z_BZ, value=-self.leak)
        return C_BH[..., None, None, :], torch.full_like(s_BS, 1 - self.leak)[..., None, None, :]
