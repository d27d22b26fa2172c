"""The two regimes of training: their section of params.yaml."""

from typing import Annotated, Literal

from pydantic import PositiveFloat, PositiveInt, model_validator

from lightning_modules.algorithms import ALGORITHMS
from pipeline.study import Section, named

TaskName = Literal["next_character", "row_images"]
DATA: dict[TaskName, str] = {"next_character": "tiny_shakespeare", "row_images": "mnist"}


class Regime(Section):
    """How long to train, and how large."""

    algorithms: list[Annotated[str, named(ALGORITHMS)]]
    horizons: list[PositiveInt]
    """Of TBPTT, where it is among the algorithms."""
    block_length: PositiveInt
    """Of blocked RTRL: less than a sequence has steps, so that blocks are crossed within one."""
    precision: Literal[32, 64]
    optimizer: Literal["sgd", "adam"]
    learning_rates: dict[TaskName, PositiveFloat]
    """By task: the tasks of the regime."""
    hidden_size: PositiveInt
    batch_size: PositiveInt
    length: PositiveInt
    """Steps of a batch of text; an image has as many as it has rows."""
    steps: PositiveInt
    """Batches."""
    evaluate_every: PositiveInt
    held_out_size: PositiveInt
    """Sequences (images), or characters (text), that are evaluated."""
    seeds: PositiveInt

    @model_validator(mode="after")
    def _within(self) -> "Regime":
        if self.horizons and max(self.horizons) > self.length:
            raise ValueError(f"horizons reach {max(self.horizons)}, beyond length {self.length}")
        return self
