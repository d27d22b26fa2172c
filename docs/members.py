"""The methods of every room (folder), read from their files' syntax; nothing is imported.

A method's class is the one that the room's registry picks: public, and derived from the room's
contract.
"""

import ast
import functools
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.rooms import MAKERS
from pipeline.rooms import rooms as declared
from pipeline.running.syntax import path_of

HOME = Path(__file__).parents[1]
PACKAGES = ("lightning_modules", "pipeline")
CLAIMS = "lightning_modules.interfaces"


class Parameter(NamedTuple):
    """A parameter of a class's constructor; an empty string for a missing type or default."""

    name: str
    type: str
    default: str


class Member(NamedTuple):
    """A method, as described in its file."""

    room: str
    name: str
    module: str
    path: Path
    doc: str
    class_name: str
    says: str
    """The first paragraph of the class's docstring."""
    parameters: tuple[Parameter, ...]
    building: str
    """The constructor's docstring."""
    claim: str
    """What an algorithm promises of its gradient; empty for anything else."""
    sees: tuple[str, ...]
    """What a probe observes of training; empty for anything else."""

    @property
    def first_line(self) -> str:
        """Return the docstring's first line."""
        return self.doc.partition("\n")[0]


class Room(NamedTuple):
    """A folder of methods."""

    name: str
    package: str
    doc: str
    contract: str
    """The class that its members derive from, as ``module:Class``."""
    members: tuple[Member, ...]


class Class(NamedTuple):
    """A class of the project, and the module that defines it."""

    module: str
    node: ast.ClassDef


def rooms() -> list[Room]:
    """Return the rooms whose registry names a contract; that of the studies, for one, does not."""
    found = []
    for room in declared().values():
        package = ".".join(room.folder.relative_to(HOME).parts)
        if contract := _contract(package):
            doc = ast.get_docstring(parsed(package)) or ""
            bare = Room(room.name, package, doc, contract, ())
            members = tuple(_member(bare, f"{package}.{name}") for name in room.members)
            found.append(bare._replace(members=members))
    return found


def _member(room: Room, module: str) -> Member:
    """Return a member, read from its file; TypeError unless it defines exactly one class."""
    path, tree = path_of(module), parsed(module)
    assert path is not None
    public = [
        Class(module, node)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name[0] != "_" and _is_a(module, node, room)
    ]
    if len(public) != 1:
        names = ", ".join(of.node.name for of in public) or "none"
        raise TypeError(f"{module} must define one {room.contract}; it defines {names}")
    own = public[0].node
    parameters, building = _built(public[0])
    return Member(
        room.name,
        module.rpartition(".")[2],
        module,
        path.relative_to(HOME),
        inspect.cleandoc(ast.get_docstring(tree) or ""),
        own.name,
        (ast.get_docstring(own) or "").split("\n\n")[0],
        parameters,
        building,
        _claim(public[0]),
        _sees(public[0]) if room.name == "probes" else (),
    )


@functools.cache
def parsed(module: str) -> ast.Module:
    """Return a module's syntax tree."""
    path = path_of(module)
    assert path is not None, module
    return ast.parse(path.read_text(encoding="utf-8"))


def _contract(package: str) -> str:
    """Return the contract that a package's registry names; an empty string if there is none."""
    for node in ast.walk(parsed(package)):
        match node:
            case ast.Call(
                func=ast.Name(id=maker), args=[_, _, ast.Constant(value=str(contract))]
            ) if maker in MAKERS:
                return contract
    return ""


def _is_a(module: str, node: ast.ClassDef, room: Room) -> bool:
    """Return whether a class derives from a room's contract."""
    home, _, name = room.contract.partition(":")
    inside = home.partition(".")[0] in PACKAGES
    for base in _ancestors(Class(module, node)):
        if isinstance(base, Class):
            if (base.module, base.node.name) == (home, name):
                return True
        elif not inside and base.startswith(home):
            return True
    return False


def _ancestors(of: Class) -> Iterator[Class | str]:
    """Iterate over a class and all its bases; one from outside the project is given by name."""
    yield of
    for base in of.node.bases:
        written = base.value if isinstance(base, ast.Subscript) else base
        found = _defined(of.module, ast.unparse(written))
        if isinstance(found, Class):
            yield from _ancestors(found)
        else:
            yield found


def _defined(module: str, name: str) -> Class | str:
    """Return the class that a name refers to in a module; its full name if from outside."""
    first, _, rest = name.partition(".")
    for node in parsed(module).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return Class(module, node)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) != first:
                    continue
                if str(node.module).partition(".")[0] in PACKAGES:
                    return _defined(str(node.module), alias.name)
                return ".".join(filter(None, (node.module, alias.name, rest)))
    return name


def _built(of: Class) -> tuple[tuple[Parameter, ...], str]:
    """Return the parameters of a class's constructor, and its docstring."""
    for base in _ancestors(of):
        for node in base.node.body if isinstance(base, Class) else ():
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                return tuple(_parameters(node.args)), ast.get_docstring(node) or ""
    return (), ""


def _parameters(of: ast.arguments) -> Iterator[Parameter]:
    """Iterate over a method's parameters without ``self``."""
    plain = [*of.posonlyargs, *of.args]
    defaults = [None] * (len(plain) - len(of.defaults)) + list(of.defaults)
    both = [*zip(plain, defaults, strict=True)][1:]
    for argument, default in [*both, *zip(of.kwonlyargs, of.kw_defaults, strict=True)]:
        written = ast.unparse(default) if default else ""
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        yield Parameter(argument.arg, kind, written)
    if of.kwarg:
        kind = ast.unparse(of.kwarg.annotation) if of.kwarg.annotation else ""
        yield Parameter(f"**{of.kwarg.arg}", kind, "")


def _claim(of: Class) -> str:
    """Return the claim of an algorithm's class, with its meaning; empty if there is none."""
    if (given := _given(of, "claim")) is None:
        return ""
    name = ast.unparse(given).rpartition(".")[2]
    return f"{name.lower()}: its gradient {_claims()[name]}"


def _sees(of: Class) -> tuple[str, ...]:
    """Return what a probe's class says that it observes."""
    given = _given(of, "sees")
    words = ast.walk(given) if given else ()
    return tuple(str(node.value) for node in words if isinstance(node, ast.Constant))


def _given(of: Class, name: str) -> ast.expr | None:
    """Return the value that a class or one of its bases assigns to an attribute; None if none."""
    for base in _ancestors(of):
        for node in base.node.body if isinstance(base, Class) else ():
            if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
                return node.value
    return None


@functools.cache
def _claims() -> dict[str, str]:
    """Return the meaning of each claim, by the claim's name."""
    claims = _defined(CLAIMS, "Claim")
    assert isinstance(claims, Class)
    return {
        ast.unparse(node.targets[0]): node.value.value
        for node in claims.node.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
