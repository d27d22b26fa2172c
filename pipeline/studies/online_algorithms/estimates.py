"""A stream with its loss under held weights, and what an algorithm makes of it."""

from typing import Any

import torch
from torch import Tensor, nn

from lightning_modules.interfaces import Algorithm, Batch, Cell, Run, Task
from lightning_modules.training.losses import loss_named
from lightning_modules.training.readout import ReadoutCredit
from pipeline.measuring.measures import compare, peak_bytes, processor_seconds

Numbers = dict[str, float]


class Problem:
    """A network under a random readout, and the first batch of a task to read."""

    def __init__(self, cell: Cell, task: Task, warmup: int):
        """Hold the weights; the loss counts from step ``warmup`` on."""
        self.cell, self.warmup = cell, warmup
        dtype = next(cell.parameters()).dtype
        self.readout = nn.Linear(cell.hidden_size, task.output_size, dtype=dtype)
        self.loss, batch = loss_named(task.loss), task.batch(0)
        y_TB = self.loss.targets(batch.y_TB, dtype)
        self.batch = batch._replace(x_TBI=batch.x_TBI.to(dtype), y_TB=y_TB)

    def part(self, first: int, last: int | None, copies: int = 1) -> Batch:
        """Return the steps from ``first`` up to ``last``, side by side with copies of them."""
        cut = (value[first:last] for value in self.batch)
        return Batch(*(value.repeat_interleave(copies, dim=1) for value in cut))

    def start(self, part: Batch) -> Tensor:
        """Return a zero state for the part, (B, S)."""
        return part.x_TBI.new_zeros(part.x_TBI.shape[1], self.cell.state_size)

    def run(
        self, rule: Algorithm, part: Batch, s_BS: Tensor, memory: Any = None
    ) -> tuple[Run, ReadoutCredit]:
        """Take the rule through a part; return what it hands back, and the readout's books."""
        counted_T: list[int] = part.mask_TB.sum(dim=1).tolist()
        credit = ReadoutCredit(self.readout, self.loss, part.y_TB, part.mask_TB, counted_T)
        resets_TB = part.resets_TB if part.resets_TB.any() else None
        return rule.run(self.cell, part.x_TBI, s_BS, credit, memory, resets_TB), credit

    def gradient(self, rule: Algorithm, copies: int = 1) -> Tensor:
        """Return the gradient of the loss after the warm-up, (P,), summed over the copies."""
        after = self.part(self.warmup, None, copies)
        if not self.warmup:
            return self.run(rule, after, self.start(after))[0].gradient_P
        before = self.part(0, self.warmup, copies)
        _, s_BS, memory, *_ = self.run(rule, before, self.start(before))[0]
        return self.run(rule, after, s_BS, memory)[0].gradient_P

    def single(self) -> "Problem":
        """Return the same problem in float32."""
        self.cell.float()
        self.readout.float()
        y_TB = self.loss.targets(self.batch.y_TB, torch.float32)
        self.batch = self.batch._replace(x_TBI=self.batch.x_TBI.float(), y_TB=y_TB)
        return self


def noise_of(
    problem: Problem, rule: Algorithm, exact_P: Tensor, draws: int, groups: int, copies: int
) -> Numbers:
    """Return how single draws point, and bias and variance over groups of copies.

    The bias in standard errors is the root mean square over the parameters that move at all; a
    right mean would have a little above 1 in so few groups, by Student's t, which is divided out.
    """
    single = [compare(problem.gradient(rule), exact_P) for _ in range(draws)]
    means_GP = torch.stack([problem.gradient(rule, copies) / copies for _ in range(groups)])
    off_P, error_P = means_GP.mean(dim=0) - exact_P, means_GP.std(dim=0) / groups**0.5
    size = exact_P.norm()
    # What neither moves nor is off says nothing: a parameter that the loss cannot feel.
    telling_P = torch.maximum(error_P, off_P.abs()) > 1e-10 * size
    z_P = off_P[telling_P] / error_P[telling_P].clamp_min(1e-12 * size)
    return {
        **{k: sum(one[k] for one in single) / draws for k in single[0]},
        "bias": float(off_P.norm() / size),
        "bias_in_errors": float((z_P.square().mean() * (groups - 3) / (groups - 1)).sqrt()),
        "standard_error": float(error_P.norm() / size),
        "variance": float(means_GP.var(dim=0).sum() * copies / size**2),
    }


def price(problem: Problem, rule: Algorithm, steps: int, repeats: int) -> Numbers:
    """Return processor time and peak memory of a run a step, in float32."""
    small = problem.single()
    parts = [small.part(t, t + 1) for t in range(min(steps, len(small.batch.x_TBI)))]

    def go() -> None:
        s_BS, memory = small.start(parts[0]), None
        for part in parts:
            _, s_BS, memory, *_ = small.run(rule, part, s_BS, memory)[0]

    seconds = processor_seconds(go, repeats) / len(parts)
    return {"microseconds": seconds * 1e6, "kilobytes": peak_bytes(go) / 1e3}
