"""NARX network: the next output from a window of past outputs and a window of inputs.

    y_t = V tanh(Σ_{k=0}^{K_x} U_k x_{t-k} + Σ_{k=1}^{K_y} W_k y_{t-k} + b) + c

Teacher-forced, y_{t-1} and earlier are the true outputs, given with the inputs, so all steps are
computed at once. After ``known`` steps it runs freely: its own outputs are fed back, one step at a
time, and training goes back through them. Teacher-forced and without inputs x it is a TDNN of one
hidden layer; running freely it is the cell ``cells/narx.py`` with hidden units. Before the first
step all is zero.

Cost: O((K_x I + K_y O) n) a step, n the number of hidden units.

References:
    Narendra & Parthasarathy (1990), Identification and control of dynamical systems using neural
        networks, IEEE Transactions on Neural Networks 1(1): series-parallel and parallel models.
    Lin, Horne, Tiňo & Giles (1996), Learning long-term dependencies in NARX recurrent neural
        networks, IEEE Transactions on Neural Networks 7(6).
"""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from lightning_modules.checks import whole


@final
class NARX(nn.Module):
    """One hidden layer of tanh units over both windows."""

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden: int,
        delays: int,
        input_delays: int = 0,
        known: int | None = None,
    ):
        """``input_size`` counts inputs and true outputs; ``delays`` is K_y, ``input_delays`` K_x.

        ``known`` is how many steps are teacher-forced; None is all. ValueError for sizes that do
        not fit.
        """
        super().__init__()
        whole(1, output_size=output_size, hidden=hidden, delays=delays)
        whole(0, input_delays=input_delays)
        if known is not None:
            whole(0, "or None", known=known)
        if input_size < output_size:
            raise ValueError(
                f"input_size is {input_size}: the {output_size} true outputs are among the inputs"
            )
        self.output_size, self.delays, self.known = output_size, delays, known
        self._steps, external = input_delays + 1, input_size - output_size
        self.U = nn.Parameter(torch.empty(hidden, self._steps * external))
        self.W = nn.Parameter(torch.empty(hidden, delays * output_size))
        self.b = nn.Parameter(torch.empty(hidden))
        bound = (self._steps * external + delays * output_size) ** -0.5
        for weights in self.parameters():
            nn.init.uniform_(weights, -bound, bound)
        self.readout = nn.Linear(hidden, output_size)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return every step's output, (T, B, O); the last O columns of x_t are the true y_{t-1}."""
        x_TBI, y_TBO = x_TBI.split([x_TBI.shape[-1] - self.output_size, self.output_size], dim=-1)
        z_TBH = linear(_window(x_TBI, self._steps), self.U, self.b)
        T = len(z_TBH)
        forced = T if self.known is None else min(self.known, T)
        before_TBN = _window(y_TBO[:forced], self.delays)
        outputs = list(self.readout((z_TBH[:forced] + linear(before_TBN, self.W)).tanh()))
        none_BN = y_TBO.new_zeros(y_TBO.shape[1], self.W.shape[1])
        line_BN = before_TBN[-1] if forced else none_BN
        for t in range(forced, T):
            if outputs:  # the newest in front, the oldest falls out
                kept_BN = line_BN[:, : -self.output_size]
                line_BN = torch.cat([outputs[-1], kept_BN], dim=-1)
            outputs.append(self.readout((z_TBH[t] + linear(line_BN, self.W)).tanh()))
        return torch.stack(outputs)


def _window(of_TBN: Tensor, steps: int) -> Tensor:
    """Return the last ``steps`` values of each step side by side, the newest first."""
    if not len(of_TBN):
        return of_TBN.new_zeros(0, of_TBN.shape[1], steps * of_TBN.shape[2])
    padded = pad(of_TBN, (0, 0, 0, 0, steps - 1, 0))
    return padded.unfold(0, steps, 1).flip(-1).transpose(-1, -2).flatten(2)
