"""A drawing of a cell over three steps: x at the bottom, blocks of z above it, states on top.

The middle step shows its blocks; the others are the same and are drawn closed. Arrows to all blocks
of z, or from all of them, are drawn as one arrow to or from their frame.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from docs.drawing import TALL, Arrow, Box, Drawing, Note, across, side_by_side, told, width_of
from docs.outlines.cells import Level

STEPS, OPEN = ("t - 1", "t", "t + 1"), 1
"""The steps, and the index of the one whose blocks are shown."""
APART = 56
"""In pixels: the gap between steps."""
UNDER, UP, ARCS, PAD, SMALL = 30, 44, 44, 9, 16
"""In pixels: space below a frame, from it to the states, above these, within it; a line of text."""


class _Place(NamedTuple):
    """A layer's boxes at one step; in a closed step the frame is a box, and there is no z."""

    z: list[Box]
    frame: Box | None
    state: list[Box]

    @property
    def shown(self) -> list[Box]:
        """The boxes to draw."""
        closed = [self.frame] if self.frame and not self.z else []
        return [*self.z, *closed, *self.state]


def unrolled(levels: list[Level], opening: str) -> Drawing:
    """Return the drawing; ``opening`` begins its label."""
    widths = [max(_wide(level, step) for level in levels) for step in range(len(STEPS))]
    high = sum(map(_rise, levels)) + TALL + 2 * SMALL
    boxes, arrows, frames, notes, left, before = [], [], [], [], 0.0, []
    for step, width in enumerate(widths):
        middle, top = left + width / 2, high - TALL - 2 * SMALL
        row = side_by_side(
            [(f"x at {STEPS[step]}", ("x", str(levels[0].inputs)), "input")], middle, top
        )
        boxes, notes = boxes + row, [*notes, Note(f"step {STEPS[step]}", middle, high - 4)]
        places = []
        for number, level in enumerate(levels):
            who = f"{STEPS[step]}, layer {number + 1}" if len(levels) > 1 else STEPS[step]
            place = _placed(level, who, step, middle, top)
            boxes, places = boxes + place.shown, [*places, place]
            arrows += _within(level, place, [row[at] for at in level.below or {0}])
            arrows += _onward(level, before[number], place) if before else []
            if place.frame and place.z:
                frames.append(place.frame)
                notes += _weights(level, place.frame)
            row, top = place.state, place.state[0].top - ARCS
        left, before = left + width + APART, places
    label = f"{opening} {told([*boxes, *frames], arrows)}"
    return Drawing(label, left - APART, high, boxes, arrows, frames, notes)


def _placed(level: Level, who: str, step: int, middle: float, below: float) -> _Place:
    """Return a layer's boxes at one step; ``below`` is the top of the boxes under them."""
    top, z, frame = below - UNDER - TALL, [], None
    if level.z:
        bottom, high = below - UNDER, _frame(level)
        if step == OPEN:
            said = [
                (f"{'gate ' + block.gate if block.gate else 'block'} {block.name} at {who}",
                 (block.name, block.gate) if block.gate else (block.name,),
                 "gate" if block.gate else "block")
                for block in level.z
            ]  # fmt: skip
            z = side_by_side(said, middle, bottom - high + PAD)
            width = max(z[-1].left + z[-1].width - z[0].left + 2 * PAD, _said(level))
            frame = Box(
                f"all of z at {who}", (), middle - width / 2, bottom - high, width, high, "frame"
            )
        else:
            width = width_of("same step")
            at = bottom - high / 2 - TALL / 2
            left = middle - width / 2
            frame = Box(f"the step at {who}", ("same step",), left, at, width, TALL, "closed")
        top = bottom - high - UP - TALL
    named = [(f"{of.name} at {who}", (of.name, str(of.size)), "state") for of in level.state]
    return _Place(z, frame, side_by_side(named, middle, top))


