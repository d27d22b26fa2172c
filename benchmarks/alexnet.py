"""A training step of AlexNet at full width: forward and backward pass, on a GPU if there is one.

Pictures are 3×224×224; batches are of 128, as published, on a GPU, and of 4 on a CPU with one
thread. The network has two groups, as on the paper's two devices, or one. Each time is the least of
some steps after a first one to warm up, by the clock of ``_timing``, under torch's default
settings, with which convolutions on a GPU may use TF32. ``gflops`` counts two operations for each
connection and picture in the forward pass, and four in the backward pass.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from benchmarks._timing import model, now, one_thread
from lightning_modules.networks._connections import connections
from lightning_modules.networks.alexnet import AlexNet

ON_GPU, ON_CPU, STEPS, CLASSES = 128, 4, 3, 1000
Row = dict[str, Any]


def run(
    batch: int | None = None, width: float = 1.0, side: int = 224, device: str | None = None
) -> list[Row]:
    """Return a row for each number of groups."""
    at = device or ("cuda" if torch.cuda.is_available() else "cpu")
    size = batch or (ON_GPU if at == "cuda" else ON_CPU)
    with one_thread(at):
        return [_measured(at, size, width, side, groups) for groups in (2, 1)]


def _measured(device: str, batch: int, width: float, side: int, groups: int) -> Row:
    """Return the times of one form."""
    torch.manual_seed(0)
    network = AlexNet((3, side, side), CLASSES, width, groups).to(device)
    x_1BI = torch.rand(1, batch, network.input_size, device=device)
    y_B = torch.randint(CLASSES, (batch,), device=device)
    made = sum(connections(network, x_1BI).values())
    forward, back = float("inf"), float("inf")
    for step in range(STEPS + 1):
        network.zero_grad()
        taken, loss = _timed(device, lambda: cross_entropy(network(x_1BI)[0], y_B))
        taken_back, _ = _timed(device, loss.backward)
        if step:  # the first warms up
            forward, back = min(forward, taken), min(back, taken_back)
    row: Row = {
        "device": model(device),
        "groups": groups,
        "batch": batch,
        "parameters": sum(w.numel() for w in network.parameters()),
        "connections": made,
        "forward_ms": forward * 1e3,
        "back_ms": back * 1e3,
        "pictures_per_second": batch / (forward + back),
        "gflops": 6 * made * batch / (forward + back) / 1e9,
    }
    if device == "cuda":
        row["peak_mib"] = torch.cuda.max_memory_allocated(device) / 2**20
    return row


def _timed(device: str, work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that the work took, and what it returned."""
    start = now(device)
    result = work()
    return now(device) - start, result
