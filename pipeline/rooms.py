"""The rooms: every folder that is a registry, with its members, read from files without imports.

A room is a folder whose ``__init__.py`` makes a registry; its name is the registry's in lower
case: ``cells`` for CELLS. A new room is thus listed as soon as its folder exists.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOTS = HERE.parent / "lightning_modules", HERE
FILES_ALONE = "discover_files"
MAKERS = {"discover", FILES_ALONE, "Registry"}
"""The calls that make a registry; with ``discover_files``, folders below are not members."""


class Room(NamedTuple):
    """A folder and its members."""

    name: str
    folder: Path
    members: Mapping[str, Path]
    """The file that declares each member, by its name, in alphabetical order."""


def rooms() -> dict[str, Room]:
    """Return every room by name, in alphabetical order."""
    found = [room for root in ROOTS for file in root.rglob("__init__.py") for room in _made(file)]
    return {room.name: room for room in sorted(found)}


def says(file: Path) -> str:
    """Return the first paragraph of a file's docstring in one line; empty if it has none."""
    try:
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    except (SyntaxError, ValueError) as error:
        return f"cannot be read: {' '.join(str(error).split())}"
    return " ".join(text.partition("\n\n")[0].split())


def _made(file: Path) -> Iterator[Room]:
    """Iterate over the rooms that a folder's ``__init__.py`` makes: one or none."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=maker)))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=ast.Name(id=maker)))
            ) if maker in MAKERS:
                members = _members(file.parent, folders=maker != FILES_ALONE)
                yield Room(name.lower(), file.parent, dict(sorted(members)))


def _members(folder: Path, *, folders: bool) -> Iterator[tuple[str, Path]]:
    """Iterate over the public files, and folders, that declare something."""
    for path in folder.iterdir():
        inside = path / "__init__.py"
        if path.name[0] in "_.":
            continue
        if path.suffix == ".py":
            yield path.stem, path
        elif folders and inside.exists():
            yield path.name, inside
