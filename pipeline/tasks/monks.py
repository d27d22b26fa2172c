"""The MONK's problems: robots by six discrete attributes, one input unit for each value.

    attribute      values, the first written out
    1  head        3  round                 1  the head is like the body, or the jacket is red
    2  body        3  round                 2  exactly two attributes have their first value
    3  smiling     2  yes                   3  the jacket is green and a sword is held, or the
    4  holding     3  sword                    jacket is not blue and the body not octagonal;
    5  jacket      4  red yellow green blue    one training answer in twenty is turned round
    6  tie         2  yes

432 robots, 17 inputs, of which six are 1, and the answers no and yes. Trained on are 124, 169 and
122 of them, drawn by the seed (those of the report are fixed), held out are all, without noise.

References:
    Thrun et al. (1991), The MONK's problems: a performance comparison of different learning
        algorithms, CMU-CS-91-197, Carnegie Mellon University.
"""

import itertools
from collections.abc import Iterator
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.tasks._common import first_step, numbers
from pipeline.tasks._epochs import Epochs

VALUES = (3, 3, 2, 3, 4, 2)
TRAINED = {1: 124, 2: 169, 3: 122}
NOISE = 0.05
"""Of the third problem."""


@final
class Monks(Task):
    """One of the three problems, a robot at a time."""

    input_size, output_size, loss = sum(VALUES), 2, "cross_entropy"

    def __init__(self, seed: int, problem: int, batch_size: int | None = None):
        """``batch_size`` None shows all that is trained on at once, in a new order each time."""
        whole(0, seed=seed)
        if problem not in TRAINED:
            raise ValueError(f"problem is {problem}, must be one of: 1, 2, 3")
        size = TRAINED[problem] if batch_size is None else batch_size
        whole(1, batch_size=size)
        if size > TRAINED[problem]:
            raise ValueError(f"batch_size is {size}, there are {TRAINED[problem]} robots")
        random = numbers(seed)
        chosen_N = random.permutation(len(ROBOTS))[: TRAINED[problem]]
        self._epochs = Epochs(seed, size, chosen_N)
        self._truth_N = torch.tensor([_is(problem, *robot) for robot in ROBOTS]).long()
        self._taught_N = self._truth_N.clone()
        if problem == 3:
            turned = torch.from_numpy(chosen_N[: round(NOISE * len(chosen_N))])
            self._taught_N[turned] = 1 - self._taught_N[turned]

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        return _batch(self._epochs.batch(index), self._taught_N)

    def held_out(self) -> Iterator[Batch]:
        """Return all robots, with the true answers."""
        yield _batch(torch.arange(len(ROBOTS)), self._truth_N)


def _is(problem: int, *robot: int) -> bool:
    """Return the answer for a robot, whose values are counted from 0."""
    head, body, _, holding, jacket, _ = robot
    if problem == 1:
        return head == body or jacket == 0
    if problem == 2:
        return robot.count(0) == 2
    return (jacket == 2 and holding == 0) or (jacket != 3 and body != 2)


def _batch(chosen_B: Tensor, answer_N: Tensor) -> Batch:
    """Return robots as one step."""
    values = torch.from_numpy(np.array(ROBOTS))[chosen_B].unbind(1)
    units = [one_hot(value_B, count) for value_B, count in zip(values, VALUES, strict=True)]
    start_TB = first_step(1, len(chosen_B))
    x_1BI = torch.cat(units, dim=1).float().unsqueeze(0)
    return Batch(x_1BI, answer_N[chosen_B].unsqueeze(0), torch.ones_like(start_TB), start_TB)


ROBOTS = tuple(itertools.product(*map(range, VALUES)))