def _within(level: Level, place: _Place, heard: Iterable[Box]) -> Iterator[Arrow]:
    """Iterate over the arrows from x up to a layer's states."""
    for x in heard:
        for target in _aims(level.x_to_z, place):
            yield _straight(x, target)
        for target in sorted(level.x_to_s):
            yield _straight(x, place.state[target])
    for number, state in enumerate(place.state):
        sources = {source for source, target in level.z_to_s if target == number}
        for source in _aims(sources, place):
            yield _straight(source, state)


def _onward(level: Level, before: _Place, place: _Place) -> Iterator[Arrow]:
    """Iterate over the arrows from a layer's states to the next step."""
    for number, state in enumerate(before.state):
        hears = {target for source, target in level.s_to_z if source == number}
        for target in _aims(hears, place):
            yield _along(state, target, number)
        for source, target in sorted(level.s_to_s):
            if source == number:
                count = len(before.state)
                yield _arc(state, place.state[target], (target + 1, source + 1), count + 1)


def _aims(blocks: set[int], place: _Place) -> list[Box]:
    """Return the blocks' boxes, or only the frame if it stands for all of them."""
    if not blocks or place.frame is None:
        return []
    if not place.z or len(blocks) == len(place.z) > 1:
        return [place.frame]
    return [place.z[block] for block in sorted(blocks)]


def _straight(source: Box, target: Box) -> Arrow:
    start, end = f"{source.middle:.1f},{source.top:.1f}", f"{target.middle:.1f},{target.bottom:.1f}"
    return Arrow(source.name, target.name, f"M{start} L{end}")


def _along(source: Box, target: Box, number: int) -> Arrow:
    """Return an arrow from a state of the step before: along under the states, then down.

    It ends at the left edge of a frame or at the top of a block; no two states share a path.
    """
    x, y, way = source.left + source.width - 9, source.bottom, source.bottom + 16 + 7 * number
    path = f"M{x:.1f},{y:.1f} V{way - 6:.1f} q0,6 6,6"
    if target.kind in ("frame", "closed"):
        turn, at = target.left - 16 - 6 * number, target.top + target.height / 2 - 4 + 8 * number
        end = f"V{at - 6:.1f} q0,6 6,6 H{target.left:.1f}"
    else:
        turn, end = target.left + 7 + 8 * number, f"V{target.top:.1f}"
    return Arrow(source.name, target.name, f"{path} H{turn - 6:.1f} q6,0 6,6 {end}")


def _arc(source: Box, target: Box, ends: tuple[int, int], parts: int) -> Arrow:
    """Return an arrow over the states; ``ends`` are its ends, in ``parts``-ths of a box's width."""
    start, end = (
        box.left + box.width * at / parts for box, at in zip((source, target), ends, strict=True)
    )
    over = source.top - ARCS * 1.1
    path = f"M{start:.1f},{source.top:.1f} C{start + 12:.1f},{over:.1f} {end - 12:.1f},{over:.1f}"
    return Arrow(source.name, target.name, f"{path} {end:.1f},{target.top:.1f}")


def _weights(level: Level, frame: Box) -> list[Note]:
    """Return a note that lists the blocks of z that are only parameters, if there are any."""
    return [Note(_alone(level), frame.middle, frame.bottom - 6)] if level.weights else []


def _alone(level: Level) -> str:
    return f"weights alone: {' '.join(level.weights)}"


def _said(level: Level) -> float:
    """Return the width of that note, 0 without it."""
    return width_of(_alone(level)) if level.weights else 0


def _wide(level: Level, step: int) -> float:
    """Return the width of a layer at a step."""
    states = across([(of.name,) for of in level.state])
    if not level.z:
        return states
    if step != OPEN:
        return max(states, width_of("same step"))
    return max(states, _said(level), across([(of.name, of.gate) for of in level.z]) + 2 * PAD)


def _frame(level: Level) -> float:
    """Return the height of a layer's frame."""
    return TALL + 2 * PAD + (SMALL if level.weights else 0)


def _rise(level: Level) -> float:
    """Return the height of a layer, including the arcs above its states."""
    return UNDER + TALL + ARCS + (_frame(level) + UP if level.z else 0)
