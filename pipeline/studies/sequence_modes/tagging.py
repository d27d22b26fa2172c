"""How much of a word's part of speech do its own letters, the words before and those after tell?

The universal tags of the English Web Treebank: a simple recurrent network that reads forwards, an
LSTM both ways, and the same with a channel that spells each word; beside them the most frequent tag
of each word. Known words are those that the training part has.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd

from pipeline.measuring import counting, reading
from pipeline.measuring.evidence import above, every, ordered
from pipeline.measuring.reading import SentenceTraining, by_method, counted
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Given, Part, Published, Row, Rows, Table, named

if TYPE_CHECKING:
    from lightning_modules.training.backprop import BackpropLearner

SRN, WORDS, SPELT = "SRN", "BiLSTM, words", "BiLSTM, words and characters"
METHODS = SRN, WORDS, SPELT
BY_ENDING = "most frequent tag, by ending"
COUNTED = counting.TAGGERS


class Tagging(SentenceTraining):
    """A reader of sentences that tags their words."""

    task: Literal["word_tags"]  # pyright: ignore[reportIncompatibleVariableOverride]
    counting: Annotated[str, named(COUNTED)] | None = None
    at_least: float | None = None
    """Percent of the words that are expected to be right."""

    def measure(self, given: Given) -> Rows:
        """Return evaluations and the look at the test part, known and unknown words apart."""
        if self.counting is not None:
            told = COUNTED[self.counting](self.counted_on(given))
            return counted(100 * told.all, known=100 * told.known, unknown=100 * told.unknown)
        source = self.source_of(given)
        learner = self.learner_of(source)
        *rows, test = self.learn(learner, source, given)
        return [*rows, test if test["diverged"] else test | _apart(learner, source)]


def _apart(learner: "BackpropLearner", source: Any) -> Row:
    """Return how many of a hundred known, and unknown, words of the test part are right."""
    import torch

    known_N, right_N = [], []
    for batch, z_TBO in learner.outputs(source.test()):
        there_TB = batch.mask_TB
        known_N.append((batch.x_TBI[..., 0] != source.vocabulary.unknown)[there_TB])
        right_N.append((z_TBO.argmax(dim=-1) == batch.y_TB)[there_TB])
    known, right = torch.cat(known_N), torch.cat(right_N).double()
    return {
        "known": 100 * float(right[known].mean()) if known.any() else None,
        "unknown": 100 * float(right[~known].mean()) if not known.all() else None,
    }


_PLANK = "Plank, Søgaard & Goldberg (2016), bilstm-aux, English of Universal Dependencies"
PUBLISHED = {
    WORDS: Published(
        row="ewt-words",
        source=_PLANK,
        value="92.1 % of an earlier version (1.2), words alone",
        tolerance="at least 91.5 %",
    ),
    SPELT: Published(
        row="ewt-characters",
        source=_PLANK,
        value="94.60 % of an earlier version (1.3), no pre-training",
        tolerance="at least 94.6 %",
    ),
}
FEW = (
    "ten times through 12,544 sentences; the published figure is of twenty, and of another version "
    "of the treebank"
)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold each tagger to its goal, and to what it has beyond the others."""
    right = by_method(rows)
    least = rows.groupby("method")["at_least"].first()
    for name in METHODS:
        if name in right and pd.notna(least[name]):
            claim = f"{name}: at least {least[name]:g} % right"
            found = above(claim, right[name], least[name], expected=6, digits=4).if_missed(FEW)
            yield found.stands_for(PUBLISHED[name]) if name in PUBLISHED else found
    if BY_ENDING in right:
        bound = float(right[BY_ENDING].mean())
        yield every(
            "every network is right more often than counted tags and endings",
            [above(n, right[n], bound, expected=7, digits=4) for n in METHODS if n in right],
        )
    if WORDS in right and SPELT in right:
        apart = {of: _gains(rows, of) for of in ("known", "unknown")}
        yield above(
            f"characters help unknown words, by {LITTLE:g} % at least",
            apart["unknown"],
            LITTLE,
            expected=8,
        )
        yield ordered(
            "and unknown words more than known ones",
            apart["known"],
            apart["unknown"],
            expected=8,
        )


LITTLE = 10.0
"""Percent of the unknown words, of which characters are to have more right by that."""


def _gains(rows: pd.DataFrame, of: str) -> pd.Series:
    """Return how many of a hundred words more are right with characters than without, by seed."""
    by = by_method(rows, of)
    return (by[SPELT] - by[WORDS]).dropna()


def sentence(rows: pd.DataFrame) -> str:
    """Say how often each way of tagging is right, unknown words apart."""
    unknown = by_method(rows, "unknown")
    said = [
        f"{with_interval(runs, 2)} % by {name} ({with_interval(unknown[name], 1)} % of unknown)"
        for name, runs in sorted(by_method(rows).items(), key=lambda item: -item[1].mean())
    ]
    return f"Words' tags are right in {'; '.join(said)}."


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often each tagger is right, the best first."""
    known, unknown = by_method(rows, "known"), by_method(rows, "unknown")
    held_out = by_method(rows, "held_out_right") if "held_out_right" in rows else {}
    lines = []
    for name, runs in sorted(by_method(rows).items(), key=lambda item: -item[1].mean()):
        told = held_out.get(name, runs[:0]).dropna()
        lines.append(
            {
                "tagged by": name,
                "right, %": with_interval(runs, 2),
                "known words, %": with_interval(known[name], 2),
                "unknown words, %": with_interval(unknown[name], 2),
                "held out, %": with_interval(told, 2) if len(told) else "",
                "seeds": len(runs),
            }
        )
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Tagging,
    expects,
    speaks_of={"method": (*METHODS, BY_ENDING)},
    figures=(
        Table(
            name="tags",
            title="Right on the test part",
            caption="Percent of the words, mean and half-width of its 95 % interval over seeds. "
            "Counting has no seeds, and no held-out part to choose by.",
            build=table,
        ),
        reading.curves("tagging-curves", "Held-out words that are right"),
    ),
)
