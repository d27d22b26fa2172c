"""What a network says of sentences, and what that scores beside their translations.

Scores are of sentences as they are written, detokenised and cased, by sacreBLEU: BLEU and chrF over
all of a group's sentences, and how many of a hundred are said exactly as the one reference has it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.study import Row

if TYPE_CHECKING:
    from pipeline.data.sets._base import Pair, PairedText

ALL, UNSEEN = "all", "unseen"
LENGTHS = {"1 to 3": (1, 3), "4 to 7": (4, 7), "8 to 11": (8, 11), "12 or more": (12, 10**9)}
LONG = "12 or more"
AT_ONCE = 100
"""Sentences that are translated at once: a bound on memory."""
SPARE = 5
"""Tokens by which what is said may be longer than twice its source, before it is cut."""
SAMPLES = 6


def spread(chosen: int, there: int) -> list[int]:
    """Return the numbers of ``chosen`` of those there are, spread evenly."""
    return [(2 * i + 1) * there // (2 * chosen) for i in range(chosen)]


def said(
    network: Any, source: Any, pairs: "Sequence[Pair]", width: int, penalty: float
) -> list[str]:
    """Return the sentences that a network says of the sources of pairs, which is all it sees."""
    from lightning_modules.networks._search import Ends, beam
    from lightning_modules.training.modes import evaluating
    from pipeline.tasks._pairs import UNKNOWN

    at, sentences = next(network.parameters()).device, list[str]()
    with evaluating(network):
        for first in range(0, len(pairs), AT_ONCE):
            source_SB = source.read(pairs[first : first + AT_ONCE]).to(at)
            at_most = 2 * len(source_SB) + SPARE
            ends = Ends(source.begin, source.end, at_most, never=(UNKNOWN, source.begin))
            found = beam(network, source_SB, ends, width, penalty)
            sentences += source.written(found.said_TB)
    return sentences


def score(sentences: Sequence[str], pairs: "Sequence[Pair]") -> dict[str, Any]:
    """Return BLEU, chrF and the percentage said exactly, of sentences as they are written."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    from pipeline.tasks._tokeniser import composed

    wanted = [composed(pair.target) for pair in pairs]
    bleu, chrf = BLEU(), CHRF()
    exact = sum(a == b for a, b in zip(sentences, wanted, strict=True)) / len(wanted)
    return {
        "pairs": len(wanted),
        "bleu": bleu.corpus_score(list(sentences), [wanted]).score,
        "chrf": chrf.corpus_score(list(sentences), [wanted]).score,
        "exact": 100 * exact,
        "signature": f"BLEU|{bleu.get_signature()} chrF|{chrf.get_signature()}",
    }


def scores(sentences: Sequence[str], text: "PairedText") -> list[Row]:
    """Return the scores of each group of the test part that has pairs."""
    from pipeline.tasks import _tokeniser

    words = [_tokeniser.words(pair.source) for pair in text.test]
    groups: dict[str, list[int]] = {ALL: list(range(len(words)))}
    groups[UNSEEN] = text.unseen_N.nonzero().flatten().tolist()
    for name, (low, high) in LENGTHS.items():
        groups[name] = [i for i, count in enumerate(words) if low <= count <= high]
    return [
        {
            "record": "test",
            "group": name,
            **score([sentences[i] for i in of], [text.test[i] for i in of]),
        }
        for name, of in groups.items()
        if of
    ]


def samples(sentences: Sequence[str], text: "PairedText") -> list[Row]:
    """Return some sentences of the test part and what was said of them, spread over it."""
    there = len(text.test)
    return [
        {
            "record": "sample",
            "source": text.test[i].source,
            "target": text.test[i].target,
            "said": sentences[i],
        }
        for i in spread(min(SAMPLES, there), there)
    ]
