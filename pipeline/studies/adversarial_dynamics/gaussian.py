"""One dimension: data of one Gaussian, a generator a z + b, a discriminator of one hidden layer.

G is a Gaussian with mean b and spread |a|, so the value of any discriminator, and of the best one
there is, D* = p / (p + q), are integrals along a line:

    V(D, G) = ∫ p log D + q log(1 - D)        V(D*, G) = -log 4 + 2 JSD(p, q)

V(D) = -log 4 says nothing of G by itself: a D that always says ½ has it too, whatever G is. So
V(D*), which D has no part in, stands beside it. Along training V(D) is that of held-out data.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import PositiveFloat

from pipeline.measuring.evidence import every, exact, identity, within
from pipeline.measuring.playing import Playing
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Figure, Given, Part, Rows, Table
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from lightning_modules.adversaries._adversary import Adversary

LAZY, NEAR = -math.log(4), 0.02
"""The value of a D that always says ½, and how near to it V is expected to come."""
REACH, POINTS = 12.0, 40_001
"""Spreads to either side, and points, of an integral."""


class Line(Playing):
    """A game of one dimension, at the data's fixed place and spread."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["mixture"]  # pyright: ignore[reportIncompatibleVariableOverride]
    spread: PositiveFloat

    def measure(self, given: Given) -> Rows:
        """Return V(D) and V(D*) along training, by integrals at both ends, and where G is."""
        import torch

        from lightning_modules.adversaries.gan import GAN

        sizes = {"batch_size": self.batch_size, "held_out_size": self.held_out_size}
        source = TASKS[self.task](
            seed=self.seed, **sizes, arrangement="shifted", spread=self.spread
        )
        torch.manual_seed(self.seed)
        adversary = GAN(1, 1, **(self.options or {}))
        data = float(source.places_KI[0, 0]), self.spread
        start = self._seen("start", adversary, data)
        learned = self.play(adversary, source, given)
        yield start
        yield from self._along(learned.rows, data)
        yield self._seen("end", learned.learner.adversary, data)

    def _along(self, rows: list[dict[str, Any]], data: tuple[float, float]) -> Iterator[Any]:
        """Iterate over evaluations, and what probes tell, with V(D*) where G is known by then."""
        moments = {
            (row["step"] - self.every, row["quantity"]): row["value"]
            for row in rows
            if row.get("probe") == "generated"
        }
        for row in rows:
            if "probe" in row:
                if row["probe"] != "generated":
                    yield {"record": "probe", **row}
                continue
            made = tuple(moments.get((row["step"], name)) for name in ("mean", "spread"))
            loss = row["held_out_loss"]
            told = {"value": None if loss is None else -loss}
            if None not in made:
                told["best"] = best_value(data, made)
            yield {"record": "curve", "step": row["step"], "diverged": row["diverged"], **told}

    def _seen(self, record: str, adversary: "Adversary", data: tuple[float, float]) -> Any:
        """Return both values by integrals."""
        a, b = (float(w.detach()) for w in adversary.generator.parameters())
        made = b, abs(a)
        x_N, p_N, q_N = densities(data, made)
        return {
            "record": record,
            "value": value_of(adversary, x_N, p_N, q_N),
            "best": best_value(data, made),
            "by_entropies": by_entropies(data, made),
            "lazy": integral(p_N * math.log(0.5) + q_N * math.log(0.5), x_N),
            "mean_off": abs(b - data[0]),
            "spread_off": abs(abs(a) - data[1]),
        }


