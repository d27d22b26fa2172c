"""Exactness of gradients at every scale that a type can represent; nothing is timed.

A gradient is linear in the errors that it is computed from. Every algorithm goes along a stream, on
every cell that it accepts, in runs of a few steps, with errors times 10^k, over 600 decades in
float64 and 70 in float32. A row holds the worst over cells and scales of one algorithm and type.

    ten        relative error of a gradient from 10^k times the same algorithm's at scale 1
    bptt       from 10^k times back-propagation's at scale 1 in float64; exact algorithms only
    worst_at   the cell and the power of ten at which ``ten`` is the largest
    two        the range of powers of ten in which errors times the nearest power of two multiply
               the gradient by it, bit for bit; below the range some entries are subnormal
    cells      the number of cells that the algorithm accepts

Relative errors are of norms over all parameters, computed in float64 after division by the scale.
The limit of ``ten`` is ``OWN`` roundings of the type, that of ``bptt`` is ``ROUNDED``, because the
states at which the gradient is taken are rounded as well, which layer normalisation amplifies.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from benchmarks._timing import Constant, one_thread
from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Cell, Claim
from lightning_modules.norms import norm, ratio

INPUTS, STEPS, BATCH, LENGTHS = 3, 12, 2, (1, 5, 6)
POWERS = {"float64": range(-300, 301, 75), "float32": range(-35, 36, 7)}
OWN, ROUNDED = 8, 32

Row = dict[str, Any]


def run(
    hidden: int = 8,
    algorithms: str | tuple[str, ...] = tuple(ALGORITHMS),
    cells: str | tuple[str, ...] = tuple(CELLS),
) -> list[Row]:
    """Return a row for each algorithm and type."""
    names = (algorithms,) if isinstance(algorithms, str) else algorithms
    kinds = (cells,) if isinstance(cells, str) else cells
    with one_thread():
        return [_measured(name, kinds, hidden, kind) for name in names for kind in POWERS]


def _measured(name: str, kinds: tuple[str, ...], hidden: int, kind: str) -> Row:
    """Return the row of one algorithm and type."""
    dtype, powers = getattr(torch, kind), POWERS[kind]
    exact, taken, same = ALGORITHMS[name].claim is Claim.EXACT, 0, set(powers)
    worst, at = {"ten": 0.0, **({"bptt": 0.0} if exact else {})}, ""
    for of, cell in _cells(kinds, hidden):
        right_P = _gradient("bptt", cell.double(), 1.0) if exact else None
        try:
            plain_P = _gradient(name, cell.to(dtype), 1.0)
        except ValueError:
            continue  # the algorithm is not made for this cell
        taken += 1
        for power in powers:
            scale, two = 10.0**power, 2.0 ** round(power * math.log2(10))
            found_P = _gradient(name, cell, scale).double() / scale
            off = _off(found_P, plain_P.double())
            if off > worst["ten"]:
                worst["ten"], at = off, f"{of}, 1e{power}"
            if right_P is not None:
                worst["bptt"] = max(worst["bptt"], _off(found_P, right_P))
            if not torch.equal(_gradient(name, cell, two), plain_P * two):
                same.discard(power)
    eps = torch.finfo(dtype).eps
    return {
        "algorithm": name,
        "type": kind,
        "decades": powers[-1] - powers[0],
        "cells": taken,
        **worst,
        "worst_at": at,
        "two": _stretch(same, powers),
        "holds": worst["ten"] <= OWN * eps and worst.get("bptt", 0.0) <= ROUNDED * eps,
    }


def _stretch(same: set[int], powers: range) -> str:
    """Return the ends of the unbroken range of powers around 1, or "none"."""
    low = high = powers[len(powers) // 2]
    while low - powers.step in same:
        low -= powers.step
    while high + powers.step in same:
        high += powers.step
    return f"1e{low} to 1e{high}" if low in same else "none"


def _off(g_P: Tensor, right_P: Tensor) -> float:
    """Return ‖g - right‖ / ‖right‖; 0 where they are equal, infinite where g is not finite."""
    off, size = norm(g_P - right_P), norm(right_P)
    if off == 0:
        return 0.0
    return float(ratio(off, size)) if off.isfinite() and size > 0 else math.inf


def _cells(kinds: tuple[str, ...], hidden: int) -> Iterator[tuple[str, Cell]]:
    """Iterate over the cells with their names; a stack is an SRN under a GRU."""
    for name in kinds:
        torch.manual_seed(0)
        if CELLS[name] is Stack:
            yield name, Stack([CELLS["srn"](INPUTS, hidden), CELLS["gru"](hidden, hidden)])
        else:
            yield name, CELLS[name](INPUTS, hidden)


def _gradient(name: str, cell: Cell, scale: float) -> Tensor:
    """Return the gradient summed over a stream, (P,), with errors times the scale at every step."""
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    dtype = next(cell.parameters()).dtype
    x_TBI = torch.randn(STEPS, BATCH, INPUTS, generator=generator).to(dtype)
    c_BS = torch.randn(BATCH, cell.state_size, generator=generator).to(dtype)
    credit, rule = Constant((c_BS.double() * scale).to(dtype)), ALGORITHMS[name]()
    s_BS, memory, total_P = torch.zeros_like(c_BS), None, c_BS.new_zeros(())
    # Back-propagation remembers nothing from run to run: it sees the stream as a whole.
    for part_TBI in x_TBI.split((STEPS,) if name == "bptt" else LENGTHS):
        run = rule.run(cell, part_TBI, s_BS, credit, memory)
        s_BS, memory, total_P = run.state_BS, run.memory, total_P + run.gradient_P
    return total_P
