"""The look of figures: a light and a dark ground, and what tells one series from another.

A figure is drawn once, with placeholder colours; each ground has the real colours for them.
Series differ not by colour alone: each has its own marker and dashes, and bars are in the order of
the legend, so that they can be told apart in grey print and by readers with colour blindness.
Colours are those of Okabe & Ito (2008), Color universal design, lightened on the dark ground, and
those of van der Walt & Smith's map viridis.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-right")
DASHES = ([1, 0], [6, 2], [2, 2], [7, 2, 2, 2], [10, 3], [4, 2], [8, 2, 2, 2, 2, 2])
VIRIDIS = (
    "#440154", "#472c7a", "#3b518b", "#2c718e", "#21908d", "#27ad81", "#5cc863", "#aadc32",
    "#fde725",
)  # fmt: skip
PAPER, INK, MUTED, GRID = "#0a2000", "#0a2001", "#0a2002", "#0a2003"
"""Placeholders of a ground's own colours. No real colour begins with #0a."""
_STANDING = re.compile("#0a([012])([0-9a-f]{3})")
"""A placeholder: its kind (0: of a series, 1: of its theory, 2: of the ground) and its number."""


class Ground(NamedTuple):
    """The colours of figures on a light or a dark page."""

    own: tuple[str, str, str, str]
    """Paper, ink, muted ink, grid."""
    colours: tuple[str, ...]
    span: tuple[float, float]
    """The part of the colour map that contrasts with the paper."""


LIGHT = Ground(
    ("#ffffff", "#1d2733", "#5a6675", "#e3e7ec"),
    ("#0072b2", "#d55e00", "#009e73", "#b0558a", "#3d3d3d", "#b07d00", "#2f9fd8"),
    (0.0, 0.72),
)
DARK = Ground(
    ("#171c23", "#e6eaef", "#a3adb9", "#2c343e"),
    ("#56b4e9", "#ff8f4d", "#2fcf9f", "#e79bc6", "#d5dae0", "#e6b422", "#8fa8ff"),
    (0.42, 1.0),
)


class Style(NamedTuple):
    """What one series is drawn with."""

    colour: str
    theory: str
    """The colour of the predicted values: between the series' own colour and ink."""
    shape: str
    dashes: Sequence[int]


class Series:
    """The series that a figure may show: colours of a map for numbers, distinct ones for words."""

    def __init__(self, values: Iterable[Any]):
        """Take the values that name the series, each once."""
        self._values = list(values)
        numbers = all(isinstance(v, int | float) for v in self._values)
        self._ordered = len(self._values) > 1 and numbers

    def styles(self) -> dict[Any, Style]:
        """Return the style of each series, in placeholder colours."""
        few, styles = len(LIGHT.colours), {}
        for i, value in enumerate(self._values):
            colour = i if self._ordered else i % few
            other = i + i // few  # where a colour comes again, its marker and dashes differ
            shape, dashes = SHAPES[other % len(SHAPES)], DASHES[other % len(DASHES)]
            styles[value] = Style(f"#0a0{colour:03x}", f"#0a1{colour:03x}", shape, dashes)
        return styles

    def standing_in(self, text: str) -> dict[str, tuple[str, str]]:
        """Return the colours, on the light and dark ground, of each placeholder in a text."""
        found = {match[0]: (match[1], int(match[2], 16)) for match in _STANDING.finditer(text)}
        grounds = [self._colours(ground) for ground in (LIGHT, DARK)]
        return {
            colour: (grounds[0][kind][number], grounds[1][kind][number])
            for colour, (kind, number) in sorted(found.items())
        }

    def _colours(self, ground: Ground) -> Mapping[str, Sequence[str]]:
        """Return a ground's colours by kind and number."""
        colours: Sequence[str] = ground.colours
        if self._ordered:
            (low, high), last = ground.span, len(self._values) - 1
            colours = [_of_map(low + (high - low) * i / last) for i in range(last + 1)]
        theory = [_mixed(colour, ground.own[1], 0.5) for colour in colours]
        return {"0": colours, "1": theory, "2": ground.own}


def on_paper(text: str, colours: Mapping[str, tuple[str, str]]) -> str:
    """Return a picture with a light ground's colours."""
    return _STANDING.sub(lambda found: colours[found[0]][0], text)


def on_both(text: str, colours: Mapping[str, tuple[str, str]]) -> str:
    """Return a picture for a page, whose colour scheme picks the ground."""
    return _STANDING.sub(lambda found: "light-dark({},{})".format(*colours[found[0]]), text)


def _of_map(at: float) -> str:
    """Return the map's colour at a place from 0 to 1."""
    place = at * (len(VIRIDIS) - 1)
    one, other = list(pairwise(VIRIDIS))[min(int(place), len(VIRIDIS) - 2)]
    return _mixed(one, other, place - min(int(place), len(VIRIDIS) - 2))


def _mixed(one: str, other: str, share: float) -> str:
    """Return the colour between two."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (one, other)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends, strict=True))


def words(value: Any) -> str:
    """Return a number short, as 16, 0.7, 5,000 or 3×10⁻⁷, and anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if value == 0 or 1e-3 <= abs(value) < 1e6 or not math.isfinite(value):
        return f"{value:,.6g}".replace("-", "−")
    mantissa, _, power = f"{value:.2e}".partition("e")
    head = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return {"1": "", "−1": "−"}.get(head, f"{head}×") + f"10{raised}"
