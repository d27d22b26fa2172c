"""Where the layers' h lie in the state of a cell."""

from collections.abc import Iterator
from typing import cast

from lightning_modules.interfaces import Cell


def layers_of(cell: Cell) -> list[slice]:
    """Return where each layer's h lies in the joint state, the bottom layer's first."""
    return [slice(start, start + layer.hidden_size) for _, start, layer in _walk(cell, 0, "")]


def names_of(cell: Cell) -> list[str]:
    """Return the prefix of each layer's gates' names: ``0.``, or ``1.0.`` in nested stacks."""
    return [name for name, _, _ in _walk(cell, 0, "")]


def _walk(cell: Cell, start: int, name: str) -> Iterator[tuple[str, int, Cell]]:
    """Iterate over the layers from the bottom; in a state the top layer's memory comes first."""
    # Not by isinstance: importing Stack would make every trained result depend on its code.
    layers = getattr(cell, "cells", None)
    if layers is None:
        yield name, start, cell
        return
    stop = start + cell.state_size
    for level, layer in enumerate(layers):
        inner = cast("Cell", layer)
        stop -= inner.state_size
        yield from _walk(inner, stop, f"{name}{level}.")
