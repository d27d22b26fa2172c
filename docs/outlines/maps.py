"""Drawings of maps: a plane of units with lines between neighbours, or categories over inputs.

In a plane, the places of units follow from the distances that the map stores; each unit shows how
much it learns when the unit in the middle wins. Categories are drawn after the map has learned some
examples; each shows how many examples it wins, with arrows from the inputs whose weight is not 0.
"""

from docs.drawing import (
    LETTER,
    TALL,
    Arrow,
    Box,
    Drawing,
    Note,
    across,
    side_by_side,
    told,
    width_of,
)
from docs.outlines.examples import Mapped
from lightning_modules.maps._art import ART
from lightning_modules.maps._kohonen import Kohonen
from lightning_modules.maps._map import Map
from lightning_modules.maps.artmap import ARTMAP

UNIT, FAR, APART = 36, 56, 90
"""In pixels: size of a unit, distance of neighbours, distance of rows."""


def plane(map_: Kohonen, opening: str) -> Drawing:
    """Return a plane's drawing; ``opening`` begins its label."""
    away_MM = map_.distance_MM.tolist()
    winner = map_.rows // 2 * map_.columns + map_.columns // 2
    share_M = map_.shares(map_.first, winner).tolist()
    boxes = []
    for unit, share in enumerate(share_M):
        x, y = _place(away_MM, unit)
        said = f"unit {unit + 1}, learns {share:.2f} with unit {winner + 1}"
        left, kind = x * FAR, "gate" if unit == winner else "state"
        box = Box(said, (f"{share:.2f}",), left, y * FAR, UNIT, UNIT, kind, UNIT / 2)
        boxes.append(box)
    near_MM = min(map_.neighbours.items())[1].tolist()
    arrows = [
        Arrow("each unit", "its neighbours", _between(boxes[a], boxes[b]), headed=False)
        for a, row in enumerate(near_MM)
        for b, is_near in enumerate(row)
        if is_near and a < b
    ]
    wide = max(box.left for box in boxes) + UNIT
    low = max(box.bottom for box in boxes)
    inputs = map_.w_MI.shape[1]
    width = width_of(f"x {inputs}")
    x = Box(
        f"x, {inputs} numbers", (f"x {inputs}",), (wide - width) / 2, low + 40, width, 28, "input"
    )
    up = Arrow(x.name, "all units", f"M{x.middle:.1f},{x.top} V{low + 8:.1f}")
    boxes.append(x)
    arrows.append(up)
    return Drawing(f"{opening} {told(boxes, arrows)}", wide, x.bottom, boxes, arrows)


def categories(map_: ART | ARTMAP, shown: Mapped, opening: str) -> Drawing:
    """Return the drawing of a map's categories, after it has learned its examples."""
    x_NI = shown.x_NI()
    map_.learn(x_NI, shown.y_N(x_NI) if shown.y_N else None)
    art = map_.art if isinstance(map_, ARTMAP) else map_
    count = int(art.committed)
    own_M = map_.winner(x_NI).bincount(minlength=count).tolist()
    inputs = [(f"input {i + 1}", (f"x{i + 1}",), "input") for i in range(x_NI.shape[1])]
    made = [
        (f"category {k + 1}, {own_M[k]} examples", (f"{k + 1}", f"{own_M[k]} ex."), "state")
        for k in range(count)
    ]
    rows = [inputs, made]
    known: list[int] = []
    if isinstance(map_, ARTMAP):
        known = sorted(set(map_.class_M[:count].tolist()))
        rows.append([(f"class {of}", (f"class {of}",), "output") for of in known])
    wide = max(across([lines for _, lines, _ in row]) for row in rows)
    low = (len(rows) - 1) * APART
    placed = [side_by_side(row, wide / 2, low - at * APART) for at, row in enumerate(rows)]
    arrows = [
        _up(placed[0][i], placed[1][k])
        for k, row in enumerate(art.templates_KI.tolist())
        for i, w in enumerate(row)
        if w
    ]
    if isinstance(map_, ARTMAP):
        class_of = map_.class_M[:count].tolist()
        arrows += [_up(placed[1][k], placed[2][known.index(of)]) for k, of in enumerate(class_of)]
    boxes = [box for row in placed for box in row]
    said = f"room for {len(art.w_MI)} categories"
    notes = [Note(said, wide / 2, low + TALL + 20)]
    wide = max(wide, len(said) * LETTER)
    return Drawing(
        f"{opening} {told(boxes, arrows)}", wide, low + TALL + 26, boxes, arrows, (), notes
    )


def drawn(shown: Mapped, opening: str) -> Drawing:
    """Return the drawing of a map of either kind; TypeError for another."""
    map_: Map = shown.build()
    if isinstance(map_, Kohonen):
        return plane(map_, opening)
    if isinstance(map_, ART | ARTMAP):
        return categories(map_, shown, opening)
    raise TypeError(f"{type(map_).__name__} is neither a plane nor categories: draw it here")


def _place(away_MM: list[list[float]], unit: int) -> tuple[float, float]:
    """Return a unit's place, from its distances to the first two units, which are side by side."""
    from_0, from_1 = away_MM[0][unit], away_MM[1][unit]
    x = (from_0**2 - from_1**2 + 1) / 2
    return x, max(0.0, from_0**2 - x**2) ** 0.5


def _between(one: Box, other: Box) -> str:
    """Return the SVG path from the middle of one box to that of another."""
    half = UNIT / 2
    return f"M{one.middle:.1f},{one.top + half:.1f} L{other.middle:.1f},{other.top + half:.1f}"


def _up(source: Box, target: Box) -> Arrow:
    path = f"M{source.middle:.1f},{source.top} L{target.middle:.1f},{target.bottom}"
    return Arrow(source.name, target.name, path)
