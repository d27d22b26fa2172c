"""Exact gradients on a stream: dense and blocked RTRL beside a lower bound for dense RTRL.

One thread (or a GPU with ``device=cuda``), float32, timed as ``_timing`` says. The floor is dense
RTRL's 2 S² P operations a step, at the rate of a large matrix product measured in the same round.
``…_under_floor`` is the floor over the time: how many times faster a form is than the fastest
possible dense RTRL.

    dense            the gradient at every step
    every            the same by blocked RTRL, in blocks of ``every`` steps (by default S), or up to
                     four times as many
    remembering      the same for a network that forgets nothing within a block of n/2 steps, over
                     the blocks from one test of how far back credit matters to the next
    summed           the gradient summed over each block of ``summed`` steps (by default 2 n)
    reading          one row times the influence, (B S × P), alone
    … captured       on a GPU, ``every`` and ``summed``, a whole block as one CUDA graph

A newly initialised network forgets, so its credit need not be sent back to a block's start and
multiplied by the influence there. A network that remembers has to read the whole influence once
for the gradient of each step. So ``remembering_at_most`` is what ``remembering_under_floor`` would
be if all else took no time; where it is below a target, the CPU's memory is too slow for its
arithmetic, and no form can reach the target. This network has orthogonal recurrent weights, or a
forget gate's bias of 6.

``error`` is the largest relative distance from automatic differentiation, over forms and blocks of
parameters, in float64, on a stream that crosses four blocks. With at least three sizes from 64 up a
last row fits time ~ n^k; its ± is the half-width of the 95 % interval. Dense RTRL is timed only up
to n = ``dense``: at 512 a step is 143 GFLOP on 570 MB. Targets are for the CPU only.
"""

import copy
from typing import Any

import torch

from benchmarks._exact import autograd, distance, summed
from benchmarks._timing import (
    Work,
    captured,
    interleaved,
    model,
    one_thread,
    product,
    rate,
    several,
    stream,
)
from lightning_modules.algorithms._block import STRETCH, UNASKED
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Cell
from lightning_modules.starts.forget_bias import ForgetBias
from lightning_modules.starts.orthogonal import Orthogonal
from pipeline.measuring.statistics import exponent

INPUTS, LARGE, HUGE, MOST, READINGS = 32, 64, 512, 3.2, 8
TARGETS: dict[tuple[str, int, int], dict[str, float]] = {
    ("srn", 128, 1): {
        "dense_of_peak": 0.7,
        "every_times_dense": 4,
        "summed_times_dense": 20,
        "every_under_floor": 6,
        "summed_under_floor": 30,
    },
    ("srn", 256, 1): {"dense_of_peak": 0.9, "every_under_floor": 14, "summed_under_floor": 75},
    ("srn", 128, 32): {"every_under_floor": 8, "summed_under_floor": 30},
    ("lstm", 128, 1): {"every_under_floor": 10, "summed_under_floor": 30},
    ("gru", 128, 1): {"every_under_floor": 10, "summed_under_floor": 30},
}
"""Lower limits by cell, n and batch; those of ``every`` hold for ``remembering``, too."""

Row = dict[str, Any]


def run(
    sizes: int | tuple[int, ...] = (16, 32, 64, 128),
    batch: int = 1,
    cell: str = "srn",
    dense: int = 256,
    every: int | None = None,
    summed: int | None = None,
    device: str = "cpu",
) -> list[Row]:
    """Return a row for each number of hidden units, and one for the fitted exponents."""
    with one_thread(device):
        rows = [
            _measured(cell, n, batch, n <= dense, every, summed, device) for n in several(sizes)
        ]
    return [*rows, *_exponents(rows)]


