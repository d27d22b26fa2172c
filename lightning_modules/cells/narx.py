"""NARX network as a cell: its memory is delay lines of its past outputs and inputs.

    h'  = tanh(z)                               directly, or behind a layer of hidden units:
    h'  = V tanh(z) + c
    z   = Σ_{k=0}^{K_x} U_k x_{t-k} + Σ_{k=1}^{K_y} W_k h_{t-k} + b

Without hidden units and with one delay it is Elman's network. With K_y delays there are paths back
through time that are K_y times shorter, so error that shrinks by a factor a step lasts K_y times as
long. With hidden units it is the network ``networks/narx.py`` running on its own outputs.

The state is both delay lines, s = [h_t, h_{t-1}, …, x_t, x_{t-1}, …]: S = K_y H + K_x I. The step
is not unit-wise, so torch.func computes its derivatives (``_forward.py``). O((S + I) H) a step.

References:
    Lin, Horne, Tiňo & Giles (1996), Learning long-term dependencies in NARX recurrent neural
        networks, IEEE Transactions on Neural Networks 7(6).
    Siegelmann, Horne & Giles (1997), Computational capabilities of recurrent NARX neural networks,
        IEEE Transactions on Systems, Man, and Cybernetics B 27(2).
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.cells._forward import ForwardCell
from lightning_modules.checks import whole


@final
class NARX(ForwardCell):
    """One map of past outputs and inputs to the next output."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        delays: int = 3,
        input_delays: int = 0,
        units: int | None = None,
    ):
        """``hidden_size`` outputs h are fed back, through ``delays`` steps.

        ``units`` counts hidden units; None has none. U, W and b start uniform in ± 1/sqrt(n), n
        being the number of inputs of a unit.
        """
        whole(1, delays=delays)
        whole(0, input_delays=input_delays)
        if units is not None:
            whole(1, "or None", units=units)
        lines = delays * hidden_size, input_delays * input_size
        super().__init__(input_size, hidden_size, state_size=sum(lines))
        above = hidden_size if units is None else units
        self.U = nn.Parameter(torch.empty(above, input_size + lines[1]))
        self.W = nn.Parameter(torch.empty(above, lines[0]))
        self.b = nn.Parameter(torch.empty(above))
        own = (lines[0] + input_size + lines[1]) ** -0.5
        for weights in self.parameters():
            nn.init.uniform_(weights, -own, own)
        self.readout = None if units is None else nn.Linear(units, hidden_size)
        self.delays, self.input_delays = delays, input_delays

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Return both delay lines a step later."""
        H, split = self.hidden_size, self.delays * self.hidden_size
        h_BN, x_BN = s_BS[..., :split], torch.cat([x_BI, s_BS[..., split:]], dim=-1)
        h_BH = (x_BN @ self.U.T + h_BN @ self.W.T + self.b).tanh()
        if self.readout is not None:
            h_BH = self.readout(h_BH)
        kept = self.input_delays * self.input_size
        return torch.cat([h_BH, h_BN[..., : split - H], x_BN[..., :kept]], dim=-1)
