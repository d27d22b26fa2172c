"""What does a recurrent language model cost and gain: in parameters, in time, in steps back?

Beside every network stands what counting predicts of the same tokens: interpolated Kneser–Ney,
plain and with modified discounts.

Expected:
    1. An LSTM of 512 units predicts the last tenth of tiny Shakespeare, all 111,540 characters
       from a cold start, with at most 1.47 nats, no worse than a transformer's 1.4697.
    2. Plain Kneser–Ney of order 4, 5, 6 and 7 has 1.729, 1.579, 1.558 and 1.565 nats there, and
       less with three discounts; the best model that counts does better than an LSTM of 64
       units, and worse than one of 512.
    3. The loss falls as units are added.
    4. Two layers of 200 units reach a test perplexity of 150 on WikiText-2, over all of its
       245,569 words.
    5. There the unigram has 911.7, plain Kneser–Ney of order 2, 3 and 5 267.4, 230.1 and 223.7,
       less with three discounts; two layers of 200 units do better than any of them.
    6. The entropy of what is sampled rises with temperature.
    7. The horizon over which error falls by e says how much of the gain from truncation at one
       step to truncation at a hundred is reached at any length between, to .15 of that gain.
    8. Beyond five horizons longer truncation gains less than 0.01 nats.
    9. Of two cells the one with the longer horizon gains more beyond ten steps.

References:
    Mikolov, Karafiát, Burget, Černocký & Khudanpur (2010), Recurrent neural network based language
        model, Interspeech.
    Merity, Xiong, Bradbury & Socher (2016), Pointer Sentinel Mixture Models, arXiv:1609.07843.
    Karpathy (2015), char-rnn, https://github.com/karpathy/char-rnn.
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.language_model import scores, truncation
from pipeline.studies.language_model.characters import PART as CHARACTERS
from pipeline.studies.language_model.truncation import PART as TRUNCATION
from pipeline.studies.language_model.words import PART as WORDS
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say how far the best network is from the best counting, and whether the horizon tells."""
    said = [
        _scored(rows_of(rows, "characters"), "nats", "nats a character", 4),
        _scored(rows_of(rows, "words"), "perplexity", "of perplexity on words", 1),
        _told(rows_of(rows, "truncation")),
    ]
    return " ".join(filter(None, said))


def _scored(rows: pd.DataFrame, column: str, unit: str, digits: int) -> str:
    """Say what the best learned model and the best counted one score."""
    found, (_, learned) = scores.scores(rows, column), scores.kinds(rows)
    best, counted = min(learned, key=lambda name: found[name].mean()), scores.best_counted(rows)
    beside = f", {counted[0]} {found[counted[0]].iloc[0]:.{digits}f}" if counted else ""
    return f"{best} has {with_interval(found[best], digits)} {unit}{beside}."


def _told(rows: pd.DataFrame) -> str:
    """Say how far the predicted shares of the gain were from the measured ones."""
    each = []
    for cell in map(str, rows["cell"].unique()):
        measured, told = truncation.shares(rows, cell)
        if len(measured):
            off = float((measured - told).mean().abs().max())
            each.append(f"{off:.2f} for {cell} (τ = {truncation.horizons(rows, cell).mean():.1f})")
    if not each:
        return ""
    return (
        "The share of the gain from longer truncation that the gradient's horizon τ predicts is "
        f"off by up to {' and '.join(each)}."
    )


STUDY = join(
    __doc__, answer, "sequences and text", characters=CHARACTERS, words=WORDS, truncation=TRUNCATION
)
