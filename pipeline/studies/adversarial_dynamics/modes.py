"""A ring of 8 and a square of 25 Gaussians: who finds their modes, and what the field does.

Of ``samples`` samples a place, a mode is found where at least a fifth of its share lies within
three spreads of its place; good are samples that lie so of any place; and the histogram of good
samples over places is told from an even one by its Kullback-Leibler divergence. Baselines see as
many samples as ``known`` says, and no network: a kernel density, its bandwidth by held-out
likelihood, and one Gaussian.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import PositiveFloat, model_validator

from pipeline.measuring.evidence import above, every, ordered
from pipeline.measuring.playing import Playing
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from pipeline.tasks.mixture import Mixture

DENSITY, ONE = "kernel density", "one Gaussian"
PLAIN, R1, NOISE, CONSENSUS = "plain", "R1", "instance noise", "consensus"
GAMES, BASELINES = (PLAIN, R1, NOISE, CONSENSUS), (DENSITY, ONE)
WITHIN, SHARE = 3.0, 0.2
"""Spreads within which a sample is good, and of an even share what finds a mode."""
SHOWN = 400
"""Samples of the first seed that rows hold, for the picture."""
BANDWIDTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Modes(Playing):
    """One way to make samples of one arrangement."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["mixture"]  # pyright: ignore[reportIncompatibleVariableOverride]
    arrangement: Literal["ring", "square"]
    method: Annotated[str, named((*GAMES, *BASELINES))]
    spread: PositiveFloat
    samples: Count
    """Of each place, that are judged."""
    known: Count
    """Samples that baselines learn from."""

    @model_validator(mode="after")
    def _played(self) -> "Modes":
        if (self.adversary is None) != (self.method in BASELINES):
            raise ValueError(f"adversary is {self.adversary!r}, beside the method {self.method!r}")
        return self

    def measure(self, given: Given) -> Rows:
        """Return what was found, some samples, and what probes tell along training."""
        sizes = {"batch_size": self.batch_size, "held_out_size": self.held_out_size}
        source: Any = TASKS[self.task](
            seed=self.seed, **sizes, arrangement=self.arrangement, spread=self.spread
        )
        if self.adversary is None:
            x_NI, rows = self._counted(source), []
        else:
            x_NI, rows = self._played_out(source, given)
        yield {"record": "end", **found(x_NI, source)}
        if self.seed == 0:
            for x1, x2 in x_NI[:SHOWN].tolist():
                yield {"record": "sample", "x1": x1, "x2": x2}
        yield from self._told(rows)

    def _played_out(self, source: "Mixture", given: Given) -> tuple[np.ndarray, list[Any]]:
        import torch

        from lightning_modules.adversaries import ADVERSARIES

        torch.manual_seed(self.seed)
        adversary = ADVERSARIES[str(self.adversary)](source.input_size, **(self.options or {}))
        learned = self.play(adversary, source, given)
        size = self.samples * source.output_size
        random = torch.Generator().manual_seed(self.seed)
        z_NZ = torch.randn(size, adversary.latent_size, generator=random)
        with torch.no_grad():
            x_NI = learned.learner.sampler().generate(z_NZ, torch.zeros(size).long())
        return x_NI.double().numpy(), learned.rows

    def _counted(self, source: "Mixture") -> np.ndarray:
        """Return samples of what needs no network."""
        random, size = np.random.default_rng(self.seed), self.samples * source.output_size
        batches = [source.batch(i).x_TBI[0] for i in range(-(-self.known // self.batch_size))]
        known_NI = np.concatenate([of.double().numpy() for of in batches])[: self.known]
        if self.method == ONE:
            return random.multivariate_normal(known_NI.mean(0), np.cov(known_NI.T), size)
        from sklearn.neighbors import KernelDensity

        held_NI = np.concatenate([of.x_TBI[0].double().numpy() for of in source.held_out()])
        fits = [KernelDensity(bandwidth=width).fit(known_NI) for width in BANDWIDTHS]
        best = max(fits, key=lambda fit: fit.score(held_NI))
        return np.asarray(best.sample(size, random_state=self.seed))

    def _told(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Iterate over probes' rows; the parts of an eigenvalue stand in one."""
        parts: dict[tuple[int, int], dict[str, float]] = {}
        for row in rows:
            if "number" in row:
                parts.setdefault((row["step"], row["number"]), {})[row["quantity"]] = row["value"]
            elif "probe" in row:
                yield {"record": "probe", **row}
        for (step, number), value in parts.items():
            yield {"record": "eigenvalue", "step": step, "number": number, **value}


def found(x_NI: np.ndarray, source: "Mixture") -> dict[str, Any]:
    """Return how many modes samples found, the share of good ones, and their evenness."""
    places_KI, modes = source.places_KI, source.output_size
    off_NK = np.linalg.norm(x_NI[:, None] - places_KI, axis=-1)
    good_N = off_NK.min(axis=1) <= WITHIN * source.spread
    count_K = np.bincount(off_NK.argmin(axis=1)[good_N], minlength=modes)
    share_K = count_K / max(1, count_K.sum())
    there_K = share_K[share_K > 0]
    return {
        "modes": int((count_K >= SHARE * len(x_NI) / modes).sum()),
        "of": modes,
        "good": float(good_N.mean()),
        # Of no good sample at all: that of a single place.
        "uneven": float((there_K * np.log(there_K * modes)).sum())
        if len(there_K)
        else math.log(modes),
    }


def ends(rows: pd.DataFrame, arrangement: str, column: str) -> dict[str, pd.Series]:
    """Return what each method came to on an arrangement, by seed."""
    end = rows[(rows["record"] == "end") & (rows["arrangement"] == arrangement)]
    return {
        str(method): of.set_index("seed")[column].astype(float)
        for method, of in end.groupby("method", sort=False)
    }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold R1 to finding the modes, and players to being better than one Gaussian."""
    for arrangement, wanted in (("ring", 7), ("square", 20)):
        modes = ends(rows, arrangement, "modes")
        good = ends(rows, arrangement, "good")
        if R1 in modes:
            of = int(rows.loc[rows["arrangement"] == arrangement, "of"].max())
            claim = above(
                f"{arrangement}: with R1 at least {wanted} of {of} modes are found",
                modes[R1],
                wanted - 0.5,
                expected=7,
            )
            yield claim.stands_for(COUNTS[arrangement]).if_missed(SMALL)
        if {R1, ONE} <= good.keys():
            yield ordered(
                f"{arrangement}: more samples are good with R1 than of one Gaussian, by .3",
                good[ONE],
                good[R1],
                by=0.3,
                expected=7,
            ).if_missed(SMALL)
        if {R1, DENSITY} <= good.keys():
            yield ordered(
                f"{arrangement}: a kernel density has more good samples than any game",
                pd.concat([good[name] for name in GAMES if name in good], axis=1).max(axis=1),
                good[DENSITY],
                expected=8,
            )
    calm = [
        ordered(arrangement, turning[R1], turning[PLAIN], expected=9)
        for arrangement in ("ring", "square")
        for turning in [rotation(rows, arrangement)]
        if {R1, PLAIN} <= turning.keys()
    ]
    if calm:
        yield every("in the end less of the field turns with R1 than without", calm)


def rotation(rows: pd.DataFrame, arrangement: str) -> dict[str, pd.Series]:
    """Return the share of eigenvalues that turn at the last look, by method and seed."""
    if "quantity" not in rows:
        return {}
    seen = rows[(rows["record"] == "probe") & (rows["quantity"] == "rotation")]
    seen = seen[seen["arrangement"] == arrangement]
    last = seen[seen["step"] == seen["step"].max()]
    return {
        str(method): of.set_index("seed")["value"].astype(float)
        for method, of in last.groupby("method", sort=False)
    }


_SECOND_HAND = "second-hand, of other networks"
COUNTS: Mapping[str, Published] = {
    "ring": Published(
        "ring-modes",
        f"Metz, Poole, Pfau & Sohl-Dickstein (2017), 8 modes: {_SECOND_HAND}",
        "plain 1, unrolled 7.6",
        "7 of 8 with R1",
    ),
    "square": Published(
        "square-modes",
        f"Srivastava, Valkov, Russell, Gutmann & Sutton (2017), 25 modes: {_SECOND_HAND}",
        "plain 3.3, VEEGAN 23.6 to 24.6",
        "20 of 25 with R1",
    ),
}
SMALL = "players are small and batches few; both are more at scale paper"


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each method found."""
    end, lines = rows[rows["record"] == "end"], []
    for (arrangement, method), of in end.groupby(["arrangement", "method"], sort=False):
        lines.append(
            {
                "arrangement": arrangement,
                "method": method,
                "modes": f"{with_interval(of['modes'], 1)} of {int(of['of'].iloc[0])}",
                "good samples, %": with_interval(100 * of["good"], 1),
                "unevenness, nats": with_interval(of["uneven"], 3),
            }
        )
    return pd.DataFrame(lines)


LABELS: dict[str, str] = {
    "step": "batches",
    "x1": "first entry",
    "x2": "second entry",
    "real": "Re λ",
    "imaginary": "Im λ",
    "rotation": "share that turns",
    "turning": "largest |Im λ|",
    "abscissa": "largest Re λ",
}
PART = Part(
    __doc__,
    Modes,
    expects,
    speaks_of={"arrangement": ("ring", "square")},
    figures=(
        Table(
            name="modes",
            title="Modes found",
            caption="Mean and 95 % interval over seeds; good samples lie within three spreads of a "
            "place, unevenness is the divergence of their histogram from an even one.",
            build=table,
        ),
        Figure(
            name="samples",
            title="Samples",
            caption="Of the first seed.",
            x="x1",
            y="x2",
            where={"record": "sample"},
            column="method",
            row="arrangement",
            kind="scatter",
            labels=LABELS,
        ),
        Figure(
            name="eigenvalues-of-games",
            title="Eigenvalues of the game's Jacobian along training",
            caption="The longest of each look, all seeds; what turns lies far from the real axis.",
            x="real",
            y="imaginary",
            where={"record": "eigenvalue", "arrangement": "ring"},
            hue="step",
            column="method",
            kind="scatter",
            labels=LABELS,
        ),
        Figure(
            name="field",
            title="The field along training",
            caption="Of the eigenvalues of the game's Jacobian on a batch: the largest real part, "
            "the largest imaginary one, and the share that turns faster than it grows or shrinks. "
            "Mean and range over seeds.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "game_spectrum"},
            hue="method",
            column="quantity",
            row="arrangement",
            labels=LABELS,
        ),
        Figure(
            name="gradients",
            title="Both players' gradients",
            caption="Norms, mean since the evaluation before; mean and range over seeds.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "players", "quantity": "norm"},
            hue="method",
            column="player",
            row="arrangement",
            log_y=True,
            labels={**LABELS, "value": "‖∂L/∂w‖"},
        ),
        Figure(
            name="turns",
            title="Cosine of successive steps",
            caption="Of both players together, mean since the evaluation before.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "players", "quantity": "cosine", "player": "both"},
            hue="method",
            column="arrangement",
            labels={**LABELS, "value": "cosine"},
        ),
    ),
)
