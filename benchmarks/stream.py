"""Memory of online learning along a stream of a million steps: nothing may grow with time.

A small SRN, batch 1, float32, loss |h|²/2 at every step; after each run of ``run_length`` steps
the weights take a step of gradient descent. At 1 %, 10 % and the end of the stream three numbers
are read: the bytes of all live tensors, the count of Python's containers (lists, tuples, tensors
...) and the resident memory of the process. Growth is from 10 % to the end. ``constant`` is true if
no byte of tensors and no container was added, and at most 1 MiB of resident memory, which is about
a byte for each of the 900,000 steps.
"""

import gc
from collections.abc import Iterator
from typing import Any

import psutil
import torch
from torch import Tensor

from benchmarks._timing import one_thread
from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS

INPUTS, RATE = 2, 1e-3
NAMES = ("blocked_rtrl", "rtrl", "snap1", "uoro", "kf_rtrl", "tbptt")
MARKS = {"start": 0.01, "tenth": 0.1, "end": 1.0}
MOST = {"tensor_bytes": 0, "objects": 0, "resident_KiB": 1024}
"""The most that may be added between a tenth of the stream and its end."""

Row = dict[str, Any]


class _Squares:
    """The credit of the loss |h|²/2: its derivative, h."""

    def __call__(self, t: int, s_BS: Tensor) -> Tensor:
        return s_BS

    def sequence(self, s_TBS: Tensor) -> Tensor:
        return s_TBS


def run(
    steps: int = 1_000_000,
    run_length: int = 100,
    hidden: int = 8,
    algorithms: str | tuple[str, ...] = NAMES,
) -> list[Row]:
    """Return a row for each algorithm."""
    names = (algorithms,) if isinstance(algorithms, str) else algorithms
    with one_thread():
        return [_measured(name, steps, run_length, hidden) for name in names]


def _measured(name: str, steps: int, run_length: int, hidden: int) -> Row:
    """Return the memory of one algorithm at the marks, and its growth."""
    torch.manual_seed(0)
    runs = max(100, steps // run_length)
    marks = {round(share * runs): mark for mark, share in MARKS.items()}
    row: Row = {"algorithm": name, "n": hidden, "run_length": run_length}
    row["steps"] = runs * run_length
    for done, norm in enumerate(_stream(name, runs, run_length, hidden), start=1):
        if done in marks:
            for kind, held in _held().items():
                row[f"{kind}_{marks[done]}"] = held
            row["weights_norm"] = float(norm)
    for kind in MOST:
        row[f"{kind}_growth"] = row[f"{kind}_end"] - row[f"{kind}_tenth"]
    row["constant"] = all(row[f"{kind}_growth"] <= most for kind, most in MOST.items())
    return row


def _stream(name: str, runs: int, run_length: int, hidden: int) -> Iterator[Tensor]:
    """Go along the stream; yield the weights' norm after each run."""
    cell, rule = CELLS["srn"](INPUTS, hidden), ALGORITHMS[name]()
    weights = [w.detach() for w in cell.parameters()]
    sizes = [w.numel() for w in weights]
    state_BS, memory = torch.zeros(1, cell.state_size), None
    for _ in range(runs):
        x_TBI = torch.randn(run_length, 1, INPUTS)
        gradient_P, state_BS, memory, *_ = rule.run(cell, x_TBI, state_BS, _Squares(), memory)
        for w, g in zip(weights, gradient_P.split(sizes), strict=True):
            w.sub_(g.view_as(w), alpha=RATE / run_length)
        yield torch.cat([w.flatten() for w in weights]).norm()


def _held() -> dict[str, int]:
    """Return the bytes of all tensors' storages, the count of containers, resident KiB."""
    gc.collect()
    alive: dict[int, int] = {}
    things = gc.get_objects()
    for thing in things:
        if issubclass(type(thing), Tensor):
            storage = thing.untyped_storage()
            alive[storage.data_ptr()] = storage.nbytes()
    resident = psutil.Process().memory_info().rss
    return {
        "tensor_bytes": sum(alive.values()),
        "objects": len(things),
        "resident_KiB": resident // 1024,
    }
