"""Dependencies within a step of a cell, found by changing one part and seeing which others change.

A step's parts are the blocks of z and of the state. Changing x and s in ``forward`` shows what each
block of z depends on; changing z or s in ``update``, how the new state depends on them; ``advance``
and ``gates`` show which blocks are gates and what else these depend on. A cell that has only
``forward`` has no blocks of z: its new state depends on x and s directly.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Cell

SAMPLES = 32
"""How many states are tried: in some of them a unit may be saturated."""
OF_STATE, OF_Z = re.compile(r"\bs = \[(.*?)\]"), re.compile(r"rows of z are \[(.*?)\]")
"""Patterns by which a cell's module docstring names the blocks of s and of z."""


class Block(NamedTuple):
    """A block of z, or of the state."""

    name: str
    size: int
    gate: str = ""
    """The name of the gate that it makes; empty if it makes none."""


class Level(NamedTuple):
    """A layer's step: pairs (source, target) of block numbers say what depends on what."""

    inputs: int
    z: list[Block]
    state: list[Block]
    weights: list[str]
    """Blocks of z that depend on no input or state, only on parameters."""
    x_to_z: set[int]
    s_to_z: set[tuple[int, int]]
    z_to_s: set[tuple[int, int]]
    s_to_s: set[tuple[int, int]]
    """At fixed z."""
    x_to_s: set[int]
    """At fixed z."""
    below: frozenset[int] = frozenset()
    """The blocks of the lower layer's new state that it takes as its x."""


@torch.no_grad()
def levels(cell: Cell) -> list[Level]:
    """Return the layers of a cell, the lowest first; only a stack has several."""
    cell = cell.double()
    cells = list(_innermost(cell))
    found = [_level(layer) for layer in cells]
    for at, (below, above) in enumerate(pairwise(cells)):
        found[at + 1] = found[at + 1]._replace(below=_heard(cell, below, above, found[at].state))
    return found


def _innermost(cell: Cell) -> Iterator[Cell]:
    """Iterate over the layers of a cell from below, including those of stacks within stacks."""
    for layer in cell.cells if isinstance(cell, Stack) else [cell]:
        assert isinstance(layer, Cell)
        yield from _innermost(layer) if isinstance(layer, Stack) else [layer]


def _heard(whole: Cell, below: Cell, above: Cell, state: list[Block]) -> frozenset[int]:
    """Return the blocks of one layer's new state that the layer above depends on."""
    x_BI, s_BS = _at(whole.input_size), _at(whole.state_size)
    given: list[Tensor] = []

    def of(added_BS: Tensor) -> Tensor:
        def add(*called: Any) -> Tensor:
            return called[-1] + added_BS

        def keep(*called: Any) -> None:
            given.append(called[-1])

        with below.register_forward_hook(add), above.register_forward_hook(keep):
            whole(x_BI, s_BS)
        return given.pop()

    of_above = [Block("all", above.state_size)]
    zero_BS = torch.zeros(SAMPLES, below.state_size, dtype=torch.float64)
    return frozenset(source for source, _ in _moved(of, zero_BS, _of(state), of_above))


def _level(cell: Cell) -> Level:
    """Return the step of a cell that is not a stack."""
    x_BI, s_BS = _at(cell.input_size), _at(cell.state_size)
    state = _named(cell, OF_STATE, "s", _sizes(cell.state_size, cell.hidden_size))
    if isinstance(cell, UnitwiseCell):
        return _unitwise(cell, x_BI, s_BS, state)
    moved_by_x = _moved(lambda x: cell(x, s_BS), x_BI, [cell.input_size], state)
    moved_by_s = _moved(lambda s: cell(x_BI, s), s_BS, _of(state), state)
    to_s = {target for _, target in moved_by_x}
    return Level(cell.input_size, [], state, [], set(), set(), set(), moved_by_s, to_s)


