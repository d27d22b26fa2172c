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

from pipeline.measuring.statistics import share_in_words
from pipeline.studies.cures.learning import PART as LEARNING
from pipeline.studies.cures.predictions import TABLED, by_rate, outcomes, references
from pipeline.studies.cures.smoothness import PART as SMOOTHNESS
from pipeline.study import join, rows_of

TEXT = "next_character"


def answer(rows: pd.DataFrame) -> str:
    """Say how often each cure solves what goes unsolved without, and what a clip does elsewhere."""
    by_task = dict(list(outcomes(rows_of(rows, "learning")).groupby("task", sort=False)))
    said = [_cured(by_task[TABLED])] if TABLED in by_task else []
    said += [
        _needless(str(task), seen)
        for task, seen in by_task.items()
        if task != TABLED and seen["succeeded"].notna().all()
    ]
    if TEXT in by_task:
        said.append(_read(by_task[TEXT]))
    return " ".join(filter(None, said))


def _cured(seen: pd.DataFrame) -> str:
    """Say from how many starts a task is solved by each cure alone."""
    none, clip = references(seen)
    ways, others = [], []
    if len(clip):
        threshold = clip["threshold"].iloc[0]
        tried = seen[(seen["kind"] == "norm") & seen["varied"].isin(["nothing", "threshold"])]
        others = [
            f"{_count(of)} at {other:g}"
            for other, of in tried.groupby("threshold")
            if other != threshold
        ]
        solved = share_in_words(clip["succeeded"].astype(bool))
        ways.append(f"under a clip by norm at a threshold of {threshold:g} from {solved}")
    if len(none):
        solved = share_in_words(none["succeeded"].astype(bool))
        ways.append(f"without any cure from {solved}")
    for words, varied, by in (
        ("at the best of {} other learning rates alone", "rate", ["learning_rate"]),
        ("under the best of {} decays of weights alone", "decay", ["decay", "strength"]),
    ):
        alone = seen[(seen["varied"] == varied) & (seen["kind"] == "none")]
        tried = [of["succeeded"].astype(bool) for _, of in alone.groupby(by)]
        if tried:
            best = max(tried, key=lambda of: of.mean())
            ways.append(f"{words.format(len(tried))} from {share_in_words(best)}")
    if not ways:
        return ""
    fits = f" At other thresholds the clip solves it from {', '.join(others)}." if others else ""
    return f"Temporal order is solved {', '.join(ways)} starts.{fits}"


def _count(runs: pd.DataFrame) -> str:
    return f"{int(runs['succeeded'].astype(bool).sum())} of {len(runs)}"


def _needless(task: str, seen: pd.DataFrame) -> str:
    """Say from how many starts another task is solved, with and without a clip, by rate."""
    each = [
        f"{_count(none)} and {_count(clip)} starts at a rate of {rate:g}"
        for rate, (none, clip) in by_rate(seen).items()
    ]
    if not each:
        return ""
    return (
        f"{task.replace('_', ' ').capitalize()} is solved without any cure and with a clip from "
        f"{', '.join(each)}."
    )


def _read(seen: pd.DataFrame) -> str:
    """Say what a clip does to the loss on text at the usual rate and at the highest."""
    said = []
    none, clip = references(seen)
    if len(none) and len(clip):
        usual = float(none["learning_rate"].iloc[0])
        said.append(f"{_ends(clip, none)} at the usual rate, {usual:g}")
    rates = by_rate(seen)
    if rates:
        highest, (none, clip) = list(rates.items())[-1]
        said.append(f"{_ends(clip, none)} at the highest, {highest:g}")
    return f"The loss on text ends {'; '.join(said)}." if said else ""


def _ends(clip: pd.DataFrame, none: pd.DataFrame) -> str:
    """Say where both end, and from how many starts the clip ends lower."""
    both = pd.DataFrame(
        {of: runs.set_index("seed")["final_loss"] for of, runs in (("clip", clip), ("none", none))}
    ).dropna()
    lower = share_in_words(both["clip"] < both["none"])
    return (
        f"at {_range(clip)} with a clip, {_range(none)} without, lower with it from {lower} starts"
    )


def _range(runs: pd.DataFrame) -> str:
    """Return median and range of the held-out loss at the end, all runs counted."""
    loss = runs["final_loss"]
    lost = int((~loss.map(math.isfinite)).sum())
    if lost:
        return f"{loss.min():.2f} at best ({lost} of {len(loss)} diverged)"
    return f"{loss.median():.2f} (median; {loss.min():.2f} to {loss.max():.2f})"


STUDY = join(
    __doc__,
    answer,
    "vanishing gradients and their cures",
    learning=LEARNING,
    smoothness=SMOOTHNESS,
)