def densities(one: Any, other: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points that hold both Gaussians, (mean, spread), and the densities of both."""
    low = min(mean - REACH * spread for mean, spread in (one, other))
    high = max(mean + REACH * spread for mean, spread in (one, other))
    x_N = np.linspace(low, high, POINTS)
    return x_N, _normal(x_N, *one), _normal(x_N, *other)


def _normal(x_N: np.ndarray, mean: float, spread: float) -> np.ndarray:
    return np.exp(-0.5 * ((x_N - mean) / spread) ** 2) / (spread * math.sqrt(math.tau))


def integral(of_N: np.ndarray, x_N: np.ndarray) -> float:
    """Return the integral of values along a line, by trapezia."""
    return float(np.trapezoid(of_N, x_N))


def best_value(data: Any, made: Any) -> float:
    """Return V(D*, G): of D* = p / (p + q)."""
    x_N, p_N, q_N = densities(data, made)
    both_N = p_N + q_N
    return integral(_times_log(p_N, both_N) + _times_log(q_N, both_N), x_N)


def _times_log(p_N: np.ndarray, both_N: np.ndarray) -> np.ndarray:
    """Return p log(p / both), 0 where p is."""
    there_N = p_N > 0
    ratio_N = np.divide(p_N, both_N, out=np.ones_like(p_N), where=there_N)
    return p_N * np.log(ratio_N)


def by_entropies(data: Any, made: Any) -> float:
    """Return -log 4 + 2 JSD, the divergence as H(½p + ½q) - ½H(p) - ½H(q)."""
    x_N, p_N, q_N = densities(data, made)
    half_N = (p_N + q_N) / 2
    mixed = -integral(_times_log(half_N, np.ones_like(half_N)), x_N)
    own = sum(0.5 * math.log(math.tau * math.e * spread**2) for _, spread in (data, made)) / 2
    return LAZY + 2 * (mixed - own)


def value_of(adversary: "Adversary", x_N: np.ndarray, p_N: np.ndarray, q_N: np.ndarray) -> float:
    """Return V(D, G) of the discriminator as it is."""
    import torch
    from torch.nn.functional import logsigmoid

    points_N1 = torch.from_numpy(x_N).float().unsqueeze(1)
    with torch.no_grad():
        d_N = adversary.discriminate(points_N1, torch.zeros(len(x_N)).long()).double()
    yes_N, no_N = logsigmoid(d_N).numpy(), logsigmoid(-d_N).numpy()
    return integral(p_N * yes_N + q_N * no_N, x_N)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the theorem at every G that was met, and the game to its end."""
    seen = rows[rows["record"].isin(("start", "end"))]
    off = float((seen["best"] - seen["by_entropies"]).abs().max())
    yield exact("V(D*, G) = -log 4 + 2 JSD, by an integral each", off, 1e-6, expected=5)
    over = float((seen["value"] - seen["best"]).max())
    yield identity(
        "no discriminator is above V(D*)", over <= 1e-6, f"at most {over:.1e} above", expected=5
    )
    start = seen[seen["record"] == "start"]
    lazy, least = float((seen["lazy"] - LAZY).abs().max()), float(start["best"].min())
    said = f"a D that says ½ has -log 4 from the start on, where V(D*) is {least:.2f} or more"
    yield identity(said, lazy < 1e-6 and least > LAZY + NEAR, f"off by {lazy:.0e}", expected=5)
    end = seen[seen["record"] == "end"].set_index("seed")
    parts = [
        within(f"{name} within {NEAR}", end[name], LAZY - NEAR, LAZY + NEAR, expected=6)
        for name in ("value", "best")
    ]
    claim = every("in the end V(D) and V(D*) are -log 4: D says ½, and rightly so", parts)
    yield claim.if_missed("players still turn around the fixed point")


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return both values at both ends."""
    named_so = {"start": "at the start", "end": "in the end"}
    return pd.DataFrame(
        {
            "when": said,
            "V(D)": with_interval(of["value"], 4),
            "V(D*)": with_interval(of["best"], 4),
            "V of a lazy D": with_interval(of["lazy"], 4),
            "mean off by": with_interval(of["mean_off"], 3),
            "spread off by": with_interval(of["spread_off"], 3),
        }
        for record, said in named_so.items()
        for of in [rows[rows["record"] == record]]
    )


LABELS = {"step": "batches", "best": "V(D*, G)", "value": "V(D, G), held out"}
PART = Part(
    __doc__,
    Line,
    expects,
    figures=(
        Table(
            name="values",
            title="The game's value and the best discriminator's",
            caption="Mean and 95 % interval over seeds. -log 4 is -1.3863.",
            build=table,
        ),
        Figure(
            name="values-along",
            title="The value along training",
            caption="V(D) of held-out data, mean and range over seeds; dashed: V(D*, G), which D "
            "has no part in.",
            x="step",
            y="value",
            where={"record": "curve"},
            theory="best",
            labels=LABELS,
        ),
        Figure(
            name="line-turns",
            title="Cosine of successive steps",
            caption="Of either player and of both together, mean since the evaluation before.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "players", "quantity": "cosine"},
            hue="player",
            labels={"step": "batches", "value": "cosine"},
        ),
    ),
)
