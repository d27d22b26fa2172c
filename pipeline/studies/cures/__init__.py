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
from pipeline.studies.cures.predictions import by_rate, outcomes, references
from pipeline.studies.cures.smoothness import PART as SMOOTHNESS
from pipeline.studies.cures.smoothness import fits
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what a clip does, what decay does, what rates do, and why."""
    tasks = outcomes(rows_of(rows, "learning")).groupby("task", sort=False)
    cured, fast = [], []
    for task, seen in tasks:
        name = str(task).replace("_", " ")
        cured += [f"{name}: {said}" for said in [_ends(seen)] if said]
        if rates := by_rate(seen):
            highest, (none, clip) = list(rates.items())[-1]
            fast.append(f"{name} at {highest:g}: {_loss(clip)} against {_loss(none)}")
    steeper = [
        f"{str(task).replace('_', ' ')} {with_interval(of['exponent'], 2)}"
        for task, of in fits(rows_of(rows, "smoothness")).groupby("task", sort=False)
    ]
    said = {
        "A clip by norm makes learnable what a gradient that explodes would undo, and does little "
        "where none does; decay does not stand in for it": cured,
        "It also lets steps be long: at the highest rate tried the held-out loss ends, with the "
        "clip and without": fast,
        "That is where the loss bends most: its local smoothness grows as a power of the "
        "gradient's norm, which is": steeper,
    }
    return " ".join(f"{what}: {'; '.join(each)}." for what, each in said.items() if each)


def _ends(seen: pd.DataFrame) -> str:
    """Say how often a task is solved with the clip, without, and by the best decay alone."""
    none, clip = references(seen)
    alone = seen[(seen["varied"] == "decay") & (seen["kind"] == "none")]
    decayed = [runs for _, runs in alone.groupby(["decay", "strength"])]
    if none.empty or clip.empty:
        return ""
    if seen["succeeded"].isna().any():
        return f"a loss of {_loss(clip)} with {clip['cure'].iloc[0]}, {_loss(none)} without"
    ends = [(f"with {clip['cure'].iloc[0]}", clip), ("without", none)]
    if decayed:
        best = max(decayed, key=lambda runs: runs["succeeded"].astype(float).mean())
        ends.append((f"by decay alone, {best['cure'].iloc[0]} at best,", best))
    return "solved " + ", ".join(
        f"{how} from {share_in_words(runs['succeeded'].astype(bool))} starts" for how, runs in ends
    )


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
