"""The probes, one a file, found by file name; and ``watch``, for models of one's own."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from torch import nn

from lightning_modules.probes._base import Probe
from lightning_modules.probes._watching import Record, watching
from lightning_modules.registry import discover

PROBES = discover(__name__, __path__, Probe)


def watch(
    model: nn.Module, probes: Iterable[str], **options: dict[str, Any]
) -> AbstractContextManager[Record]:
    """Probe every torch.nn.RNN, GRU and LSTM of a model, whatever trains it, while a block runs.

    L is what ``backward`` is called on. Each backward pass counts as a step, and ``every`` counts
    these. ``options`` go to the probe of their name: ``spectrum={"every": 10}``.

    Raises:
        UnknownNameError: a name is none of the probes'.
        ValueError: the model has no such layer, or the probe sees more of training than a layer;
            on the way back, a layer that has no counterpart among the cells.
    """
    return watching(model, probes, options, PROBES)
