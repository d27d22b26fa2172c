"""What figures are drawn on and with: two grounds, and what tells one series from another.

Colour never stands alone: every series has its own marker and dashes (bars: hatching) as well, so
that a print in grey or an eye that confuses hues can tell them apart. Colours are those of Okabe &
Ito (2008), Color universal design, lightened on the dark ground.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.colors import to_hex

MARKERS = "osD^vPX*"
DASHES = ((), (5, 1.6), (1.4, 1.4), (5, 1.6, 1.4, 1.6), (8, 2.5), (3, 1.2), (6, 1.2, 1.2, 1.2))
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "+++")


class Ground(NamedTuple):
    """What a figure is drawn on and with."""

    suffix: str
    paper: str
    ink: str
    muted: str
    grid: str
    colours: tuple[str, ...]
    map: str
    span: tuple[float, float]
    """The part of the colour map that stands out from the paper."""


LIGHT = Ground(
    "",
    "#ffffff",
    "#1d2733",
    "#5a6675",
    "#e3e7ec",
    ("#0072b2", "#d55e00", "#009e73", "#b0558a", "#3d3d3d", "#b07d00", "#2f9fd8"),
    "viridis",
    (0.0, 0.72),
)
DARK = Ground(
    "-dark",
    "#171c23",
    "#e6eaef",
    "#a3adb9",
    "#2c343e",
    ("#56b4e9", "#ff8f4d", "#2fcf9f", "#e79bc6", "#d5dae0", "#e6b422", "#8fa8ff"),
    "viridis",
    (0.42, 1.0),
)


class Style(NamedTuple):
    """What one series is drawn with."""

    colour: str
    marker: str
    dashes: tuple[float, ...]
    hatch: str


def styles(values: Iterable[Any], ground: Ground) -> dict[Any, Style]:
    """Return a style for each value: colours in order for numbers, apart for words."""
    values = list(values)
    numbers = len(values) > 1 and all(isinstance(v, int | float) for v in values)
    low, high = ground.span
    shades = mpl.colormaps[ground.map]

    def colour(i: int) -> str:
        if numbers:
            return to_hex(shades(low + (high - low) * i / (len(values) - 1)))
        return ground.colours[i % len(ground.colours)]

    return {
        v: Style(colour(i), MARKERS[i % len(MARKERS)], DASHES[i % len(DASHES)], HATCHES[i % 7])
        for i, v in enumerate(values)
    }


def settings(ground: Ground) -> dict[Any, Any]:
    """Return matplotlib's settings for the ground."""
    inks = ("text.color", "axes.labelcolor", "axes.titlecolor")
    soft = ("xtick.color", "ytick.color", "axes.edgecolor")
    papers = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return {
        **dict.fromkeys(inks, ground.ink),
        **dict.fromkeys(soft, ground.muted),
        **dict.fromkeys(papers, ground.paper),
        "grid.color": ground.grid,
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
        "hatch.color": ground.paper,
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
