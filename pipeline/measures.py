"""Tensors, or a piece of work, -> floats."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import linregress
from scipy.stats import t as t_distribution
from torch import Tensor
from torch.nn.functional import normalize
from torch.profiler import ProfilerActivity, profile

from lightning_modules.interfaces import Cell


def compare(g_P: Tensor, reference_P: Tensor) -> dict[str, float]:
    """Return the cosine, ratio of norms and relative error of a gradient to its reference.

    The cosine is 0 where either is zero. In float64, where the square of a vanished gradient is
    still a number; torch.cosine_similarity takes any norm for 1e-8 at least.
    """
    g_P, reference_P = g_P.double(), reference_P.double()
    one_P, other_P = normalize(g_P, dim=0, eps=1e-300), normalize(reference_P, dim=0, eps=1e-300)
    return {
        "cosine": float(one_P @ other_P),
        "norm_ratio": float(g_P.norm() / reference_P.norm()),
        "relative_error": relative_error(g_P, reference_P),
    }


def relative_error(g: Tensor, reference: Tensor) -> float:
    """Return ‖g − reference‖ / ‖reference‖; infinite where the reference alone is zero."""
    error, size = float((g - reference).norm()), float(reference.norm())
    return error / size if size else math.inf if error else 0.0


def by_block(cell: Cell, g_P: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Cut a flat gradient into the cell's named blocks of parameters."""
    named = list(cell.named_parameters())
    parts = g_P.split([weight.numel() for _, weight in named])
    yield from ((name, part) for (name, _), part in zip(named, parts, strict=True))


def autograd_gradient(
    cell: Cell,
    x_TBI: Tensor,
    s_BS: Tensor,
    loss: Callable[[int, Tensor], Tensor],
    resets_TB: Tensor | None = None,
) -> Tensor:
    """Return the gradient, (P,), of the sum of ``loss(t, s_BS)`` by automatic differentiation."""
    total = torch.zeros((), dtype=x_TBI.dtype)
    for t, x_BI in enumerate(x_TBI):
        if resets_TB is not None:
            s_BS = s_BS * ~resets_TB[t, :, None]
        s_BS = cell(x_BI, s_BS)
        total = total + loss(t, s_BS)
    return torch.cat([g.flatten() for g in torch.autograd.grad(total, list(cell.parameters()))])


def line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """Fit y = slope x + intercept; return both and the slope's 95 % half-width.

    The half-width is NaN for two points, which leave nothing to judge it by.
    """
    fit: Any = linregress(x, y)
    width = fit.stderr * t_distribution.ppf(0.975, len(x) - 2) if len(x) > 2 else math.nan
    return float(fit.slope), float(fit.intercept), float(width)


def exponent(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Fit y ~ x^k; return k and its 95 % half-width."""
    slope, _, width = line(np.log(x).tolist(), np.log(y).tolist())
    return slope, width


def processor_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the least processor time of several runs, after one that warms up.

    Processor time, because what else the machine does lengthens the wall's.
    """
    work()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the most bytes of tensors made by ``work`` that were alive at one moment.

    Counted from the allocator's own events on the CPU, so that it is the same on every run.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        work()
    profiler: Any = watched.profiler
    alive = peak = 0
    for event in profiler.kineto_results.events():
        if event.name() == "[memory]":
            alive += event.nbytes()
            peak = max(peak, alive)
    return peak
