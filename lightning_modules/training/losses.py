"""Losses of N counted outputs, with the derivative that back-propagation starts from.

    cross_entropy    L = -log softmax(z)_y          dL/dz = softmax(z) - onehot(y)
    squared_error    L = mean over O of (z - y)²    dL/dz = 2 (z - y) / O

Values are sums over the N outputs; learners divide by N.
"""

import abc
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lightning_modules.registry import UnknownNameError, nearest

NO_CLASS = -(2**62)
"""torch's ``ignore_index``: its default, -100, would silently drop a target that lacks a mask."""


class Loss(abc.ABC):
    """A loss of outputs z against targets y."""

    classifies: bool

    @abc.abstractmethod
    def value(self, z_NO: Tensor, y_N: Tensor) -> Tensor:
        """Return the loss summed over N, for automatic differentiation to go through."""

    @abc.abstractmethod
    def derivative(self, z_NO: Tensor, y_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss summed over N and its derivative by z, (N, O), written out."""

    @abc.abstractmethod
    def targets(self, y_TB: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the targets in the type that this loss takes them in."""


@final
class CrossEntropy(Loss):
    """Of class numbers y, (N,), under the softmax of z."""

    classifies = True

    def value(self, z_NO: Tensor, y_N: Tensor) -> Tensor:
        """Return the sum of -log softmax(z)_y."""
        _same(z_NO.shape[:-1], y_N.shape)
        return cross_entropy(z_NO, y_N, reduction="sum", ignore_index=NO_CLASS)

    def derivative(self, z_NO: Tensor, y_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return that sum and softmax(z) - onehot(y)."""
        _same(z_NO.shape[:-1], y_N.shape)
        log_NO, y_N1 = z_NO.log_softmax(dim=-1), y_N.unsqueeze(-1)
        loss = -log_NO.gather(-1, y_N1).sum()
        return loss, log_NO.exp_().scatter_add_(-1, y_N1, log_NO.new_full(y_N1.shape, -1.0))

    def targets(self, y_TB: Tensor, dtype: torch.dtype) -> Tensor:
        """Return class numbers, whatever the type of the weights."""
        return y_TB.long()


@final
class SquaredError(Loss):
    """Of values y, (N, O), as the mean over O."""

    classifies = False

    def value(self, z_NO: Tensor, y_N: Tensor) -> Tensor:
        """Return the sum of mean (z - y)²."""
        _same(z_NO.shape, y_N.shape)
        return (z_NO - y_N).pow(2).sum() / z_NO.shape[-1]

    def derivative(self, z_NO: Tensor, y_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return that sum and 2 (z - y) / O."""
        _same(z_NO.shape, y_N.shape)
        e_NO = z_NO - y_N
        return e_NO.pow(2).sum() / z_NO.shape[-1], e_NO.mul_(2 / z_NO.shape[-1])

    def targets(self, y_TB: Tensor, dtype: torch.dtype) -> Tensor:
        """Return values in the type of the weights."""
        return y_TB.to(dtype)


LOSSES: dict[str, Loss] = {"cross_entropy": CrossEntropy(), "squared_error": SquaredError()}


def counted_only(z_TBO: Tensor, y_TB: Tensor, mask_TB: Tensor) -> tuple[Tensor, Tensor]:
    """Return the outputs and targets that count, (N, O) and (N,) or (N, O)."""
    mask_TB = mask_TB.bool()
    if mask_TB.all():  # views: a gather, and its scatter on the way back, cost more than the loss
        return z_TBO.flatten(0, 1), y_TB.flatten(0, 1)
    return z_TBO[mask_TB], y_TB[mask_TB]


def _same(outputs: torch.Size, targets: torch.Size) -> None:
    """Raise ValueError for targets that would be broadcast against the outputs."""
    if outputs != targets:
        raise ValueError(
            f"outputs ask for targets of {tuple(outputs)}, given are {tuple(targets)}: "
            "give one target for each output"
        )


def loss_named(name: str) -> Loss:
    """Return the loss of that name; UnknownNameError if there is none."""
    if name not in LOSSES:
        raise UnknownNameError(f"{name!r} is not one of the losses: {nearest(name, LOSSES)}")
    return LOSSES[name]
