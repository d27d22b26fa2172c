"""How fast does error shrink or grow on its way back through time?

A network that was just drawn reads random inputs; a random error of length 1 at the last step goes
back through all of them. ``kept`` is what is left of its length some steps back, the geometric
mean over the batch. Its rate and the largest Lyapunov exponent, both in nats a step, are taken over
the steps in the middle, where error has turned to the directions that last longest and the network
has forgotten its start.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast

import pandas as pd
from pydantic import PositiveFloat, model_validator

from lightning_modules.cells import CELLS
from lightning_modules.starts import STARTS
from pipeline.measuring import evidence
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Cell, Trajectory

USUAL = "usual"
"""The start that a cell is drawn with."""
AGREES, NEUTRAL, LONG = 0.05, 0.05, 100
"""How far rate and exponent may be apart, of the exponent or of ``NEUTRAL`` if it is smaller."""
LAGS = 0, 1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400
"""Steps back that have rows."""

KEPT = (
    "Decadic logarithm of the length that is left of an error of length 1, mean and range over "
    "seeds and lengths."
)
LABELS = {"lag": "steps back", "log10_kept": "log10 of what is left"}


class Decay(Trial):
    """A network, just drawn, and error on its way back through it."""

    cell: Annotated[str, named(CELLS)]
    activation: str | None = None
    start: Annotated[str, named({**dict.fromkeys(STARTS), USUAL: None})]
    gain: PositiveFloat | None = None
    """Of the start; None where that is the usual one."""
    length: Count
    input_gain: PositiveFloat
    batch_size: Count
    input_size: Count
    hidden_size: Count

    @model_validator(mode="after")
    def _as_drawn(self) -> "Decay":
        if (self.gain is None) != (self.start == USUAL):
            raise ValueError(f"a start has a gain, but for {USUAL}: give both or none")
        return self

    def measure(self, given: Given) -> Rows:
        """Return a row of what holds for all steps, and one for each of some lags."""
        import torch

        from lightning_modules.probes.spectrum import lyapunov
        from pipeline.measuring.gradients import log_error_left

        torch.manual_seed(self.seed)
        network, length = self._network(), self.length
        x_TBI = torch.randn(length, self.batch_size, self.input_size, dtype=torch.float64)
        path = network.follow(x_TBI, x_TBI.new_zeros(self.batch_size, network.state_size))
        log_TB = log_error_left(path, network.hidden_size)
        step_TB, log_T = log_TB.diff(dim=0).neg(), log_TB.mean(1).flip(0)
        about = {"network": self._name()}
        first, last = length // 4, length - 3 * length // 16
        weights: Any = network
        yield {
            "kind": "network",
            **about,
            "rate": _finite((log_T[last] - log_T[first]) / (last - first)),
            "exponent": _finite(lyapunov(_jacobians(path)[: 3 * length // 4], 1)[0]),
            "most": _finite(step_TB.max().exp()),
            "least": _finite(step_TB.min().exp()),
            "whole": _finite(log_T[length].exp()),
            "singular_value": None
            if self.gain is None
            else float(torch.linalg.matrix_norm(weights.W.detach(), 2)),
        }
        exact = math.log10(self.gain) if self.gain and self.activation == "linear" else None
        for lag in (lag for lag in LAGS if lag <= length):
            theory = None if exact is None else lag * exact
            kept = _finite(log_T[lag] / math.log(10))
            yield {"kind": "lag", **about, "lag": lag, "log10_kept": kept, "theory": theory}

    def _network(self) -> "Cell":
        """Return the network in float64."""
        import torch

        options = {} if self.activation is None else {"activation": self.activation}
        network = CELLS[self.cell](self.input_size, self.hidden_size, **options).double()
        if self.gain is not None:
            STARTS[self.start](gain=self.gain).apply(network)
            torch.nn.init.normal_(network.U, std=self.input_gain / self.input_size**0.5)
        return network

    def _name(self) -> str:
        """Return what the network is called."""
        return self.cell if self.activation is None else f"{self.activation}, {self.start}"


def _jacobians(path: "Trajectory") -> "Tensor":
    """Return the steps' Jacobians, (T, B, S, S)."""
    T, B, S = path.states_TBS.shape
    j_TBSS = path.states_TBS.new_empty(T, B, S, S)
    path.jacobians(0, j_TBSS)
    return j_TBSS


