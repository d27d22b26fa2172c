"""A linear readout as credit: the loss's derivative by the state, and the readout's own gradient.

    z = V h + c        h = s[:H]        d = dL/dz
    dL/dh = d V        dL/dV = Σ d ⊗ h        dL/dc = Σ d

All sums run over the outputs that the mask counts; nothing is divided by their number.
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.training.losses import Loss


@final
class ReadoutCredit:
    """The ``Credit`` of one stretch of a sequence; it sums up losses and gradients as it is called.

    Attributes:
        loss: the loss summed over the counted outputs so far, a scalar.
        counted: how many outputs the mask counts in the whole stretch.
        gradient_P: the derivative of ``loss`` by V, then c, flattened.
    """

    def __init__(
        self, readout: nn.Linear, loss: Loss, y_TB: Tensor, mask_TB: Tensor, counted_T: list[int]
    ):
        """Read ``readout`` against targets ``y_TB``; ``counted_T`` is the mask summed over B."""
        self._readout, self._loss = readout, loss
        self._y_TB, self._mask_TB, self._counted_T = y_TB, mask_TB.bool(), counted_T
        self.counted = sum(counted_T)
        self.loss = readout.weight.new_zeros(())
        self.gradient_P = readout.weight.new_zeros(readout.weight.numel() + readout.bias.numel())
        self._dV_OH = self.gradient_P[: readout.weight.numel()].view_as(readout.weight)
        self._dc_O = self.gradient_P[readout.weight.numel() :]

    def __call__(self, t: int, s_BS: Tensor) -> Tensor:
        """Return the derivative of step t's loss by the state, (B, S)."""
        return self._credit(s_BS, self._y_TB[t], self._mask_TB[t], self._counted_T[t])

    def sequence(self, s_TBS: Tensor) -> Tensor:
        """Return the derivative of all steps' losses by their states, (T, B, S)."""
        return self._credit(s_TBS, self._y_TB, self._mask_TB, self.counted)

    @torch.no_grad()
    def _credit(self, s: Tensor, y: Tensor, mask: Tensor, counted: int) -> Tensor:
        """Read the counted states and leave zeros at the others."""
        c = torch.zeros_like(s)
        if not counted:
            return c
        rows, targets, into = (
            s.flatten(0, -2),
            y.flatten(0, mask.dim() - 1),
            c.view(-1, s.shape[-1]),
        )
        if counted == mask.numel():
            into[:, : self._readout.in_features] = self._read(rows, targets)
        else:
            kept_N = mask.flatten().nonzero().squeeze(-1)
            into[kept_N, : self._readout.in_features] = self._read(rows[kept_N], targets[kept_N])
        return c

    def _read(self, s_NS: Tensor, y_N: Tensor) -> Tensor:
        """Book N outputs' losses and gradients, and return dL/dh, (N, H)."""
        h_NH = s_NS[:, : self._readout.in_features]
        loss, d_NO = self._loss.derivative(self._readout(h_NH), y_N)
        self.loss += loss
        self._dV_OH.addmm_(d_NO.T, h_NH)
        self._dc_O += d_NO.sum(dim=0)
        return d_NO @ self._readout.weight
