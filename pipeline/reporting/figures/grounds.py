"""What figures are drawn on and with: two grounds, and what tells one series from another.

A figure is drawn once, with colours that stand for others; a ground says which these are.
Colour never stands alone: every series has its own marker and dashes (bars: hatching) as well, so
that a print in grey or an eye that confuses hues can tell them apart. Colours are those of Okabe &
Ito (2008), Color universal design, lightened on the dark ground.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.colors import to_hex, to_rgb

MARKERS = "osD^vPX*"
DASHES = ((), (5, 1.6), (1.4, 1.4), (5, 1.6, 1.4, 1.6), (8, 2.5), (3, 1.2), (6, 1.2, 1.2, 1.2))
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "+++")
MAP = "viridis"
PAPER, INK, MUTED, GRID = "#0a2000", "#0a2001", "#0a2002", "#0a2003"
"""Stand for a ground's own colours. No colour of the map, and none that is meant, begins so."""
_STANDING = re.compile("#0a([012])([0-9a-f]{3})")
"""A series' colour, a colour of its theory, a ground's own; and its number."""


class Ground(NamedTuple):
    """What a figure is seen on."""

    suffix: str
    own: tuple[str, str, str, str]
    """Paper, ink, muted ink, grid."""
    colours: tuple[str, ...]
    span: tuple[float, float]
    """The part of the colour map that stands out from the paper."""

    @property
    def paper(self) -> str:
        """The colour behind everything."""
        return self.own[0]

    def seen(self, picture: str, series: "Series") -> str:
        """Return a picture with the ground's colours in place of those that stand for them."""
        colours = series.colours(self)
        theory = [_between(colour, self.own[1]) for colour in colours]
        kinds = {"0": colours, "1": theory, "2": self.own}
        return _STANDING.sub(lambda found: kinds[found[1]][int(found[2], 16)], picture)


LIGHT = Ground(
    "",
    ("#ffffff", "#1d2733", "#5a6675", "#e3e7ec"),
    ("#0072b2", "#d55e00", "#009e73", "#b0558a", "#3d3d3d", "#b07d00", "#2f9fd8"),
    (0.0, 0.72),
)
DARK = Ground(
    "-dark",
    ("#171c23", "#e6eaef", "#a3adb9", "#2c343e"),
    ("#56b4e9", "#ff8f4d", "#2fcf9f", "#e79bc6", "#d5dae0", "#e6b422", "#8fa8ff"),
    (0.42, 1.0),
)


class Style(NamedTuple):
    """What one series is drawn with."""

    colour: str
    theory: str
    """The colour of what was expected: between the series' own and ink."""
    marker: str
    dashes: tuple[float, ...]
    hatch: str


class Series:
    """The series that a figure may show: colours in order for numbers, apart for words."""

    def __init__(self, values: Iterable[Any]):
        """Name them, each once."""
        self._values = list(values)
        numbers = all(isinstance(v, int | float) for v in self._values)
        self._ordered = len(self._values) > 1 and numbers

    def styles(self) -> dict[Any, Style]:
        """Return each one's style, in colours that stand for a ground's."""
        few = len(LIGHT.colours)
        numbers = [i if self._ordered else i % few for i in range(len(self._values))]
        return {
            v: Style(
                f"#0a0{n:03x}",
                f"#0a1{n:03x}",
                MARKERS[i % len(MARKERS)],
                DASHES[i % len(DASHES)],
                HATCHES[i % len(HATCHES)],
            )
            for i, (v, n) in enumerate(zip(self._values, numbers, strict=True))
        }

    def colours(self, ground: Ground) -> Sequence[str]:
        """Return what their colours are on a ground, by number."""
        if not self._ordered:
            return ground.colours
        (low, high), last = ground.span, len(self._values) - 1
        shades = mpl.colormaps[MAP]
        return [to_hex(shades(low + (high - low) * i / last)) for i in range(last + 1)]


def _between(one: str, other: str) -> str:
    """Return the colour half-way between two."""
    (r, g, b), (red, green, blue) = to_rgb(one), to_rgb(other)
    return to_hex(((r + red) / 2, (g + green) / 2, (b + blue) / 2))


def settings() -> dict[Any, Any]:
    """Return matplotlib's settings."""
    inks = ("text.color", "axes.labelcolor", "axes.titlecolor")
    soft = ("xtick.color", "ytick.color", "axes.edgecolor")
    papers = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return {
        **dict.fromkeys(inks, INK),
        **dict.fromkeys(soft, MUTED),
        **dict.fromkeys(papers, PAPER),
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10.5,
        "axes.labelsize": 10,
        "font.family": "DejaVu Sans",
        "font.size": 9.5,
        "hatch.color": PAPER,
        "hatch.linewidth": 1,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
        "legend.title_fontsize": 9.5,
        "legend.handlelength": 3,
        "lines.scale_dashes": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "figure",
        "xtick.major.size": 3,
        "ytick.major.size": 3,
    }


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
