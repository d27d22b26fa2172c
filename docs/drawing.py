"""Boxes and arrows as SVG, in the site's own colours: the parts of all its drawings.

A screen reader sees a drawing as one picture, so its label has to say everything that it shows.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

HIGH, LETTER, LINE = 28, 7.3, 13
"""In pixels: the height of a box, the width of a letter, the distance of lines of text."""
TALL, BETWEEN, LEAST = 36, 10, 40
"""In pixels, for boxes side by side: their height, the gap between them, their least width."""
Named = tuple[str, tuple[str, ...], str]
"""A box's name, lines and kind."""


class Box(NamedTuple):
    """A rectangle with lines of text in its middle and corners of radius ``round``."""

    name: str
    """Its name in the drawing's label."""
    lines: tuple[str, ...]
    left: float
    top: float
    width: float
    height: float = HIGH
    kind: str = "plain"
    """Its class in the site's CSS."""
    round: float = 4

    @property
    def middle(self) -> float:
        """The horizontal middle."""
        return self.left + self.width / 2

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height


class Arrow(NamedTuple):
    """A line from box to box, given by their names; ``path`` is in SVG's notation."""

    source: str
    target: str
    path: str
    headed: bool = True


class Note(NamedTuple):
    """Text beside or in boxes; ``kind``, start, middle or end, is the part of it at ``left``."""

    text: str
    left: float
    top: float
    kind: str = "middle"


class Drawing(NamedTuple):
    """A picture, its size in pixels; frames are drawn behind everything else."""

    label: str
    wide: float
    high: float
    boxes: Sequence[Box]
    arrows: Sequence[Arrow] = ()
    frames: Sequence[Box] = ()
    notes: Sequence[Note] = ()


def width_of(*lines: str, least: float = 0) -> float:
    """Return the width of a box that fits these lines."""
    return max(least, max(map(len, lines)) * LETTER + 14)


def across(rows: Sequence[tuple[str, ...]]) -> float:
    """Return the total width of boxes with these lines, side by side."""
    return sum(width_of(*lines, least=LEAST) for lines in rows) + BETWEEN * (len(rows) - 1)


def side_by_side(said: Sequence[Named], middle: float, top: float) -> list[Box]:
    """Return boxes side by side, centred at ``middle``."""
    left, boxes = middle - across([lines for _, lines, _ in said]) / 2, []
    for name, lines, kind in said:
        boxes.append(Box(name, lines, left, top, width_of(*lines, least=LEAST), TALL, kind))
        left += boxes[-1].width + BETWEEN
    return boxes


def told(boxes: Iterable[Box], arrows: Sequence[Arrow]) -> str:
    """Return a drawing's contents in words: its boxes, and where arrows lead."""
    targets: dict[str, list[str]] = {}
    for arrow in arrows:
        known = targets.setdefault(arrow.source, [])
        if arrow.target not in known:
            known.append(arrow.target)
    names = "; ".join(dict.fromkeys(box.name for box in boxes))
    kind = "Arrows" if any(arrow.headed for arrow in arrows) else "Lines"
    led = "; ".join(f"{source} to {', '.join(to)}" for source, to in targets.items())
    return f"{names}. {kind}: {led}." if led else f"{names}."


def svg(drawing: Drawing) -> Markup:
    """Return a drawing as SVG."""
    shapes = [_rect(frame) for frame in drawing.frames]
    shapes += [_line(arrow) for arrow in drawing.arrows]
    shapes += [_rect(box) for box in drawing.boxes]
    shapes += [_text(note) for box in drawing.boxes for note in _lines(box)]
    shapes += [_text(note) for note in drawing.notes]
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img" '
        'viewBox="-1 -1 {0} {1}" width="{0}" height="{1}" aria-label="{2}">'
        '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="4" '
        'orient="auto"><path d="M0,1 L7,4 L0,7 z"/></marker></defs>{3}</svg>'
    ).format(
        round(drawing.wide) + 2,
        round(drawing.high) + 2,
        drawing.label,
        Markup("").join(shapes),
    )


def _lines(box: Box) -> list[Note]:
    """Return a box's lines of text as notes, centred in the box."""
    first = box.top + box.height / 2 - (len(box.lines) - 1) * LINE / 2 + 4
    return [Note(text, box.middle, first + at * LINE) for at, text in enumerate(box.lines)]


def _rect(box: Box) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>').format(
        box.kind, *(round(of, 1) for of in (box.left, box.top, box.width, box.height, box.round))
    )


def _line(arrow: Arrow) -> Markup:
    head = Markup(' marker-end="url(#head)"') if arrow.headed else ""
    return Markup('<path class="arrow" d="{}"{}/>').format(arrow.path, head)


def _text(note: Note) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
        note.kind, round(note.left, 1), round(note.top, 1), note.text
    )
