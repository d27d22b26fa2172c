"""Texts, pictures and a series in which each item can be told from every other."""

import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import (
    DatedSeries,
    LabelledSentence,
    LabelledText,
    Pair,
    PairedText,
    PictureSet,
    Series,
    TaggedSentence,
    TaggedText,
    Text,
    Words,
)

NOWHERE = Provenance("", "", "", True, {}, 0, "", "", "", "")


def text(size: int = 1000) -> Text:
    """Return a text in which each place has a character of its own."""
    ids_N = torch.arange(size)
    alphabet = "".join(map(chr, range(size)))
    return Text(ids_N, ids_N[: size // 2], ids_N[:1], alphabet, NOWHERE)


def sentences(size: int = 200) -> Words:
    """Return lines of one to five words of which few are frequent; the test part has new ones."""
    lines = [[f"w{(i * i + j) % (3 + i % 40)}" for j in range(1 + i % 5)] for i in range(size)]
    words = [word for line in lines for word in (*line, "<eos>")]
    cut = len(words) // 5
    train, valid, test = words[2 * cut :], words[:cut], words[cut : 2 * cut]
    return Words(tuple(train), tuple(valid), (*test, "new", "<unk>", "<eos>"), NOWHERE)


def images(size: int = 30) -> PictureSet:
    """Return pictures of 3×2 whose first pixel is their number and whose class follows from it."""
    x_NHW = torch.arange(size)[:, None, None].repeat(1, 3, 2).to(torch.uint8)
    y_N = torch.arange(size) % 10
    return PictureSet(x_NHW, y_N, x_NHW, y_N, 10, NOWHERE)


def series(size: int = 300) -> Series:
    """Return a rising series, of which the last tenth is held out."""
    values_N = torch.arange(size).double()
    return Series(values_N[: size * 9 // 10], values_N[size * 9 // 10 :], NOWHERE)


def dated(size: int = 300) -> DatedSeries:
    """Return a rising series of months from 1950 on, of which the last year is held out."""
    values_N = torch.arange(size).double()
    return DatedSeries(values_N[:-12], values_N[-12:], NOWHERE, first=1950, per_year=12)


def requests(size: int = 90) -> LabelledText:
    """Return requests of two to six words whose class is that of a word in them, by kind."""
    kinds = {"buy": ("bread", "milk", "cheese"), "go": ("north", "south"), "stop": ("now", "here")}
    labels = [list(kinds)[i * len(kinds) // size] for i in range(size)]
    made = [
        LabelledSentence(f"{'please ' * (i % 4)}{kinds[kind][i % 2]}, {kind} w{i}!", kind)
        for i, kind in enumerate(labels)
    ]
    return LabelledText(tuple(made), tuple(made[::3]), tuple(kinds), NOWHERE)


def pairs(size: int = 40) -> PairedText:
    """Return pairs of sentences of one to six words, each of which has its own in the other."""

    def pair(i: int) -> Pair:
        said = [f"w{j}" for j in range(i, i + 1 + i % 5)]
        return Pair(f"{' '.join(said)}.", f"¡{' '.join(word.upper() for word in said)}!")

    made = tuple(map(pair, range(size)))
    return PairedText(made, made[:7], made[:5], torch.zeros(5, dtype=torch.bool), NOWHERE)


def tagged(size: int = 60) -> TaggedText:
    """Return sentences of one to five words; the validation and test parts have new ones."""

    def sentence(i: int, *, new: bool) -> TaggedSentence:
        pairs = [("dog", "NOUN"), ("runs", "VERB"), ("Big", "ADJ"), ("runs", "NOUN"), ("a", "DET")]
        own = [(f"new{i}ing" if new else f"old{i}ing", "VERB")]
        words, tags = zip(*(pairs[: i % 5] + own), strict=True)
        return TaggedSentence(words, tags)

    train, test = ([sentence(i, new=new) for i in range(size)] for new in (False, True))
    return TaggedText(
        tuple(train), tuple(test[:20]), tuple(test[20:]), ("ADJ", "DET", "NOUN", "VERB"), NOWHERE
    )
