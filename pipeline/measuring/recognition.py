"""Judging generated pictures of given classes: are they recognised, varied, and of use?

    recognised   the share of a class's generated pictures that a judge assigns to that class
    variety      within a class, the sum of the pixels' variances over that of real pictures
    nearest      the distance to the nearest training picture, over that distance for real
                 pictures that were not trained on: near 0 if training pictures are reproduced
    score        the accuracy on real pictures of a network that learned from generated ones alone

The judge learns from one half of the training part, the generator from the other.

References:
    Ravuri & Vinyals (2019), Classification accuracy score for conditional generative models,
        NeurIPS, arXiv:1905.10887: the score.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lightning_modules.networks import NETWORKS
from pipeline.study import Given
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from pipeline.data.sets._base import PictureSet

AT_ONCE = 1_000
"""Pictures that are processed at once: a bound on memory."""


class Judge(NamedTuple):
    """A network that classifies pictures, and its accuracy on the test part."""

    network: Any
    accuracy: float


class Reading(NamedTuple):
    """How a network learns to classify pictures."""

    network: str
    options: Mapping[str, Any]
    learning_rate: float
    batch_size: int
    steps: int
    held_out_size: int
    size: int | None
    """Rows and columns to which pictures are resized; None leaves them as they are."""

    def learned(self, images: "PictureSet", seed: int, given: Given, name: str) -> Judge:
        """Train a network and return it; ``name`` is its folder for checkpoints."""
        import torch

        from lightning_modules.networks._pictures import PictureNetwork
        from lightning_modules.training.backprop import BackpropLearner
        from lightning_modules.training.fit import fit

        source: Any = TASKS["images"](
            images, seed, self.batch_size, self.held_out_size, size=self.size
        )
        torch.manual_seed(seed)
        kind: Any = NETWORKS[self.network]
        whole = issubclass(kind, PictureNetwork)
        seen: Any = source.shape_CYX if whole else source.input_size
        network = kind(seen, source.output_size, **self.options)
        learner = BackpropLearner(network, source.loss, "adam", self.learning_rate, anneal=True)
        fit(
            learner,
            source,
            steps=self.steps,
            evaluate_every=self.steps,
            seed=seed,
            scratch=given.scratch / name,
        )
        accuracy = learner.evaluate(source.test()).accuracy
        return Judge(learner.network.eval(), float(accuracy or 0.0))


def halves(images: "PictureSet") -> tuple["PictureSet", "PictureSet"]:
    """Return the data set with half its training part, twice: for generators, and for judges."""
    cut = len(images.train_y_N) // 2
    return _part(images, slice(cut)), _part(images, slice(cut, None))


def _part(images: "PictureSet", of: slice) -> "PictureSet":
    """Return the data set with some of its training part."""
    x_NHW, y_N = images.train_x_NHW[of], images.train_y_N[of]
    return dataclasses.replace(images, train_x_NHW=x_NHW, train_y_N=y_N)


def pixels(x_NHW: "Tensor", size: int | None) -> "Tensor":
    """Return pictures of bytes, resized, as rows of numbers from 0 to 1, (N, I)."""
    from torch.nn.functional import interpolate

    x_NHW = x_NHW.float() / 255
    if size is not None and x_NHW.shape[1:] != (size, size):
        x_NHW = interpolate(x_NHW.unsqueeze(1), (size, size), mode="bilinear").squeeze(1)
    return x_NHW.flatten(1)


def as_training_part(images: "PictureSet", x_NI: "Tensor", y_N: "Tensor", size: int) -> Any:
    """Return the data set with generated pictures (0 to 1) in place of its training part.

    Its test part is resized to theirs.
    """
    import torch

    test_NI = pixels(images.test_x_NHW, size)
    made, test = (
        (255 * of.clamp(0, 1)).round().to(torch.uint8).view(-1, size, size)
        for of in (x_NI, test_NI)
    )
    return dataclasses.replace(images, train_x_NHW=made, train_y_N=y_N, test_x_NHW=test)


def recognised(judge: Judge, x_NI: "Tensor", y_N: "Tensor", classes: int) -> "Tensor":
    """Return the share of pictures that the judge assigns to their class, by class, (K,)."""
    import torch

    with torch.no_grad():
        parts = [judge.network(x_BI.unsqueeze(0))[0].argmax(dim=-1) for x_BI in x_NI.split(AT_ONCE)]
    right_N = (torch.cat(parts) == y_N).float()
    return torch.stack([right_N[y_N == k].mean() for k in range(classes)])


def variety(x_NI: "Tensor", y_N: "Tensor", real_NI: "Tensor", real_y_N: "Tensor", k: int) -> float:
    """Return class k's variance, summed over pixels, as a ratio to that of real pictures."""
    made, real = (of[y == k].var(dim=0).sum() for of, y in ((x_NI, y_N), (real_NI, real_y_N)))
    return float(made / real)


def nearest(x_NI: "Tensor", known_NI: "Tensor") -> float:
    """Return the mean distance of pictures to the nearest of the training pictures."""
    import torch

    found = [torch.cdist(x_BI, known_NI).amin(dim=1) for x_BI in x_NI.split(AT_ONCE // 10)]
    return float(torch.cat(found).mean())
