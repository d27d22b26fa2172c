"""`new`: write a small working file as the start of a new method, task, data set or study."""

import keyword
import re
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from lightning_modules.registry import nearest
from pipeline.commands._kinds import KINDS, TRIED, Kind
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
    for entry in of.entries:
        lines.append(entry.says.format(file=entry.file, table=entry.table))
        if "{Class}" in entry.text:
            lines.append(f"    from {module} import {_class(name)}")
        text = entry.text.replace("{name}", name).replace("{Class}", _class(name))
        lines += textwrap.indent(text, "    ").splitlines()
    if of.own:
        lines.append(of.own)
    if kind in TRIED:
        lines.append(f"then: python -m pipeline test-method {module}.{_class(name)}")
    return [*lines, *(f"then: {tests.format(name=name)}" for tests in of.tests)]


def _class(name: str) -> str:
    """Return the name of the member's class."""
    return "".join(word.capitalize() for word in name.split("_"))


def _near(path: Path) -> Path:
    """Return the path relative to the project's folder, if it lies inside."""
    root = Path(__file__).parents[2]
    return path.resolve().relative_to(root) if path.resolve().is_relative_to(root) else path
