"""`new`: write a small working file as the start of a new method, task or study."""

import keyword
import re
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from lightning_modules.registry import nearest
from pipeline.commands._terminal import say
from pipeline.errors import UserError
from pipeline.rooms import rooms

EXAMPLES = (
    "Example: python -m pipeline new cell my_cell",
    "Example: python -m pipeline new study my_question",
)
TEMPLATES = Path(__file__).parent / "_templates"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40


class Kind(NamedTuple):
    """A room, and what a new member of it needs; {name} and {Class} stand for the member's."""

    room: str
    file: str = ""
    """The file of the tests that needs an entry."""
    table: str = ""
    """The table in that file."""
    entry: str = ""
    tests: str = ""
    """The command that then tests the member against its contract."""


KINDS = {
    "cell": Kind(
        "cells",
        "tests/cases.py",
        "CELL_CASES",
        '"{name}": CellCase(lambda: {Class}(INPUTS, UNITS), UNITS, UNITS * (INPUTS + UNITS + 1), '
        "by_unit=False),",
        "python -m pytest tests/test_cells.py -k {name}",
    ),
    "algorithm": Kind(
        "algorithms",
        "tests/rules.py",
        "WHOLE",
        '"{name}": ({Class}, partial(tbptt_reference, horizon=1)),',
        "python -m pytest tests/test_algorithms.py -k {name}",
    ),
    "network": Kind(
        "networks",
        "tests/network_cases.py",
        "NETWORK_CASES",
        '"{name}": NetworkCase(lambda: {Class}(3, 2, 4), 3, 2, (3 + 1) * 4 + (4 + 1) * 2),',
        "python -m pytest tests/test_networks.py -k {name}",
    ),
    "energy": Kind(
        "energies",
        "tests/energy_cases.py",
        "OTHERS",
        '"{name}": EnergyCase(lambda: {Class}(4), 4, lambda count: (bits(count, 4),) * 2),',
        "python -m pytest tests/test_energies.py -k {name}",
    ),
    "map": Kind(
        "maps",
        "tests/map_cases.py",
        "MAP_CASES",
        '"{name}": MapCase(lambda: {Class}(INPUTS, 6), numbers, 6, ()),',
        "python -m pytest tests/test_maps.py -k {name}",
    ),
    "probe": Kind("probes", tests="python -m pytest tests/test_contracts.py -k {name}"),
    "task": Kind(
        "tasks",
        "tests/test_tasks.py",
        "INSTANCES",
        '"{name}": lambda seed: {Class}(seed, 4, length=7, held_out_size=30),',
        "python -m pytest tests/test_tasks.py -k {name}",
    ),
    "study": Kind(
        "studies",
        "tests/test_committed.py",
        "OWED",
        '"{name}",',
        "python -m pipeline run {name}",
    ),
}


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def command(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(KINDS)}.", autocompletion=_kinds)],
    name: Annotated[str, typer.Argument(help="What its file is called: small letters and _.")],
) -> None:
    """Write a small working member of a room, for you to change, and say where its entries go."""
    if kind not in KINDS:
        raise UserError(f"{kind!r} is no kind of file to write: {nearest(kind, KINDS)}")
    of = KINDS[kind]
    room = rooms()[of.room]
    _hold_name(name)
    if name in room.members:
        raise UserError(f"{name!r} is there already among the {room.name}: choose another name")
    files = {TEMPLATES / f"{kind}.py": room.folder / f"{name}.py"}
    if (values := TEMPLATES / f"{kind}.yaml").exists():
        files[values] = Path("params") / f"{name}.yaml"
    for to in files.values():
        if to.exists():
            raise UserError(f"{_near(to)} is there already: choose another name")
    written = [_write(template, to, name) for template, to in files.items()]
    for path in written:
        say(f"{_near(path)}: works as it stands; change it into what it is to be")
    for line in _rest(of, kind, name, written[0]):
        say(line)


def _hold_name(name: str) -> None:
    """Raise UserError for a name that no file of a room can have."""
    fitting = NAME.fullmatch(name) and len(name) <= LONGEST and not keyword.iskeyword(name)
    if not fitting:
        shown = name if len(name) <= LONGEST else f"{name[:LONGEST]}..."
        allowed = f"small letters, digits and single _, a letter first, at most {LONGEST}"
        raise UserError(
            f"{shown!r} cannot be the name of a file here: {allowed}; no Python keyword"
        )


def _write(template: Path, to: Path, name: str) -> Path:
    """Write a template with the member's own name and class; return its path."""
    words = name.replace("_", " ")
    text = template.read_text(encoding="utf-8")
    text = text.replace('"""Example:', f'"""{words[0].upper()}{words[1:]}:', 1)
    text = re.sub(r"\bExample\b", _class(name), text)
    with to.open("x", encoding="utf-8") as file:
        file.write(text)
    return to


def _rest(of: Kind, kind: str, name: str, path: Path) -> list[str]:
    """Return what is left to do by hand, a line each."""
    module = ".".join(_near(path).with_suffix("").parts)
    lines = []
    if of.table and kind == "study":
        lines.append(f"until its rows at standard are committed, in {of.file}, {of.table}:")
    elif of.table:
        lines.append(f"its entry goes into {of.file}, where {of.table} is:")
        lines.append(f"    from {module} import {_class(name)}")
    if of.table:
        lines.append(f"    {of.entry.format(name=name, Class=_class(name))}")
    if kind == "probe":
        lines.append("its values need a test of their own, as in tests/test_probes.py")
    if kind in ("cell", "algorithm", "network", "probe"):
        lines.append(f"then: python -m pipeline test-method {module}.{_class(name)}")
    return [*lines, f"then: {of.tests.format(name=name)}"]


def _class(name: str) -> str:
    """Return the name of the member's class."""
    return "".join(word.capitalize() for word in name.split("_"))


def _near(path: Path) -> Path:
    """Return the path relative to the project's folder, if it lies inside."""
    root = Path(__file__).parents[2]
    return path.resolve().relative_to(root) if path.resolve().is_relative_to(root) else path
