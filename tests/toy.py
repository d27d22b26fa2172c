"""A text, pictures and a series in which each item can be told from every other."""

import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import DatedSeries, PictureSet, Series, Text, Words

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