def _unitwise(cell: UnitwiseCell, x_BI: Tensor, s_BS: Tensor, state: list[Block]) -> Level:
    """Return the step of a unit-wise cell, whose z is known."""
    z_BZ, H = _z(cell, x_BI, s_BS), cell.hidden_size
    z = _named(cell, OF_Z, "z", [H] * (z_BZ.shape[-1] // H))

    names, block_of = _gates(cell, z_BZ, s_BS)

    def gated(s_BS: Tensor) -> Tensor:
        left_BZ, next_BS = z_BZ.clone(), torch.empty_like(s_BS)
        cell.advance(left_BZ, s_BS, next_BS)
        gates = cell.gates(left_BZ, s_BS, next_BS).values()
        return torch.cat([s_BS[:, :0], *gates], dim=-1)

    by_x = _moved(lambda x: _z(cell, x, s_BS), x_BI, [cell.input_size], z)
    by_s = _moved(lambda s: _z(cell, x_BI, s), s_BS, _of(state), z)
    entered = {target for _, target in by_x | by_s}
    of_gates = [Block(name, H) for name in names]
    by_s |= {(source, block_of[gate]) for source, gate in _moved(gated, s_BS, _of(state), of_gates)}
    gate_of = {block: names[gate] for gate, block in block_of.items()}
    shown = [block for block in range(len(z)) if block in entered]
    place = {block: at for at, block in enumerate(shown)}
    to_s = _moved(lambda of_z: cell.update(of_z, s_BS), z_BZ, _of(z), state)
    return Level(
        cell.input_size,
        [z[block]._replace(gate=gate_of.get(block, "")) for block in shown],
        state,
        [of.name for block, of in enumerate(z) if block not in entered],
        {place[target] for _, target in by_x},
        {(source, place[target]) for source, target in by_s},
        {(place[source], target) for source, target in to_s if source in place},
        _moved(lambda s: cell.update(z_BZ, s), s_BS, _of(state), state),
        set(),
    )


def _gates(cell: UnitwiseCell, z_BZ: Tensor, s_BS: Tensor) -> tuple[list[str], dict[int, int]]:
    """Return the gates' names, and the block of z that ``advance`` leaves each one in."""
    left_BZ, next_BS = z_BZ.clone(), torch.empty_like(s_BS)
    cell.advance(left_BZ, s_BS, next_BS)
    gates = cell.gates(left_BZ, s_BS, next_BS)
    blocks = left_BZ.split(cell.hidden_size, dim=-1)
    block_of = {
        number: next(at for at, block in enumerate(blocks) if torch.equal(block, gate))
        for number, gate in enumerate(gates.values())
    }
    return list(gates), block_of


def _z(cell: UnitwiseCell, x_BI: Tensor, s_BS: Tensor) -> Tensor:
    """Return the z that ``forward`` passes to ``update``."""
    seen, update = [], cell.update

    def looked_at(z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        seen.append(z_BZ)
        return update(z_BZ, s_BS)

    cell.update = looked_at
    try:
        cell(x_BI, s_BS)
    finally:
        del cell.update
    return seen[0]


def _moved(
    of: Callable[[Tensor], Tensor], at: Tensor, parts: list[int], targets: list[Block]
) -> set[tuple[int, int]]:
    """Return the pairs (part of the argument, block of ``of``'s result) where the latter depends.

    ``at`` is the argument, ``parts`` the sizes of its parts.
    """
    before, found, start = of(at), set(), 0
    for source, size in enumerate(parts):
        other = at.clone()
        other[..., start : start + size] += _at(size)
        start += size
        gone = (of(other) != before).any(dim=0).split(_of(targets))
        found |= {(source, target) for target, part in enumerate(gone) if part.any()}
    return found


def _at(size: int) -> Tensor:
    """Return random values, (samples, size), the same at each call."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(SAMPLES, size, generator=generator, dtype=torch.float64)


def _of(blocks: list[Block]) -> list[int]:
    return [block.size for block in blocks]


def _sizes(size: int, hidden: int) -> list[int]:
    """Return the sizes of a state's blocks: ``hidden`` each, and a last one for any rest."""
    return [hidden] * (size // hidden) + ([size % hidden] if size % hidden else [])


def _named(cell: Cell, where: re.Pattern[str], letter: str, sizes: list[int]) -> list[Block]:
    """Return blocks with the names that the cell's docstring gives them, else letter and number."""
    doc = " ".join((inspect.getdoc(inspect.getmodule(type(cell))) or "").split())
    found = where.search(doc)
    names = [name.strip() for name in found[1].split(",")] if found else []
    if len(names) != len(sizes) or "…" in names:
        names = [letter] if len(sizes) == 1 else [f"{letter}{at + 1}" for at in range(len(sizes))]
        names[0] = "h" if letter == "s" else names[0]
    return [Block(name, size) for name, size in zip(names, sizes, strict=True)]
