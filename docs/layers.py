"""A drawing of the project's layers, from import-linter's configuration: who may import whom."""

import tomllib
from pathlib import Path

from docs.drawing import HIGH, Arrow, Box, Drawing, width_of

APART, BETWEEN = 20, 12
"""In pixels: the gap between rows, and between boxes of a row."""


def layers(project: Path) -> list[list[str]]:
    """Return the layers, the highest first; packages of one layer do not import each other."""
    contracts = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (held,) = (contract for contract in contracts if contract["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in held["layers"]]


def drawn(rows: list[list[str]]) -> Drawing:
    """Return a drawing of the layers: a row each, with arrows to the rows that it may import."""
    widths = [sum(map(width_of, row)) + BETWEEN * (len(row) - 1) for row in rows]
    wide, boxes, arrows = max(widths), [], []
    for place, (row, width) in enumerate(zip(rows, widths, strict=True)):
        top, left = place * (HIGH + APART), (wide - width) / 2
        if place:
            path = f"M{round(wide / 2)},{top - APART + 2} V{top - 2}"
            arrows.append(Arrow(" and ".join(rows[place - 1]), " and ".join(row), path))
        for name in row:
            boxes.append(Box(name, (name,), left, top, width_of(name)))
            left += width_of(name) + BETWEEN
    said = "; ".join(" and ".join(row) for row in rows)
    label = f"Layers from top to bottom, each may import those below it: {said}"
    return Drawing(label, wide, len(rows) * (HIGH + APART) - APART, boxes, arrows)
