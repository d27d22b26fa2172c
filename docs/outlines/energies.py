"""A symmetric network drawn by which of its units are coupled.

Two units are coupled if their effects on the energy do not simply add up:

    E(a, b) - E(a', b) - E(a, b') + E(a', b') is not 0        in some state of the others

Units that are coupled with the same others form a group, with inputs in groups of their own. Groups
are drawn in rows by their distance from the inputs.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from docs.drawing import LETTER, Arrow, Box, Drawing, Note, told
from lightning_modules.energies._energy import Energy

STATES, ROUNDING = 4, 1e-9
"""How many states are tried, and the rounding error allowed in a difference of energies."""
UNIT, BETWEEN, APART, BESIDE = 28, 24, 84, 30
"""In pixels: a unit, the gap between units, between rows, and from a row to its note."""


class Group(NamedTuple):
    """Units that are coupled with the same others."""

    name: str
    units: list[int]


@torch.no_grad()
def coupled(energy: Energy) -> Tensor:
    """Return which units are coupled, (S, S); the weights are overwritten so that none is zero."""
    energy = energy.double()
    for w in energy.parameters():
        w.copy_(torch.randn_like(w))
    S = energy.state_size
    first, second = torch.triu_indices(S, S, 1)
    pairs, found = torch.arange(len(first)), torch.zeros(S, S, dtype=torch.bool)
    for _ in range(STATES):
        one_S, other_S = torch.rand(2, S, dtype=torch.float64)
        total_P = torch.zeros(len(first), dtype=torch.float64)
        for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
            s_PS = one_S.repeat(len(first), 1)
            for of, changed in ((first, a), (second, b)):
                if changed:
                    s_PS[pairs, of] = other_S[of]
            total_P += energy.energy(s_PS) * (-1) ** (a + b)
        found[first, second] |= total_P.abs() > ROUNDING
    return found | found.t()


def groups(links_SS: Tensor, inputs: int) -> list[Group]:
    """Return the groups, those of the inputs first, the others by their distance from these."""
    of: dict[tuple, list[int]] = {}
    for unit, row in enumerate(links_SS.tolist()):
        hears = frozenset(at for at, linked in enumerate(row) if linked)
        within = next(
            (key for key in of if key[0] == (unit < inputs) and _alike(key, unit, hears)), None
        )
        of.setdefault(within or (unit < inputs, hears, unit), []).append(unit)
    near, far = set(range(inputs)), dict.fromkeys(range(inputs), 0)
    while near:
        near = {int(b) for a in near for b in links_SS[a].nonzero() if int(b) not in far}
        far |= dict.fromkeys(near, max(far.values()) + 1)
    ordered = sorted(of.values(), key=lambda units: (far.get(units[0], math.inf), units[0]))
    return [Group(_name(units, units[0] < inputs), units) for units in ordered]


def drawn(energy: Energy, opening: str) -> Drawing:
    """Return the drawing; ``opening`` begins its label."""
    links_SS = coupled(energy)
    found = groups(links_SS, energy.input_size)
    places = _ring(found[0]) if len(found) == 1 else _rows(found)
    name_of = {unit: group.name for group in found for unit in group.units}
    arrows, boxes = [], []
    for a, b in links_SS.triu().nonzero().tolist():
        (x, y), (to, at) = places[a], places[b]
        path = f"M{x:.1f},{y:.1f} L{to:.1f},{at:.1f}"
        if name_of[a] == name_of[b] and len(found) > 1:
            away = (0.15 * abs(to - x) + 12) * (1 if name_of[a] == found[0].name else -1)
            path = f"M{x:.1f},{y:.1f} Q{(x + to) / 2:.1f},{y + 2 * away:.1f} {to:.1f},{at:.1f}"
        arrows.append(Arrow(name_of[a], name_of[b], path, headed=False))
    for unit, (x, y) in places.items():
        kind = "input" if unit < energy.input_size else "state"
        box = (x - UNIT / 2, y - UNIT / 2, UNIT, UNIT)
        boxes.append(Box(name_of[unit], (str(unit + 1),), *box, kind, UNIT / 2))
    right = max(x for x, _ in places.values()) + BESIDE
    notes = [Note(of.name, right, places[of.units[0]][1] + 4, "start") for of in found]
    notes = notes if len(found) > 1 else []
    wide = right + max((len(note.text) for note in notes), default=0) * LETTER
    low = max(y for _, y in places.values()) + APART / 2
    return Drawing(f"{opening} {told(boxes, arrows)}", wide, low, boxes, arrows, (), notes)


def _alike(key: tuple, unit: int, hears: frozenset[int]) -> bool:
    """Return whether a unit is coupled as the first of a group is, each other left aside."""
    _, of_first, first = key
    return of_first - {unit} == hears - {first} and (unit in of_first) == (first in hears)


def _name(units: list[int], inputs: bool) -> str:
    first, last = units[0] + 1, units[-1] + 1
    said = f"unit {first}" if first == last else f"units {first} to {last}"
    return f"inputs, {said}" if inputs else said


def _rows(found: list[Group]) -> dict[int, tuple[float, float]]:
    """Return the places of units, groups in rows, the first at the bottom."""
    wide = max(len(group.units) for group in found) * (UNIT + BETWEEN)
    return {
        unit: (
            wide / 2 + (at - (len(group.units) - 1) / 2) * (UNIT + BETWEEN),
            APART * (len(found) - row - 0.5),
        )
        for row, group in enumerate(found)
        for at, unit in enumerate(group.units)
    }


def _ring(group: Group) -> dict[int, tuple[float, float]]:
    """Return the places of a group's units in a ring."""
    count = len(group.units)
    radius = max(APART, count * (UNIT + BETWEEN) / (2 * math.pi))
    turn = 2 * math.pi / count
    return {
        unit: (
            radius * (1 + math.sin(at * turn)) + UNIT,
            radius * (1 - math.cos(at * turn)) + UNIT,
        )
        for at, unit in enumerate(group.units)
    }