def _finite(value: "Tensor") -> float | None:
    """Return the number; None where all error is lost, or more than a number can hold."""
    return float(value) if value.isfinite() else None


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold what was measured to what is known."""
    networks = rows[rows["kind"] == "network"]
    linear = networks[(networks["activation"] == "linear") & (networks["start"] == "orthogonal")]
    off = (linear["whole"] / linear["gain"] ** linear["length"] - 1).abs().max()
    yield evidence.exact("linear, orthogonal: exactly gain^T is left", off, 1e-6, expected=1)
    logistic = networks[networks["activation"] == "logistic"]
    share = (logistic["most"] / logistic["singular_value"]).max()
    claim = "logistic: no step keeps more than 1/4 of W's largest singular value"
    yield evidence.identity(claim, share <= 0.25 + 1e-12, f"{share:.4f}", expected=1)
    residual = networks[networks["cell"] == "residual"]
    if len(residual):
        off = max((residual["most"] - 1).abs().max(), (residual["least"] - 1).abs().max())
        yield evidence.exact("residual, h + g(x): every step keeps all", off, 1e-12, expected=1)
    relu = networks[(networks["activation"] == "relu") & (networks["start"] == "identity")]
    if len(relu):
        most = (relu["most"] / relu["gain"]).max()
        claim = "ReLU from an identity times g, the IRNN where g = 1: no step keeps more than g"
        yield evidence.identity(claim, most <= 1 + 1e-12, f"{most:.4f} g", expected=5)
    yield from _agreement(networks)
    as_drawn = {name: kept_by_seed(networks, name) for name in ("srn", "lstm")}
    if all(map(len, as_drawn.values())):
        yield evidence.ordered(
            "as drawn, an LSTM keeps more a step than tanh units (nats)",
            as_drawn["srn"],
            as_drawn["lstm"],
            expected=1,
        )


def kept_by_seed(networks: pd.DataFrame, cell: str) -> pd.Series:
    """Return a cell's rate as it is drawn, in nats a step, by seed: the mean over lengths."""
    drawn = networks[(networks["start"] == USUAL) & (networks["cell"] == cell)]
    return drawn.groupby("seed")["rate"].mean()


def _agreement(networks: pd.DataFrame) -> Iterator[Claim]:
    """Hold rate to exponent at the lengths that are long, network by network."""
    mixing = (networks["length"] >= LONG) & (networks["start"] != "identity")
    long = networks[mixing].fillna({"gain": 0.0}).dropna(subset=["rate", "exponent"])
    if long.empty:
        return
    yield evidence.every(
        f"over {LONG} steps and more, rate and largest Lyapunov exponent agree to {AGREES:.0%}",
        (
            evidence.within(
                _called(*cast("tuple[str, float, int]", of)),
                seen["rate"] / scale - seen["exponent"] / scale,
                -AGREES,
                AGREES,
                expected=1,
            )
            for of, seen in long.set_index("seed").groupby(["network", "gain", "length"])
            for scale in [max(NEUTRAL, abs(seen["exponent"].mean()))]
        ),
    )


def _called(network: str, gain: float, length: int) -> str:
    """Return what a network of some length is called."""
    return f"{network}{f', gain {gain:g}' if gain else ''}, {length} steps"


def _rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's rate beside its exponent at the greatest length."""
    networks = rows[(rows["kind"] == "network") & (rows["length"] == rows["length"].max())]
    by = networks.fillna({"gain": 0.0}).groupby(["network", "gain"], sort=False)
    table = by[["rate", "exponent", "least", "most", "singular_value"]].mean().round(4)
    table = table.reset_index().rename(columns={"singular_value": "W's largest singular value"})
    return table.assign(gain=table["gain"].map(lambda gain: f"{gain:g}" if gain else ""))


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


PART = Part(
    __doc__,
    Decay,
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
            caption="Each point is a network whose weights mix the units; from an identity each "
            "unit has an exponent of its own. On the dashed line the two are one.",
            where={"kind": "network", "start": ("gaussian", "orthogonal", USUAL)},
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
            build=_rates,
        ),
    ),
)
