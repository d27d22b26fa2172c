"""What a record of steps holds."""

from typing import NamedTuple

from torch import Tensor


class Steps(NamedTuple):
    """What is kept of every step; time is the first axis."""

    x_TBI: Tensor
    h_TBH: Tensor
    """Before the step, after resets."""
    C_TBKGH: Tensor
    E_TBKJH: Tensor
    keep_TB1: Tensor
    """0 for a sample that was reset before the step, else 1."""


def grown(steps: Steps, room: int) -> Steps:
    """Return storage for ``room`` steps that begins with these."""
    bigger = Steps(*(field.new_zeros(room, *field.shape[1:]) for field in steps))
    for into, field in zip(bigger, steps, strict=True):
        into[: len(field)] = field
    return bigger
