"""A drawing of a network: a row for each module in the order of their calls, with arrows between.

An arrow to the next row goes straight down. Arrows that skip rows run on the right; those that go
back up, or from a row to itself, on the left.
"""

from collections.abc import Sequence

from docs.drawing import HIGH, LETTER, Arrow, Box, Drawing, Note, told
from docs.outlines.networks import Part

APART, LANE, STEP, EDGE = 14, 10, 5, 10
"""In pixels: gap between rows, between lanes, from a row's middle to arrows' ends, and margins."""


def layered(parts: Sequence[Part], opening: str) -> Drawing:
    """Return the drawing; ``opening`` begins its label."""
    places = {part.name: row for row, part in enumerate(parts)}
    led = sorted((places[source], row) for row, part in enumerate(parts) for source in part.sources)
    aside = _lanes([(a, b) for a, b in led if b > a + 1])
    back = _lanes([(a, b) for a, b in led if b <= a])
    left = (max(back.values(), default=-1) + 2) * LANE if back else 0
    columns = [[*_words(part)] for part in parts]
    wides = [max(len(words[at]) for words in columns) * LETTER for at in range(len(columns[0]))]
    width = sum(wides) + EDGE * 2 + EDGE * 1.5 * (len(wides) - 1)
    boxes, notes = [], []
    for row, (part, words) in enumerate(zip(parts, columns, strict=True)):
        top = row * (HIGH + APART)
        boxes.append(Box(_said(part), (), left, top, width, HIGH, _style(part)))
        at = left + EDGE
        for word, wide, kind in zip(
            words, wides, ("start", "start", "end", "end", "end"), strict=True
        ):
            if word:
                notes.append(Note(word, at + (wide if kind == "end" else 0), top + 18, kind))
            at += wide + EDGE * 1.5
    arrows = []
    for a, b in led:
        if b == a + 1:
            middle = left + width / 2
            path = f"M{middle:.1f},{boxes[a].bottom} V{boxes[b].top}"
        else:
            edge, side = (left + width, 1) if b > a else (left, -1)
            lane = aside[a] if b > a else back[a]
            start, end = _middle(boxes[a]) + STEP, _middle(boxes[b]) - STEP
            out = edge + side * (lane + 1.5) * LANE
            path = f"M{edge:.1f},{start} H{out:.1f} V{end} H{edge + side:.1f}"
        arrows.append(Arrow(parts[a].name, parts[b].name, path))
    right = (max(aside.values(), default=-1) + 2) * LANE if aside else 0
    high = len(parts) * (HIGH + APART) - APART
    label = f"{opening} {told(boxes, arrows)}"
    return Drawing(label, left + width + right, high, boxes, arrows, (), notes)


def size(part: Part) -> str:
    """Return the size of a part's output in words, such as 3×28×28."""
    one_step = len(part.shape) == 2 and part.shape[0] == 1
    return "×".join(map(str, part.shape[1:] if one_step else part.shape)) or "1"


def _words(part: Part) -> tuple[str, str, str, str, str]:
    """Return the words of a row: name, kind, size, weights, calls."""
    weights = f"{part.parameters:,} weights" if part.parameters else ""
    kind = "" if part.kind in ("input", "output") else part.kind
    return part.name, kind, size(part), weights, f"{part.calls} calls" if part.calls > 1 else ""


def _said(part: Part) -> str:
    """Return a row in words."""
    return ", ".join(filter(None, (part.name, *_words(part)[1:])))


def _style(part: Part) -> str:
    """Return the CSS class of a row: input or output, or whether it has weights."""
    if part.kind in ("input", "output"):
        return part.kind
    return "gate" if part.parameters else "plain"


def _middle(box: Box) -> float:
    return box.top + box.height / 2


def _lanes(led: list[tuple[int, int]]) -> dict[int, int]:
    """Return a lane for the arrows from each row: shorter ones nearer, overlapping ones apart."""
    spans: dict[int, tuple[int, int]] = {}
    for source, target in led:
        low, high = spans.get(source, (source, source))
        spans[source] = min(low, target), max(high, target)
    lanes: dict[int, int] = {}
    for source, (low, high) in sorted(spans.items(), key=lambda of: of[1][1] - of[1][0]):
        taken = {
            lane for row, lane in lanes.items() if spans[row][0] < high and low < spans[row][1]
        }
        lanes[source] = next(lane for lane in range(len(spans)) if lane not in taken)
    return lanes
