"""A function -> the cost of a call: processor time, memory, and multiplications."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any


def processor_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the least processor time in seconds of several runs, after one to warm up.

    Processor time, because other processes on the machine lengthen wall-clock time.
    """
    work()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the peak number of bytes, over time, of the tensors that ``work`` makes.

    Counted from the events of the CPU's allocator, so that it is the same on every run.
    """
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        work()
    profiler: Any = watched.profiler
    alive = peak = 0
    for event in profiler.kineto_results.events():
        if event.name() == "[memory]":
            alive += event.nbytes()
            peak = max(peak, alive)
    return peak


def multiplications(work: Callable[[], object]) -> int:
    """Return the number of multiplications in ``work``'s matrix products, equal on every run."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def in_place(_: object, a: Sequence[int], b: Sequence[int], **__: object) -> int:
        return 2 * math.prod(a) * b[-1]

    aten: Any = torch.ops.aten
    also = {aten.addmm_: in_place, aten.baddbmm_: in_place}  # torch's counter leaves these out
    with FlopCounterMode(display=False, custom_mapping=also) as counter:
        work()
    return counter.get_total_flops() // 2
