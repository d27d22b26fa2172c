"""How everything here is timed: one thread, CPU time of the process, all forms taking turns.

On a GPU wall-clock time is taken, after waiting for the device. Other load on the machine can only
add time, so the lower quartile over rounds is reported.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from lightning_modules.interfaces import Algorithm, Cell
from lightning_modules.registry import UnknownNameError, nearest
from pipeline.running.machine import keep_freed

ROUNDS, PRODUCT = 9, {"cpu": 1024, "cuda": 8192}

Work = tuple[Callable[[], object], int]
"""The function to time, and how many steps it takes."""


class Constant:
    """A credit that costs no time, so that only the algorithm is timed."""

    def __init__(self, c_BS: Tensor):
        """``c_BS`` is the credit of every step."""
        self.c_BS = c_BS

    def __call__(self, t: int, s_BS: Tensor) -> Tensor:
        """Return the credit of a step, (B, S)."""
        return self.c_BS

    def sequence(self, s_TBS: Tensor) -> Tensor:
        """Return the credit of all steps, (T, B, S)."""
        return self.c_BS.expand_as(s_TBS)


def interleaved(
    work: dict[str, Work], rounds: int | None = None, device: str = "cpu"
) -> dict[str, float]:
    """Return the lower quartile over rounds of each work's seconds a step."""
    return {name: quartile(times) for name, times in in_turn(work, rounds, device).items()}


def quartile(values: Sequence[float]) -> float:
    """Return the lower quartile."""
    return statistics.quantiles(values, n=4)[0]


def in_turn(
    work: dict[str, Work], rounds: int | None = None, device: str = "cpu"
) -> dict[str, list[float]]:
    """Return each work's seconds a step, round by round."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range((rounds or ROUNDS) + 1):
        for name, (go, steps) in work.items():
            start = now(device)
            go()
            if turn:  # The first round warms up.
                taken[name].append((now(device) - start) / steps)
    return taken


def now(device: str) -> float:
    """Return a time in seconds: CPU time of the process; on a GPU wall-clock time, synchronised."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def model(device: str) -> str:
    """Return the name of the GPU, or "cpu"."""
    return device if device == "cpu" else torch.cuda.get_device_name()


@contextmanager
def one_thread(device: str = "cpu") -> Iterator[None]:
    """Use one thread in the block, as trials do; UnknownNameError for a device that is missing."""
    here = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    if device not in here:
        raise UnknownNameError(f"device {device!r} is not here: {nearest(device, here)}")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_freed()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def product(device: str = "cpu") -> Work:
    """Return the work of a large matrix product; its ``rate`` counts as the device's peak."""
    a, b = torch.randn(2, PRODUCT[device], PRODUCT[device], device=device).unbind()
    out = torch.empty_like(a)
    return lambda: torch.mm(a, b, out=out), 1


def rate(seconds: float, device: str = "cpu") -> float:
    """Return operations per second of a ``product`` that took these seconds."""
    return 2 * PRODUCT[device] ** 3 / seconds


def stream(rule: Algorithm, cell: Cell, batch: int, length: int, steps: int) -> Work:
    """Return the work of ``steps`` further steps along a stream, in runs of ``length`` steps."""
    at = next(cell.parameters()).device
    parts = torch.randn(steps, batch, cell.input_size, device=at).split(length)
    credit = Constant(torch.randn(batch, cell.state_size, device=at))
    state_BS, memory = torch.zeros(batch, cell.state_size, device=at), None

    def go() -> None:
        nonlocal state_BS, memory
        for x_TBI in parts:
            _, state_BS, memory, *_ = rule.run(cell, x_TBI, state_BS, credit, memory)

    return go, steps


def captured(work: Work) -> Work:
    """Return the work as one CUDA graph, which launches thousands of operations by one call.

    Each replay uses the same inputs and the same memory. The tensors that it begins with lie
    outside the graph's own memory; the stream drops them, so ``kept`` keeps them alive.
    """
    go, steps = work
    beside = torch.cuda.Stream()
    with torch.cuda.stream(beside):
        go()  # allocates all scratch memory
        go()
    torch.cuda.current_stream().wait_stream(beside)
    graph, kept = torch.cuda.CUDAGraph(), [o for o in gc.get_objects() if type(o) is Tensor]
    with torch.cuda.graph(graph):
        go()
    return lambda: (graph.replay(), kept), steps


def several(sizes: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return a tuple of sizes, given one size or a tuple."""
    return (sizes,) if isinstance(sizes, int) else sizes
