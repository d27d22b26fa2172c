"""What do the cures of exploding gradients do: clipping, decay of weights, small learning rates?

A gradient that explodes throws the weights far away, and with them all that was learned. It can be
cut: by the norm of the whole, entry by entry, or unit by unit in proportion to the unit's weights.
Weights can be kept small, so that nothing explodes; or steps. This study says which of these make
a simple recurrent network learn what it otherwise cannot (temporal order, adding) and what they do
where nothing has to be remembered for long (the next character), at which thresholds, and what is
lost where everything is clipped.

Expected:
    1. Temporal order at T = 20, Pascanu's shortest: a clip by norm at 1 solves it from at least
       3 of 5 starts more than no clip does.
    2. Pascanu's rule: a clip by norm at any threshold from 1/2 to 10 times the mean norm converges,
       here: from at least half of the starts.
    3. Clipping by norm never turns the update, and none diverges, since no step is longer than
       rate times threshold.
    4. Clipping every entry leaves little but signs, whose cosine to normally distributed entries
       is √(2/π), 0.80, and lower where tails are heavier. Clipping by unit turns less.
    5. A clip below every norm leaves the direction alone, which is enough to learn from, from at
       least half of the starts; but success comes later than under the reference clip.
    6. Clipping widens the range of learning rates: a start solves a task at more of them; at none
       does the clip solve it less often than nothing does, by one start in five; and at the highest
       it ends better.
    7. Decay of weights is no substitute: alone, at any strength, it solves a task less often than
       the clip alone, by one start in five.
    8. The strongest decay undoes the clip, since weights that it keeps small cannot hold what came
       early: together they solve a task less often than the clip alone, by one start in five.
    9. Zhang's finding: local smoothness grows with the gradient's norm along training; over the
       measurements of a run the logarithms of both correlate, and the fitted exponent is above 0.

References:
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks,
    ICML, arXiv:1211.5063.
    Zhang, He, Sra & Jadbabaie (2020), Why gradient clipping accelerates training: a theoretical
    justification for adaptivity, ICLR, arXiv:1905.11881.
    Mikolov (2012), Statistical language models based on neural networks, PhD thesis, Brno: clipping
    by value.
    Brock, De, Smith & Simonyan (2021), High-performance large-scale image recognition without
    normalization, ICML, arXiv:2102.06171: clipping by unit.
"""

import math

import pandas as pd

from pipeline.measuring.statistics import share_in_words, with_interval
from pipeline.studies.cures.learning import PART as LEARNING
from pipeline.studies.cures.predictions import TABLED, by_rate, outcomes, references
from pipeline.studies.cures.smoothness import PART as SMOOTHNESS
from pipeline.study import join, rows_of

TEXT = "next_character"


def answer(rows: pd.DataFrame) -> str:
    """Say how often each cure solves what goes unsolved without, and what a clip does to text."""
    by_task = dict(list(outcomes(rows_of(rows, "learning")).groupby("task")))
    said = []
    if TABLED in by_task:
        said.append(_cured(by_task[TABLED]))
    rates = by_rate(by_task[TEXT]) if TEXT in by_task else {}
    if rates:
        highest, (none, clip) = list(rates.items())[-1]
        said.append(
            f"Where steps are long (a rate of {highest:g}) the next character ends at a loss of "
            f"{_loss(clip)} with a clip and of {_loss(none)} without."
        )
    return " ".join(said)


def _cured(seen: pd.DataFrame) -> str:
    """Say from how many starts a task is solved by each cure alone, by the best of its kind."""
    none, clip = references(seen)
    ways = [
        ("under a clip by norm", [clip] if len(clip) else []),
        ("without any cure", [none] if len(none) else []),
        ("at another learning rate alone", _alone(seen, "rate", ["learning_rate"])),
        ("under decay of weights alone", _alone(seen, "decay", ["decay", "strength"])),
    ]
    best = {
        how: max((runs["succeeded"].astype(bool) for runs in tried), key=lambda of: of.mean())
        for how, tried in ways
        if tried
    }
    said = [f"{how} from {share_in_words(solved)}" for how, solved in best.items()]
    return f"Temporal order was solved {', '.join(said)} starts."


def _alone(seen: pd.DataFrame, varied: str, by: list[str]) -> list[pd.DataFrame]:
    """Return the runs without a clip of each setting of what is varied."""
    runs = seen[(seen["varied"] == varied) & (seen["kind"] == "none")]
    return [of for _, of in runs.groupby(by)]


def _loss(runs: pd.DataFrame) -> str:
    """Return the held-out loss at the end as words; where runs diverged, how many."""
    lost = ~runs["final_loss"].map(math.isfinite)
    if lost.any():
        return f"{share_in_words(lost)} diverged"
    return with_interval(runs["final_loss"], 2 if runs["final_loss"].mean() > 0.1 else 4)


STUDY = join(
    __doc__,
    answer,
    "vanishing gradients and their cures",
    learning=LEARNING,
    smoothness=SMOOTHNESS,
)
