"""A small task with everything that training must respect: streams, resets and masks."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from lightning_modules.interfaces import Batch, Task

HELD_OUT = 1_000_000


class Recall(Task):
    """Recall the input of the step before: the sign of its first entry, or all its values."""

    input_size = 3

    def __init__(
        self,
        loss: Literal["cross_entropy", "squared_error"] = "cross_entropy",
        streams: bool = False,
        length: int = 7,
        counted: float = 0.7,
        resets: float = 0.2,
    ):
        self.loss, self.streams, self.length = loss, streams, length
        self.output_size = 2 if loss == "cross_entropy" else 3
        self.counted, self.resets = counted, resets if streams else 0.0
        self.served: list[int] = []

    def batch(self, index: int) -> Batch:
        self.served.append(index)
        x_TBI, mask_TB, resets_TB = self._draw(index)
        earlier_BI = self._draw(index - 1)[0][-1] if self.streams else torch.zeros_like(x_TBI[0])
        before_TBI = torch.cat([earlier_BI[None], x_TBI[:-1]])
        before_TBI = torch.where(resets_TB[..., None], 0.0, before_TBI)
        y_TB = (before_TBI[..., 0] > 0).long() if self.loss == "cross_entropy" else before_TBI
        return Batch(x_TBI, y_TB, mask_TB, resets_TB)

    def held_out(self) -> Iterator[Batch]:
        for i in range(3):
            yield self.batch(HELD_OUT + i)

    def _draw(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        generator = torch.Generator().manual_seed(index + 1)
        shape = (self.length, 4)
        x_TBI = torch.randn(*shape, self.input_size, generator=generator)
        mask_TB = torch.rand(shape, generator=generator) < self.counted
        return x_TBI, mask_TB, torch.rand(shape, generator=generator) < self.resets
