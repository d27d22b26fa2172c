"""Approximate online gradients on a stream, beside back-propagation through time by torch.

The time of a step of each algorithm on an SRN (``diagonal_rtrl``: on the diagonal cell), 32 inputs,
batch 1, float32, one thread, as ``_timing`` says, is divided by that of a step of torch.nn.RNN: a
hundredth of a forward and backward pass through 100 steps, by automatic differentiation.

    every    the gradient at every step: runs of one step
    summed   the gradient summed over runs of 100 steps, as torch's is

``…_of_torch`` are these ratios, ``…_us`` microseconds a step. ``snap_n`` stores M densely, so it is
timed only up to n = ``dense``.
"""

from typing import Any

import torch

from benchmarks._timing import Work, interleaved, one_thread, several, stream
from benchmarks.bptt import INPUTS, STEPS, layer
from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS

CELL_OF = {
    "snap1": "srn",
    "rflo": "srn",
    "eprop": "srn",
    "tbptt": "srn",
    "uoro": "srn",
    "kf_rtrl": "srn",
    "snap_n": "srn",
    "diagonal_rtrl": "diagonal",
}
DENSE, ONE_BY_ONE = ("snap_n",), 10
"""Algorithms whose time grows with n⁴; how many runs of one step are timed together."""
TARGETS = {"snap1": 1.0, "rflo": 1.0}
"""Upper limits of the time over torch's."""

Row = dict[str, Any]


def run(
    sizes: int | tuple[int, ...] = (16, 32, 64, 128, 256),
    algorithms: str | tuple[str, ...] = tuple(CELL_OF),
    dense: int = 64,
) -> list[Row]:
    """Return a row for each number of hidden units."""
    names = (algorithms,) if isinstance(algorithms, str) else algorithms
    with one_thread():
        return [
            _measured(n, [name for name in names if n <= dense or name not in DENSE])
            for n in several(sizes)
        ]


def _measured(n: int, names: list[str]) -> Row:
    """Return the figures of one size."""
    torch.manual_seed(0)
    forms = {"every": (1, ONE_BY_ONE), "summed": (STEPS, STEPS)}
    work: dict[str, Work] = {"torch": layer("RNN", n, 1)}
    for name in names:
        for form, (length, steps) in forms.items():
            cell = CELLS[CELL_OF[name]](INPUTS, n)
            work[f"{name}_{form}"] = stream(ALGORITHMS[name](), cell, 1, length, steps)
    seconds = interleaved(work)
    ours = [key for key in seconds if key != "torch"]
    row: Row = {"n": n, **{f"{key}_us": taken * 1e6 for key, taken in seconds.items()}}
    row |= {f"{key}_of_torch": seconds[key] / seconds["torch"] for key in ours}
    for name in TARGETS.keys() & set(names):
        for form in forms:
            met = row[f"{name}_{form}_of_torch"] <= TARGETS[name]
            row[f"{name}_{form}_at_most_{TARGETS[name]:g}"] = met
    return row
