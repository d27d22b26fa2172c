"""A ring of 8 and a square of 25 Gaussians: who finds their modes, and what the field does.

Of ``samples`` samples a place, a mode is found where at least a fifth of its share lies within
three spreads of its place; good are samples that lie so of any place; and the histogram of good
samples over places is told from an even one by its Kullback-Leibler divergence. Baselines see as
many samples as ``known`` says, and no network: a kernel density, its bandwidth by held-out
likelihood, and one Gaussian.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import PositiveFloat, model_validator

from pipeline.measuring.playing import Playing
from pipeline.study import Count, Given, Rows, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from pipeline.tasks.mixture import Mixture

DOC = __doc__
DENSITY, ONE = "kernel density", "one Gaussian"
PLAIN, R1, NOISE, CONSENSUS = "plain", "R1", "instance noise", "consensus"
GAMES, BASELINES = (PLAIN, R1, NOISE, CONSENSUS), (DENSITY, ONE)
WITHIN, SHARE = 3.0, 0.2
"""Spreads within which a sample is good, and of an even share what finds a mode."""
SHOWN = 150
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
