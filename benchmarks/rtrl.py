"""Exact gradients on a stream: dense and blocked RTRL beside the operations that dense ones need.

One thread, float32. The floor is dense RTRL's 2 S² P operations a step at the rate of a large
matrix product measured in the same round. All forms take turns, round after round, in processor
time, and what is given is the lower quartile: what else the machine does can only add.

    dense            the gradient at every step
    blocked every    the same, blocks of ``every`` steps (n/2)
    blocked summed   the gradient summed over each block of ``summed`` steps (2 n)

``error`` is the largest distance from automatic differentiation, relative, in float64, over
forms and blocks of parameters, on a stream that crosses four blocks.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Algorithm, Cell

INPUTS, PRODUCT, ROUNDS = 32, 1024, 9
TARGETS = {"dense": 0.7, "every": 4.0, "summed": 20.0}
"""At n = 128: dense against the peak, blocked against dense."""


def run(
    sizes: int | tuple[int, ...] = (16, 32, 64, 128), batch: int = 1, cell: str = "srn"
) -> list[dict[str, Any]]:
    """Return a row for each number of hidden units."""
    sizes = (sizes,) if isinstance(sizes, int) else sizes
    with _one_thread():
        return [_measured(cell, n, batch) for n in sizes]


def _measured(name: str, n: int, batch: int) -> dict[str, Any]:
    """Return the figures of one size."""
    torch.manual_seed(0)
    cell = CELLS[name](INPUTS, n)
    every, summed = max(8, n // 2), 2 * n
    operations = 2 * cell.state_size**2 * sum(w.numel() for w in cell.parameters()) * batch
    seconds = _interleaved(
        {
            "product": (_product(), 1),
            "dense": _stream(RTRL(), cell, batch, 1, _dense_steps(operations)),
            "every": _stream(BlockedRTRL(every), cell, batch, 1, every),
            "summed": _stream(BlockedRTRL(summed), cell, batch, summed, 2 * summed),
        }
    )
    rate = 2 * PRODUCT**3 / seconds["product"]
    floor = operations / rate
    return {
        "cell": name,
        "n": n,
        "batch": batch,
        "peak_gflops": rate / 1e9,
        "floor_us": floor * 1e6,
        **{f"{form}_us": seconds[form] * 1e6 for form in TARGETS},
        "dense_of_peak": floor / seconds["dense"],
        "every_times_dense": seconds["dense"] / seconds["every"],
        "summed_times_dense": seconds["dense"] / seconds["summed"],
        "every_under_floor": floor / seconds["every"],
        "summed_under_floor": floor / seconds["summed"],
        "error": _error(name, min(n, 64)),
        **(_targets(floor, seconds) if n == 128 and batch == 1 else {}),
    }


def _targets(floor: float, seconds: dict[str, float]) -> dict[str, Any]:
    """Return whether the figures that were asked for at n = 128 are met."""
    dense = seconds["dense"]
    seen = {"dense": floor / dense, "every": dense / seconds["every"]}
    seen["summed"] = dense / seconds["summed"]
    return {f"{form}_at_least_{least:g}": seen[form] >= least for form, least in TARGETS.items()}


def _dense_steps(operations: int) -> int:
    """Return so many steps that a turn takes some hundredths of a second."""
    return max(3, min(64, int(2e9 / operations)))


def _interleaved(work: dict[str, tuple[Callable[[], None], int]]) -> dict[str, float]:
    """Return the lower quartile over rounds of each work's processor seconds a step."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(ROUNDS + 1):
        for name, (go, steps) in work.items():
            start = time.process_time()
            go()
            if turn:  # The first round warms up.
                taken[name].append((time.process_time() - start) / steps)
    return {name: statistics.quantiles(times, n=4)[0] for name, times in taken.items()}


def _product() -> Callable[[], None]:
    """Return the product whose rate is the peak."""
    a, b = torch.randn(2, PRODUCT, PRODUCT).unbind()
    out = torch.empty_like(a)

    def go() -> None:
        torch.mm(a, b, out=out)

    return go


class _Constant:
    """A credit that costs nothing, so that the algorithm alone is timed."""

    def __init__(self, c_BS: Tensor):
        self.c_BS = c_BS

    def __call__(self, t: int, s_BS: Tensor) -> Tensor:
        """Return the same at every step."""
        return self.c_BS

    def sequence(self, s_TBS: Tensor) -> Tensor:
        """Return it for all steps."""
        return self.c_BS.expand_as(s_TBS)


def _stream(
    rule: Algorithm, cell: Cell, batch: int, chunk: int, steps: int
) -> tuple[Callable[[], None], int]:
    """Return the work of going ``steps`` further along a stream in runs of ``chunk``."""
    parts = torch.randn(steps, batch, INPUTS).split(chunk)
    credit = _Constant(torch.randn(batch, cell.state_size))
    state_BS, memory = torch.zeros(batch, cell.state_size), None

    def go() -> None:
        nonlocal state_BS, memory
        for x_TBI in parts:
            _, state_BS, memory = rule.run(cell, x_TBI, state_BS, credit, memory)

    return go, steps


def _error(name: str, n: int) -> float:
    """Return the largest relative distance of any form from automatic differentiation."""
    cell, block = CELLS[name](INPUTS, n).double(), 8
    x_TBI = torch.randn(4 * block + 3, 2, INPUTS, dtype=torch.float64)
    c_BS = torch.randn(2, cell.state_size, dtype=torch.float64)
    exact = _autograd(cell, x_TBI, c_BS)
    forms = (RTRL(), 1), (BlockedRTRL(block), 1), (BlockedRTRL(block), len(x_TBI))
    return max(_distance(_summed(*form, cell, x_TBI, c_BS), exact) for form in forms)


def _autograd(cell: Cell, x_TBI: Tensor, c_BS: Tensor) -> list[Tensor]:
    """Return the gradient of Σ c s of all steps for each block of parameters."""
    s_BS, total = torch.zeros_like(c_BS), torch.zeros((), dtype=c_BS.dtype)
    for x_BI in x_TBI:
        s_BS = cell(x_BI, s_BS)
        total = total + (c_BS * s_BS).sum()
    return [g.flatten() for g in torch.autograd.grad(total, list(cell.parameters()))]


def _summed(rule: Algorithm, chunk: int, cell: Cell, x_TBI: Tensor, c_BS: Tensor) -> Tensor:
    """Return the sum of the gradients of all runs."""
    state_BS, memory, total_P = torch.zeros_like(c_BS), None, torch.zeros(())
    for part_TBI in x_TBI.split(chunk):
        run = rule.run(cell, part_TBI, state_BS, _Constant(c_BS), memory)
        state_BS, memory, total_P = run.state_BS, run.memory, total_P + run.gradient_P
    return total_P


def _distance(g_P: Tensor, exact: list[Tensor]) -> float:
    """Return the largest relative error over blocks of parameters."""
    parts = g_P.split([len(block) for block in exact])
    return max(float((g - e).norm() / e.norm()) for g, e in zip(parts, exact, strict=True))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread meanwhile."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
