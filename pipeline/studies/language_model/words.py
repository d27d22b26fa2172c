"""How well does an LSTM predict the next word of WikiText-2, beside counting?

The text is read in streams, by truncated BPTT; the vocabulary is the training part's, `<unk>` and
ends of lines are words like any other, and all of the test part is scored as one stream.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import below, ordered
from pipeline.measuring.language import LanguageModelling
from pipeline.studies.language_model import scores
from pipeline.study import Claim, Part, Published, Table

TOKENS = 245_569
"""Words of WikiText-2's test part."""
PLAIN = {
    "unigram": 911.7,
    "Kneser–Ney 2": 267.4,
    "Kneser–Ney 3": 230.1,
    "Kneser–Ney 5": 223.7,
}
"""With one discount, perplexity."""
GOALS = {"2 LSTM 200": 150.0, "2 LSTM 650, tied": 90.0}
PUBLISHED = {
    "2 LSTM 200": Published(
        row="wikitext2-2x200",
        source="pytorch/examples, issue 415: 2×200, untied, 6 epochs",
        value="142.1",
        tolerance="150 at most, by an adaptive softmax",
    ),
    "2 LSTM 650, tied": Published(
        row="wikitext2-2x650",
        source="pytorch/examples, pull request 281: 2×650, tied, dropout .5, 40 epochs",
        value="86.7",
        tolerance="90 at most",
    ),
}


class Words(LanguageModelling):
    """One model of words."""


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold models to what was known of counting, and to the goals."""
    perplexity, nats = scores.scores(rows, "perplexity"), scores.scores(rows)
    (_, learned), best = scores.kinds(rows), scores.best_counted(rows)
    if scores.scored(rows) == TOKENS:
        yield scores.scored_claim(rows, TOKENS, expected=4)
        yield from scores.counted_claims(rows, PLAIN, "perplexity", 0.1, expected=5)
        yield from scores.modified_claim(rows, expected=5)
        for name, goal in GOALS.items():
            if name in perplexity:
                claim = f"{name}: a perplexity of {goal:g} at most"
                found = below(claim, perplexity[name], goal, expected=4)
                yield found.stands_for(PUBLISHED[name]).if_missed(SHORT)
    for name in learned:
        if best is not None:
            even = pd.Series(best[1], nats[name].index)
            yield ordered(f"{name} does better than {best[0]}", nats[name], even, expected=5)
    yield from scores.entropy_claim(rows, expected=6)


SHORT = "six epochs on one thread; most published figures are of forty on a GPU"
"""Why a goal, or counting, would not be reached."""
PART = Part(
    __doc__,
    Words,
    expects,
    speaks_of={"model": (*PLAIN, f"Kneser–Ney 5{scores.MODIFIED}")},
    times=("seconds",),
    figures=(
        Table(
            name="words-scores",
            title="Perplexity on the test part",
            caption="exp of the mean nats over all words, `<unk>` and ends of lines among them; "
            "mean and half-width of its 95 % interval over seeds.",
            build=scores.table,
        ),
        scores.curves("words-curves", "Learning words", "words"),
        Table(
            name="words-samples",
            title="Words it goes on with",
            caption=scores.SAMPLES_CAPTION,
            build=scores.samples,
        ),
    ),
)
