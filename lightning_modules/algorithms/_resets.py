"""Resets in a memory: a sample's part is set to zero, not multiplied, since 0 · inf is NaN."""

from collections.abc import Iterator

import torch
from torch import Tensor

from lightning_modules.interfaces import Trajectory


def forget(path: Trajectory, t: int, *memory_BN: Tensor) -> None:
    """Set to zero, in place, what is remembered of the samples that are reset before step t."""
    resets_TB = path.resets_TB
    if resets_TB is not None:
        for m_BN in memory_BN:
            m_BN.masked_fill_(resets_TB[t].view(-1, *[1] * (m_BN.dim() - 1)), 0)


def stretches(path: Trajectory) -> Iterator[tuple[int, Trajectory]]:
    """Iterate over stretches of steps that no sample is reset within, each with its first step.

    What goes back through a stretch meets no step from before a reset.
    """
    starts, T = [0], len(path)
    if path.resets_TB is not None and T > 1:
        starts += (path.resets_TB[1:].any(1).nonzero().squeeze(1) + 1).tolist()
    for first, last in zip(starts, [*starts[1:], T], strict=True):
        yield first, path if last - first == T else path.part(first, last)


def without_what_resets_hide(path: Trajectory) -> Trajectory:
    """Return the steps, with zeros in a sample's steps from before its last reset."""
    resets_TB = path.resets_TB
    if resets_TB is None or not resets_TB[1:].any():
        return path
    since_TB = resets_TB.flip(0).cumsum(0).flip(0) > 0  # reset at this step or later
    return path.without(torch.cat([since_TB[1:], torch.zeros_like(since_TB[:1])]))
