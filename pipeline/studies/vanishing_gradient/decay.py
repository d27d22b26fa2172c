"""How fast does error shrink or grow on its way back through time?

A network that was just drawn reads random inputs; a random error of length 1 at the last step goes
back through all of them. ``kept`` is what is left of its length some steps back, the geometric
mean over the batch. Its rate and the largest Lyapunov exponent, both in nats a step, are taken over
the steps in the middle, where error has turned to the directions that last longest and the network
has forgotten its start.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Annotated

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Trajectory
from lightning_modules.probes.spectrum import lyapunov
from lightning_modules.starts import STARTS
from pipeline.measuring.flow import log_kept
from pipeline.studies.vanishing_gradient.rates import USUAL, expects, rates
from pipeline.study import Figure, Rows, Section, Study, Table, Trial, named

LAGS = 0, 1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400
"""Steps back that have rows."""

KEPT = (
    "Decadic logarithm of the length that is left of an error of length 1, mean and range over "
    "seeds and lengths."
)
LABELS = {"lag": "steps back", "log10_kept": "log10 of what is left"}


class Params(Section):
    """SRNs by activation, start and gain; other architectures as they are drawn."""

    cell: Annotated[str, named(CELLS)]
    activations: list[str]
    starts: list[Annotated[str, named(STARTS)]]
    gains: list[PositiveFloat]
    architectures: list[Annotated[str, named(CELLS)]]
    lengths: list[PositiveInt]
    input_gain: PositiveFloat
    batch_size: PositiveInt
    input_size: PositiveInt
    hidden_size: PositiveInt
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every network at every length under every seed."""
    grid = itertools.product(p.activations, p.starts, p.gains)
    networks: list[Trial] = [
        {"cell": p.cell, "activation": activation, "start": start, "gain": gain}
        for activation, start, gain in grid
    ]
    networks += [
        {"cell": cell, "activation": None, "start": USUAL, "gain": None} for cell in p.architectures
    ]
    shared = p.model_dump(include={"input_gain", "batch_size", "input_size", "hidden_size"})
    for network, length, seed in itertools.product(networks, p.lengths, range(p.seeds)):
        yield {**network, "length": length, **shared, "seed": seed}


def measure(
    cell: str,
    activation: str | None,
    start: str,
    gain: float | None,
    length: int,
    input_gain: float,
    batch_size: int,
    input_size: int,
    hidden_size: int,
    seed: int,
) -> Rows:
    """Return a row of what holds for all steps, and one for each of some lags."""
    torch.manual_seed(seed)
    options = {} if activation is None else {"activation": activation}
    network = CELLS[cell](input_size, hidden_size, **options).double()
    if gain is not None:
        STARTS[start](gain=gain).apply(network)
        torch.nn.init.normal_(network.U, std=input_gain / input_size**0.5)
    x_TBI = torch.randn(length, batch_size, input_size, dtype=torch.float64)
    path = network.follow(x_TBI, x_TBI.new_zeros(batch_size, network.state_size))
    log_TB = log_kept(path, network.hidden_size)
    step_TB, log_T = log_TB.diff(dim=0).neg(), log_TB.mean(1).flip(0)
    about = {"network": network_name(cell, activation, start)}
    first, last = length // 4, length - 3 * length // 16
    yield {
        "kind": "network",
        **about,
        "rate": _finite((log_T[last] - log_T[first]) / (last - first)),
        "exponent": _finite(lyapunov(_jacobians(path)[: 3 * length // 4], 1)[0]),
        "most": _finite(step_TB.max().exp()),
        "least": _finite(step_TB.min().exp()),
        "whole": _finite(log_T[length].exp()),
        "singular_value": None
        if gain is None
        else float(torch.linalg.matrix_norm(network.W.detach(), 2)),
    }
    exact = math.log10(gain) if gain is not None and activation == "linear" else None
    for lag in (lag for lag in LAGS if lag <= length):
        theory = None if exact is None else lag * exact
        kept = _finite(log_T[lag] / math.log(10))
        yield {"kind": "lag", **about, "lag": lag, "log10_kept": kept, "theory": theory}


def network_name(cell: str, activation: str | None, start: str) -> str:
    """Return what a network is called."""
    return cell if activation is None else f"{activation}, {start}"


def _jacobians(path: Trajectory) -> Tensor:
    """Return the steps' Jacobians, (T, B, S, S)."""
    T, B, S = path.states_TBS.shape
    j_TBSS = path.states_TBS.new_empty(T, B, S, S)
    path.jacobians(0, j_TBSS)
    return j_TBSS


def _finite(value: Tensor) -> float | None:
    """Return the number; None where all error is lost, or more than a number can hold."""
    return float(value) if value.isfinite() else None


def _decay(activation: str) -> Figure:
    """Return the picture of what is left by lag under an activation."""
    return Figure(
        name=f"decay-{activation}",
        title=f"Error on its way back through {activation} units",
        caption=KEPT + (" Dashed: gain^lag." if activation == "linear" else ""),
        where={"kind": "lag", "activation": activation},
        x="lag",
        y="log10_kept",
        hue="gain",
        column="start",
        theory="theory" if activation == "linear" else None,
        labels=LABELS,
    )


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        *map(_decay, ("linear", "tanh", "logistic", "relu")),
        Figure(
            name="decay-architectures",
            title="Error on its way back through networks as they are drawn",
            caption=KEPT,
            where={"kind": "lag", "start": USUAL},
            x="lag",
            y="log10_kept",
            hue="cell",
            labels=LABELS,
        ),
        Figure(
            name="exponents",
            title="Measured decay against the largest Lyapunov exponent",
            caption="Each point is a network. On the dashed line the two are one.",
            where={"kind": "network"},
            x="exponent",
            y="rate",
            hue="network",
            kind="scatter",
            theory="exponent",
            labels={"exponent": "exponent (nats a step)", "rate": "rate (nats a step)"},
        ),
        Table(
            name="rates",
            title="Rates of decay",
            caption="Nats a step, at the greatest length, means over seeds; least and most: what "
            "any step kept.",
            build=rates,
        ),
    ),
)
