"""What is to be learned, and the cures that are tried on it."""

import itertools
from collections.abc import Iterator
from typing import Literal

from pydantic import PositiveFloat, PositiveInt, model_validator

from pipeline.study import Section, Trial

Clips = Literal["norm", "value", "adaptive"]
Decays = Literal["l2", "l1"]


class Problem(Section):
    """A task at a size, and everything that is tried on it.

    ``clip`` is the reference: a clip by norm at this threshold, which decays and learning rates
    are combined with.
    """

    length: PositiveInt
    steps: PositiveInt
    """Updates."""
    evaluate_every: PositiveInt
    held_out_size: PositiveInt
    success: PositiveFloat | None
    """Below this it is solved: the wrong fraction of classes, or the squared error of values."""
    learning_rate: PositiveFloat
    clip: PositiveFloat
    thresholds: dict[Clips, list[PositiveFloat]]
    decays: dict[Decays, list[PositiveFloat]]
    learning_rates: list[PositiveFloat]
    """Others than ``learning_rate``."""

    @model_validator(mode="after")
    def _once(self) -> "Problem":
        if self.learning_rate in self.learning_rates:
            raise ValueError(f"learning_rates repeat the learning_rate, {self.learning_rate}")
        if self.clip in self.thresholds.get("norm", []):
            raise ValueError(f"thresholds of norm repeat the clip, {self.clip}")
        if self.steps % self.evaluate_every:
            raise ValueError(f"steps must be a multiple of evaluate_every, {self.evaluate_every}")
        return self


def cures(p: Problem) -> Iterator[Trial]:
    """Iterate over the cures; ``varied`` says what tells one from the two references.

    The references are no cure and the reference clip, at the problem's own learning rate.
    """
    none: Trial = {
        "varied": "nothing",
        "clip": None,
        "threshold": None,
        "decay": None,
        "strength": None,
        "learning_rate": p.learning_rate,
    }
    references = none, {**none, "clip": "norm", "threshold": p.clip}
    yield from references
    for kind, thresholds in p.thresholds.items():
        for threshold in thresholds:
            yield {**none, "varied": "threshold", "clip": kind, "threshold": threshold}
    for kind, strengths in p.decays.items():
        for strength, reference in itertools.product(strengths, references):
            yield {**reference, "varied": "decay", "decay": kind, "strength": strength}
    for rate, reference in itertools.product(p.learning_rates, references):
        yield {**reference, "varied": "rate", "learning_rate": rate}
