"""How everything here is timed: one thread, processor time, all forms taking turns.

What else the machine does can only add, so what is given is the lower quartile over rounds.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from lightning_modules.interfaces import Algorithm, Cell

ROUNDS, PRODUCT = 9, 1024

Work = tuple[Callable[[], object], int]
"""What is timed, and of how many steps it consists."""


class Constant:
    """A credit that costs nothing, so that the algorithm alone is timed."""

    def __init__(self, c_BS: Tensor):
        """Take the credit of every step."""
        self.c_BS = c_BS

    def __call__(self, t: int, s_BS: Tensor) -> Tensor:
        """Return the same at every step."""
        return self.c_BS

    def sequence(self, s_TBS: Tensor) -> Tensor:
        """Return it for all steps."""
        return self.c_BS.expand_as(s_TBS)


def interleaved(work: dict[str, Work], rounds: int | None = None) -> dict[str, float]:
    """Return the lower quartile over rounds of each work's processor seconds a step."""
    return {name: quartile(times) for name, times in in_turn(work, rounds).items()}


def quartile(values: Sequence[float]) -> float:
    """Return the lower one."""
    return statistics.quantiles(values, n=4)[0]


def in_turn(work: dict[str, Work], rounds: int | None = None) -> dict[str, list[float]]:
    """Return each work's processor seconds a step, round by round."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range((rounds or ROUNDS) + 1):
        for name, (go, steps) in work.items():
            start = time.process_time()
            go()
            if turn:  # The first round warms up.
                taken[name].append((time.process_time() - start) / steps)
    return taken


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread meanwhile."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def product() -> Work:
    """Return the matrix product whose rate, ``rate``, is the peak."""
    a, b = torch.randn(2, PRODUCT, PRODUCT).unbind()
    out = torch.empty_like(a)
    return lambda: torch.mm(a, b, out=out), 1


def rate(seconds: float) -> float:
    """Return the operations a second of a ``product`` that took so long."""
    return 2 * PRODUCT**3 / seconds


def stream(rule: Algorithm, cell: Cell, batch: int, length: int, steps: int) -> Work:
    """Return the work of going ``steps`` further along a stream in runs of ``length``."""
    parts = torch.randn(steps, batch, cell.input_size).split(length)
    credit = Constant(torch.randn(batch, cell.state_size))
    state_BS, memory = torch.zeros(batch, cell.state_size), None

    def go() -> None:
        nonlocal state_BS, memory
        for x_TBI in parts:
            _, state_BS, memory, *_ = rule.run(cell, x_TBI, state_BS, credit, memory)

    return go, steps


def several(sizes: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return one size or several as several."""
    return (sizes,) if isinstance(sizes, int) else sizes
