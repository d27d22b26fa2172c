"""A network under a random readout reading a stream, and the gradient that a rule makes of it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Algorithm, Batch, Cell, Run, Task
    from lightning_modules.training.readout import ReadoutCredit


class Problem:
    """A network under a random readout, and the first batch of a task to read."""

    def __init__(self, cell: "Cell", task: "Task", warmup: int):
        """Hold the weights; the loss counts from step ``warmup`` on."""
        from torch import nn

        from lightning_modules.training.losses import loss_named

        self.cell, self.warmup = cell, warmup
        dtype = next(cell.parameters()).dtype
        self.readout = nn.Linear(cell.hidden_size, task.output_size, dtype=dtype)
        self.loss, batch = loss_named(task.loss), task.batch(0)
        y_TB = self.loss.targets(batch.y_TB, dtype)
        self.batch = batch._replace(x_TBI=batch.x_TBI.to(dtype), y_TB=y_TB)

    def part(self, first: int, last: int | None, copies: int = 1) -> "Batch":
        """Return the steps from ``first`` up to ``last``, side by side with copies of them."""
        cut = (value[first:last] for value in self.batch)
        return self.batch._make(value.repeat_interleave(copies, dim=1) for value in cut)

    def start(self, part: "Batch") -> "Tensor":
        """Return a zero state for the part, (B, S)."""
        return part.x_TBI.new_zeros(part.x_TBI.shape[1], self.cell.state_size)

    def run(
        self, rule: "Algorithm", part: "Batch", s_BS: "Tensor", memory: Any = None
    ) -> "tuple[Run, ReadoutCredit]":
        """Take the rule through a part; return what it hands back, and the readout's books."""
        from lightning_modules.training.readout import ReadoutCredit

        counted_T: list[int] = part.mask_TB.sum(dim=1).tolist()
        credit = ReadoutCredit(self.readout, self.loss, part.y_TB, part.mask_TB, counted_T)
        resets_TB = part.resets_TB if part.resets_TB.any() else None
        return rule.run(self.cell, part.x_TBI, s_BS, credit, memory, resets_TB), credit

    def gradient(self, rule: "Algorithm", copies: int = 1) -> "Tensor":
        """Return the gradient of the loss after the warm-up, (P,), summed over the copies."""
        after = self.part(self.warmup, None, copies)
        if not self.warmup:
            return self.run(rule, after, self.start(after))[0].gradient_P
        before = self.part(0, self.warmup, copies)
        _, s_BS, memory, *_ = self.run(rule, before, self.start(before))[0]
        return self.run(rule, after, s_BS, memory)[0].gradient_P

    def to_float32(self) -> None:
        """Turn weights and stream into numbers of single precision."""
        self.cell.float()
        self.readout.float()
        x_TBI = self.batch.x_TBI.float()
        y_TB = self.loss.targets(self.batch.y_TB, x_TBI.dtype)
        self.batch = self.batch._replace(x_TBI=x_TBI, y_TB=y_TB)
