"""Digits that are asked for: made by a conditional game and, without a network, by densities.

Whoever makes digits learns from the first half of the training part. ``asked`` of each class are
judged by a network that learned from the second half, ``learned`` are what another network learns
from alone, to read real ones of the test part. Real digits of the first half are judged the same
way. A kernel density draws a digit that it knows and blurs it, its bandwidth by held-out
likelihood; one Gaussian a class has all correlations of two pixels.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import PositiveFloat, model_validator

from lightning_modules.networks import NETWORKS
from pipeline.measuring.pictures import packed
from pipeline.measuring.playing import Playing
from pipeline.measuring.recognition import (
    Reading,
    as_training_part,
    halves,
    nearest,
    pixels,
    recognised,
    variety,
)
from pipeline.measuring.training import DataSet
from pipeline.study import Count, Given, Options, Rows, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.adversaries._adversary import Adversary
    from pipeline.data.sets._base import PictureSet

GAME, GAUSSIAN, DENSITY, REAL = "game", "a Gaussian a class", "kernel density", "real digits"
DOC = __doc__
COPIES = 8
"""Digits of each class that the picture shows, of the first seed."""
BANDWIDTHS = (0.05, 0.1, 0.15, 0.2, 0.3)
TRIED, LEARNED = 100, 1_000
"""Digits that a bandwidth is tried on, and learned from."""
COMPARED = 300
"""Digits whose nearest one is looked for."""


class Digits(Playing):
    """One way to make digits."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["images"]  # pyright: ignore[reportIncompatibleVariableOverride]
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    method: Annotated[str, named((GAME, GAUSSIAN, DENSITY, REAL))]
    size: Count
    """Rows and columns that digits are drawn to."""
    asked: Count
    learned: Count
    reader: Annotated[str, named(NETWORKS)]
    """The judge, and what learns from made digits."""
    reader_options: Options | None = None
    reader_rate: PositiveFloat
    reader_batch: Count
    reader_steps: Count

    @model_validator(mode="after")
    def _played(self) -> "Digits":
        if (self.adversary is None) != (self.method != GAME):
            raise ValueError(f"adversary is {self.adversary!r}, beside the method {self.method!r}")
        return self

    def measure(self, given: Given) -> Rows:
        """Return how digits are judged, some of them, and what probes tell of the game."""
        import torch

        (images,) = self.read(given)
        made_by, judged_by = halves(images)
        known = pixels(made_by.train_x_NHW, self.size), made_by.train_y_N
        reading = self._reading()
        judge = reading.learned(judged_by, self.seed, given, "judge")
        most = max(self.asked, -(-self.learned // images.classes))
        torch.manual_seed(self.seed)
        y_N = torch.arange(images.classes).repeat(most)
        if self.method == GAME:
            adversary, rows = self._game(made_by, given)
            x_NI = _generated(adversary, y_N, self.seed)
            yield from rows
            yield from self._labels(adversary, judged_by)
        else:
            x_NI, y_N = self._without(*known, judged_by, y_N)
        few_NI, few_N = _of_each(x_NI, y_N, self.asked, images.classes)
        real = pixels(judged_by.train_x_NHW, self.size), judged_by.train_y_N
        shares_K = recognised(judge, few_NI, few_N, images.classes)
        ratios = [variety(few_NI, few_N, *real, k) for k in range(images.classes)]
        for k, share in enumerate(shares_K.tolist()):
            yield {"record": "class", "digit": k, "recognised": share, "variety": ratios[k]}
        learned_NI, learned_N = x_NI[: self.learned], y_N[: self.learned]
        made = as_training_part(images, learned_NI, learned_N, self.size)
        unseen = nearest(real[0][:COMPARED], known[0])
        yield {
            "record": "end",
            "recognised": float(shares_K.mean()),
            "weakest": float(shares_K.min()),
            "variety": float(np.mean(ratios)),
            "variety_least": min(ratios),
            "variety_most": max(ratios),
            "judge": judge.accuracy,
            "score": reading.learned(made, self.seed, given, "scored").accuracy,
            "nearest": nearest(few_NI[:COMPARED], known[0]) / unseen,
        }
        if self.seed == 0 and self.method != REAL:
            yield from self._pictures(few_NI, few_N, images.classes)

    def _reading(self) -> Reading:
        of = self.reader, self.reader_options or {}, self.reader_rate, self.reader_batch
        return Reading(*of, self.reader_steps, self.held_out_size, self.size)

    def _game(self, images: "PictureSet", given: Given) -> tuple["Adversary", list[Any]]:
        """Return the players after their game, and its rows."""
        import torch

        from lightning_modules.adversaries import ADVERSARIES

        source = TASKS[self.task](
            images, self.seed, self.batch_size, self.held_out_size, size=self.size
        )
        torch.manual_seed(self.seed)
        kind: Any = ADVERSARIES[str(self.adversary)]
        adversary = kind((self.size, self.size), images.classes, **(self.options or {}))
        learned = self.play(adversary, source, given)
        rows = [{"record": "probe" if "probe" in row else "curve", **row} for row in learned.rows]
        return learned.learner.sampler().eval(), rows

    def _labels(self, adversary: "Adversary", images: "PictureSet") -> Iterator[Any]:
        """Say what the discriminator thinks of unseen digits told their class, and another."""
        import torch

        few = slice(COMPARED)
        x_NI, y_N = pixels(images.train_x_NHW[few], self.size), images.train_y_N[few]
        others = [(y_N + 1 + k) % images.classes for k in range(images.classes - 1)]
        with torch.no_grad():
            own = float(adversary.discriminate(x_NI, y_N).mean())
            other = [float(adversary.discriminate(x_NI, of).mean()) for of in others]
        yield {"record": "label", "own": own, "other": float(np.mean(other))}

    def _without(
        self, x_NI: "Tensor", y_N: "Tensor", others: "PictureSet", asked_N: "Tensor"
    ) -> tuple["Tensor", "Tensor"]:
        """Return digits of the asked-for classes that no network made; real ones as they come."""
        import torch

        if self.method == REAL:
            return x_NI, y_N
        random = np.random.default_rng(self.seed)
        made_NI = x_NI.new_empty(len(asked_N), x_NI.shape[1])
        width = 0.0
        if self.method == DENSITY:
            width = bandwidth(x_NI, pixels(others.train_x_NHW[:TRIED], self.size))
        for k in asked_N.unique().tolist():
            of_NI, count = x_NI[y_N == k].double().numpy(), int((asked_N == k).sum())
            if self.method == DENSITY:
                drawn_NI = of_NI[random.integers(len(of_NI), size=count)]
                drawn_NI = drawn_NI + width * random.standard_normal(drawn_NI.shape)
            else:
                drawn_NI = like(of_NI, count, random)
            made_NI[asked_N == k] = torch.from_numpy(drawn_NI).float().clamp(0, 1)
        return made_NI, asked_N

    def _pictures(self, x_NI: "Tensor", y_N: "Tensor", classes: int) -> Iterator[Any]:
        """Iterate over some digits of each class."""
        for k in range(classes):
            for copy, x_I in enumerate(x_NI[y_N == k][:COPIES]):
                picture = packed(x_I.view(self.size, self.size).tolist())
                yield {"record": "picture", "digit": k, "copy": copy, "picture": picture}


def _generated(adversary: "Adversary", y_N: "Tensor", seed: int) -> "Tensor":
    """Return a sample of each class that is asked for, (N, I)."""
    import torch

    random, made = torch.Generator().manual_seed(seed), []
    with torch.no_grad():
        for y_B in y_N.split(1_000):
            z_BZ = torch.randn(len(y_B), adversary.latent_size, generator=random)
            made.append(adversary.generate(z_BZ, y_B))
    return torch.cat(made)


def _of_each(x_NI: "Tensor", y_N: "Tensor", count: int, classes: int) -> tuple["Tensor", "Tensor"]:
    """Return the first so many pictures of each class, in turn as they came."""
    import torch

    chosen = torch.cat([(y_N == k).nonzero()[:count, 0] for k in range(classes)]).sort().values
    return x_NI[chosen], y_N[chosen]


def like(known_NI: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Return samples of the Gaussian with the mean and the covariance of what is known.

    Known ones' distances from their mean, added up with weights drawn from N(0, 1) and divided by
    √(n - 1): no matrix of all pairs of pixels is taken apart.
    """
    mean_I, n = known_NI.mean(axis=0), len(known_NI)
    return mean_I + random.standard_normal((count, n)) @ (known_NI - mean_I) / (n - 1) ** 0.5


def bandwidth(known_NI: "Tensor", held_NI: "Tensor") -> float:
    """Return the spread of the kernel under which held-out digits are likeliest."""
    from sklearn.neighbors import KernelDensity

    known, held = known_NI[:LEARNED].double().numpy(), held_NI.double().numpy()
    fits = {width: KernelDensity(bandwidth=width).fit(known) for width in BANDWIDTHS}
    return max(fits, key=lambda width: fits[width].score(held))
