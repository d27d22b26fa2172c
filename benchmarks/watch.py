"""The memory that ``watch`` takes: a plain training loop, watched for 2,000 steps.

A step is a forward pass through T = 50 time steps without a backward pass, then one with a backward
pass: an LSTM of ``n`` units, 32 inputs, batch 16, float32, one thread, under all probes of
recurrent layers. Rows are taken every 100 steps. Reported are resident memory and live tensors
after ``first`` and after ``last`` steps, beside those of the same loop unwatched.
"""

import contextlib
import gc
import pathlib
import resource
from typing import Any

import torch
from torch import nn

from benchmarks._timing import one_thread
from lightning_modules.probes import PROBES
from lightning_modules.training.watch import watch

INPUTS, STEPS, BATCH, TAKEN = 32, 50, 16, 100

Row = dict[str, Any]


def run(first: int = 100, last: int = 2000, n: int = 64) -> list[Row]:
    """Return a row unwatched and one watched."""
    names = [name for name in PROBES if "passages" in PROBES[name].sees]
    with one_thread():
        return [_measured(chosen, first, last, n) for chosen in ([], names)]


def _measured(names: list[str], first: int, last: int, n: int) -> Row:
    """Return what is in memory after ``first`` and after ``last`` steps."""
    torch.manual_seed(0)
    net = nn.LSTM(INPUTS, n)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    row: Row = {"watched": " ".join(names) or "no", "n": n}
    with watch(net, names) if names else contextlib.nullcontext() as record:
        for step in range(1, last + 1):
            x_TBI = torch.randn(STEPS, BATCH, INPUTS)
            net(x_TBI)
            optimizer.zero_grad()
            net(x_TBI)[0].square().mean().backward()
            optimizer.step()
            if record is not None and (step % TAKEN == 0 or step in (first, last)):
                record.take()
                record.rows.clear()
            if step in (first, last):
                row |= {f"resident_mib_{step}": _resident(), f"tensors_{step}": _alive()}
    row["resident_mib_grown"] = row[f"resident_mib_{last}"] - row[f"resident_mib_{first}"]
    row["tensors_grown"] = row[f"tensors_{last}"] - row[f"tensors_{first}"]
    return row


def _resident() -> float:
    """Return this process's resident memory in MiB."""
    gc.collect()
    pages = pathlib.Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS: the most so far


def _alive() -> int:
    """Return the number of live tensors."""
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())