def _measured(
    name: str,
    n: int,
    batch: int,
    dense: bool,
    every: int | None,
    summed: int | None,
    device: str,
) -> Row:
    """Return the figures of one size."""
    torch.manual_seed(0)
    cell = CELLS[name](INPUTS, n).to(device)
    half, summed = max(8, n // 2), summed or 2 * n
    period = UNASKED + 1 if device == "cpu" else 1
    every_steps = every or cell.state_size
    operations = 2 * cell.state_size**2 * sum(w.numel() for w in cell.parameters()) * batch
    work = {
        "product": product(device),
        "every": stream(BlockedRTRL(every_steps), cell, batch, 1, STRETCH * every_steps),
        "remembering": stream(BlockedRTRL(half), _remembering(cell), batch, 1, period * half),
        "reading": _reading(cell, batch),
        "summed": stream(BlockedRTRL(summed), cell, batch, summed, summed * (2 if n < HUGE else 1)),
    }
    if device != "cpu":
        parts = {"every": stream(BlockedRTRL(half), cell, batch, 1, half), "summed": work["summed"]}
        work |= {f"{form}_captured": captured(part) for form, part in parts.items()}
    if dense:
        work["dense"] = stream(RTRL(), cell, batch, 1, _dense_steps(operations))
    # A round at n = 512 takes half a minute.
    seconds = interleaved(work, 3 if n >= HUGE and device == "cpu" else None, device)
    row: Row = {"device": model(device), "cell": name, "n": n, "batch": batch}
    row |= {"every_steps": every_steps, "summed_steps": summed}
    peak = rate(seconds.pop("product"), device)
    row |= _figures(operations, peak, seconds) | {"error": _error(name, min(n, 64), device)}
    least = dict(TARGETS.get((name, n, batch), {})) if device == "cpu" else {}
    if (asked := least.get("every_under_floor")) is not None:
        least["remembering_under_floor"] = asked
    return row | {f"{key}_at_least_{x:g}": row[key] >= x for key, x in least.items() if key in row}


def _figures(operations: int, peak: float, seconds: dict[str, float]) -> Row:
    """Return times, and their ratios to the floor and to dense RTRL."""
    floor = operations / peak
    row: Row = {"peak_gflops": peak / 1e9, "floor_us": floor * 1e6}
    row |= {f"{form}_us": taken * 1e6 for form, taken in seconds.items()}
    if "dense" in seconds:
        row["dense_of_peak"] = floor / seconds["dense"]
        for form in ("every", "summed"):
            row[f"{form}_times_dense"] = seconds["dense"] / seconds[form]
    row |= {f"{form}_under_floor": floor / seconds[form] for form in seconds}
    row["remembering_at_most"] = row.pop("reading_under_floor")
    return row


def _remembering(cell: Cell) -> Cell:
    """Return a copy whose weights make it remember."""
    cell = copy.deepcopy(cell)
    try:
        ForgetBias(6.0).apply(cell)
    except ValueError:  # the cell has no such gate
        Orthogonal().apply(cell)
    return cell


def _reading(cell: Cell, batch: int) -> Work:
    """Return the work of multiplying a row by an influence matrix."""
    P, R = sum(w.numel() for w in cell.parameters()), batch * cell.state_size
    at = next(cell.parameters()).device
    v_1R, m_RP, out_1P = (torch.randn(s, device=at) for s in ((1, R), (R, P), (1, P)))

    def go() -> None:
        for _ in range(READINGS):
            torch.mm(v_1R, m_RP, out=out_1P)

    return go, READINGS


def _dense_steps(operations: int) -> int:
    """Return a number of steps that together take some hundredths of a second."""
    return max(1, min(64, int(4e9 / operations)))


def _exponents(rows: list[Row]) -> list[Row]:
    """Return a row with the fitted exponents of time in n, or none below three large sizes."""
    large = [row for row in rows if row["n"] >= LARGE]
    if len(large) < 3:
        return []
    sizes = [row["n"] for row in large]
    found: Row = {"cell": rows[0]["cell"], "n": f"{min(sizes)}-{max(sizes)}"}
    found["batch"] = rows[0]["batch"]
    for form in ("every", "summed"):
        k, width = exponent(sizes, [row[f"{form}_us"] for row in large])
        found |= {f"{form}_exponent": k, f"{form}_exponent_±": width}
        found[f"{form}_exponent_at_most_{MOST}"] = k <= MOST
    return [found]


def _error(name: str, n: int, device: str) -> float:
    """Return the largest relative distance of any form from automatic differentiation."""
    cell, block = CELLS[name](INPUTS, n).to(device).double(), 8
    x_TBI = torch.randn(4 * block + 3, 2, INPUTS).to(device).double()
    c_BS = torch.randn(2, cell.state_size).to(device).double()
    exact = autograd(cell, x_TBI, c_BS)
    forms = (RTRL(), 1), (BlockedRTRL(block), 1), (BlockedRTRL(block), len(x_TBI))
    return max(distance(summed(*form, cell, x_TBI, c_BS), exact) for form in forms)
