"""The layers of the project, as import-linter is told to hold them, drawn: who may import whom."""

import tomllib
from pathlib import Path

from markupsafe import Markup

HIGH, APART, BETWEEN, LETTER = 28, 20, 12, 7.3
"""Pixels: a box's height, between rows, between boxes of a row, of a letter's width."""


def layers(project: Path) -> list[list[str]]:
    """Return the layers, the highest first, each as the packages that do not know each other."""
    contracts = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (held,) = (contract for contract in contracts if contract["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in held["layers"]]


def drawn(rows: list[list[str]]) -> Markup:
    """Return a drawing of the layers as SVG: a row each, arrows from those that may import."""
    widths = [[len(name) * LETTER + 20 for name in row] for row in rows]
    wide = max(sum(row) + BETWEEN * (len(row) - 1) for row in widths)
    high = len(rows) * (HIGH + APART) - APART
    shapes = [
        _row(row, of, place, wide) for place, (row, of) in enumerate(zip(rows, widths, strict=True))
    ]
    said = "; ".join(" and ".join(row) for row in rows)
    return Markup(
        '<svg class="layers" role="img" viewBox="-1 -1 {} {}" width="{}" aria-label="{}">'
        '<defs><marker id="down" markerWidth="8" markerHeight="8" refX="6" refY="4" '
        'orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>{}</svg>'
    ).format(
        round(wide) + 2,
        high + 2,
        round(wide) + 2,
        f"Layers from top to bottom, each may import those below it: {said}",
        Markup("").join(shapes),
    )


def _row(names: list[str], widths: list[float], place: int, wide: float) -> Markup:
    """Return the boxes of one layer, and the arrow that leads to it from above."""
    top = place * (HIGH + APART)
    left = (wide - sum(widths) - BETWEEN * (len(widths) - 1)) / 2
    shapes = []
    if place:
        middle = round(wide / 2)
        shapes.append(
            Markup('<path class="arrow" d="M{0},{1} V{2}" marker-end="url(#down)"/>').format(
                middle, top - APART + 2, top - 2
            )
        )
    for name, width in zip(names, widths, strict=True):
        shapes.append(
            Markup(
                '<rect x="{}" y="{}" width="{}" height="{}" rx="4"/><text x="{}" y="{}">{}</text>'
            ).format(round(left), top, round(width), HIGH, round(left + width / 2), top + 18, name)
        )
        left += width + BETWEEN
    return Markup("").join(shapes)
