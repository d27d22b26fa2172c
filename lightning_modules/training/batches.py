"""Checks of a batch before anything is learned from it.

They are made on the batch as its task made it, before it goes to a GPU, so that no check has to
wait for one.
"""

import torch
from torch import Tensor

from lightning_modules.interfaces import Batch
from lightning_modules.training.losses import Loss


def checked(batch: Batch, loss: Loss, outputs: int) -> Batch:
    """Return the batch with boolean flags; a one-line ValueError if shapes or targets do not fit.

    ``outputs`` is how many outputs a step has: the number of classes, or of values.
    """
    x_TBI, y_TB, mask_TB, resets_TB = batch
    if x_TBI.dim() != 3 or not x_TBI.shape[0] or not x_TBI.shape[1]:
        raise ValueError(
            f"x_TBI is {_shape(x_TBI)}: a batch has at least one step of one sample, (T, B, I)"
        )
    T, B, _ = x_TBI.shape
    of_steps = (T, B) if loss.classifies else (T, B, outputs)
    for name, part, shape in (
        ("y_TB", y_TB, of_steps),
        ("mask_TB", mask_TB, (T, B)),
        ("resets_TB", resets_TB, (T, B)),
    ):
        if part.shape != shape:
            raise ValueError(
                f"{name} is {_shape(part)} beside x_TBI of {_shape(x_TBI)} and {outputs} outputs: "
                f"it must be {shape}"
            )
    mask_TB, resets_TB = _flags("mask_TB", mask_TB), _flags("resets_TB", resets_TB)
    if loss.classifies:
        _refuse_no_class(y_TB, mask_TB, outputs)
    return Batch(x_TBI, y_TB, mask_TB, resets_TB)


def _flags(name: str, flags: Tensor) -> Tensor:
    """Return flags as booleans: as numbers they would be taken for indices or weights."""
    if flags.dtype == torch.bool:
        return flags
    if flags.is_floating_point() or flags.is_complex():
        raise ValueError(f"{name} is of {flags.dtype}: flags are booleans, or whole numbers")
    return flags != 0


def _refuse_no_class(y_TB: Tensor, mask_TB: Tensor, classes: int) -> None:
    """Raise ValueError for a counted target that is no class."""
    if y_TB.is_floating_point() or y_TB.is_complex():
        raise ValueError(f"y_TB is of {y_TB.dtype}: classes are whole numbers")
    wrong_TB = ((y_TB < 0) | (y_TB >= classes)) & mask_TB
    if wrong_TB.any():
        t, b = wrong_TB.nonzero()[0].tolist()
        raise ValueError(
            f"y_TB is {int(y_TB[t, b])} at step {t} of sample {b}: classes are 0 to "
            f"{classes - 1}, and what has none is masked"
        )


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
