"""What does the adding problem cost a network that remembers nothing?

The best that it can say is the mean of the sum of two numbers from [0, 1], which is 1. Its squared
error is their variance, 2/12.
"""

from collections.abc import Iterator
from typing import Literal

import pandas as pd

from pipeline.measuring.evidence import within
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Trial
from pipeline.tasks import TASKS

CHANCE, NEAR = 1 / 6, 0.003
"""The variance of a sum of two, and how near the mean over sequences comes to it."""
QUOTED = 0.1767
"""What is most often quoted for it."""
SLIP = (
    "the sum of two independent uniform numbers has a variance of 2/12 = .1667, which ours is: "
    "a slip of the pen"
)
"""Why the figure that is most quoted is not reached."""
LE, ARJOVSKY = (
    Published(
        row,
        source,
        f"{value} of always answering 1",
        f"± {NEAR}",
        stated="before the first run, though knowing that the two figures disagree",
    )
    for row, source, value in (
        (
            "adding-chance-le",
            "Le, Jaitly & Hinton (2015), second-hand: the adding problem",
            QUOTED,
        ),
        (
            "adding-chance-arjovsky",
            "Arjovsky, Shah & Bengio (2016): the adding problem",
            0.167,
        ),
    )
)


class Chance(Trial):
    """The answer 1, whatever the sequence."""

    task: Literal["adding"]
    length: Count
    held_out_size: Count

    def measure(self, given: Given) -> Rows:
        """Return its squared error on the held-out sequences."""
        sizes = {"batch_size": 1, "length": self.length, "held_out_size": self.held_out_size}
        held_out = TASKS[self.task](seed=self.seed, **sizes).held_out()
        errors = [float((of.y_TB[of.mask_TB] - 1).square().sum()) for of in held_out]
        return {"squared_error": sum(errors) / self.held_out_size, "variance": CHANCE}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold it to the variance, and to both figures that are published."""
    error = rows.groupby("seed")["squared_error"].mean()
    said = "adding: who always answers 1 has a squared error of"
    near = within(f"{said} 1/6", error, CHANCE - NEAR, CHANCE + NEAR, expected=3, digits=4)
    yield near.stands_for(ARJOVSKY)
    low, high = QUOTED - NEAR, QUOTED + NEAR
    published = within(f"{said} {QUOTED}", error, low, high, expected=3, digits=4)
    yield published.stands_for(LE).if_missed(SLIP)


PART = Part(
    __doc__,
    Chance,
    expects,
    figures=(
        Figure(
            name="chance",
            title="Squared error of always answering 1",
            caption="On held-out sequences; mean and range over seeds. Dashed: the variance of the "
            f"sum, 1/6. Le et al. give {QUOTED}.",
            x="length",
            y="squared_error",
            theory="variance",
            labels={"length": "steps", "squared_error": "squared error"},
        ),
    ),
)
