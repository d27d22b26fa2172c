"""A drawing of a machine: its weights as a table, a row for each unit, a column for each source.

Arrows would cross, because most units of a machine have many inputs. A row's label gives the unit's
sum in words, in the order in which the machine takes it.
"""

from fractions import Fraction

from docs.drawing import Box, Drawing, Note, width_of
from lightning_modules.machines._machine import Machine

HIGH, APART, TOP = 24, 4, 22
"""In pixels: height of a table cell, gap between cells, space above the first."""


def drawn(machine: Machine, opening: str) -> Drawing:
    """Return the drawing; ``opening`` begins its label."""
    number = {name: str(at + 1) for at, name in enumerate(machine.units)}
    columns = [*machine.symbols, *machine.units]
    heads = [*machine.symbols, *(f"u{number[name]}" for name in machine.units)]
    first = max(width_of(f"u{at} {name}") for name, at in number.items())
    wides = [
        width_of(
            head,
            *(_said(unit.weights[of]) for unit in machine.units.values() if of in unit.weights),
        )
        for of, head in zip(columns, heads, strict=True)
    ]
    lefts = [first + APART]
    for wide in wides:
        lefts.append(lefts[-1] + wide + APART)
    bias = width_of("b", *(_said(unit.bias) for unit in machine.units.values()))
    notes = [
        Note(head, left + wide / 2, 14)
        for head, left, wide in zip(heads, lefts, wides, strict=False)
    ]
    notes.append(Note("b", lefts[-1] + bias / 2, 14))
    boxes = []
    for row, (name, unit) in enumerate(machine.units.items()):
        top = TOP + row * (HIGH + APART)
        total = " ".join(f"{_said(w)} of {of}," for of, w in unit.weights.items())
        said = f"unit {name} adds up {total} {_said(unit.bias)}"
        boxes.append(Box(said, (f"u{number[name]} {name}",), 0, top, first, HIGH, "state"))
        cells = [(columns.index(of), w) for of, w in unit.weights.items() if w]
        for at, w in sorted(cells):
            kind = "gate" if w > 0 else "block"
            boxes.append(Box(said, (_said(w),), lefts[at], top, wides[at], HIGH, kind))
        boxes.append(Box(said, (_said(unit.bias),), lefts[-1], top, bias, HIGH, "plain"))
    names = "; ".join(dict.fromkeys(box.name for box in boxes))
    high = TOP + len(machine.units) * (HIGH + APART)
    return Drawing(f"{opening} {names}.", lefts[-1] + bias, high, boxes, (), (), notes)


def _said(weight: Fraction | int) -> str:
    """Return a weight as text, with a minus sign as wide as a digit."""
    return str(weight).replace("-", "−")
