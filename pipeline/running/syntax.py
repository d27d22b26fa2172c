"""The parts of a source file that count: its statements, without documentation and type hints.

Of a statement we know a hash of its syntax tree, the names that it binds, those that it uses and
the imports in it. The result for a file is cached below .scratch, by the file's content, since
parsing the whole project takes longer than all other work on it.
"""

import ast
import contextlib
import functools
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

KEPT = Path(".scratch", "syntax")
EVERYTHING = "*"


class Import(NamedTuple):
    """One name that a statement imports."""

    module: str
    name: str
    """The name in the module; empty for the module itself, EVERYTHING for all in it."""
    alias: str
    """The name that it has in the importing module."""


class Statement(NamedTuple):
    """What matters of one top-level statement of a module."""

    digest: str
    binds: frozenset[str] | None
    """The names that it binds or alters; None if that cannot be told."""
    uses: frozenset[str]
    """The names in it; ``name.attribute`` where only that attribute of a name is used."""
    imports: tuple[Import, ...]


@functools.cache
def path_of(module: str) -> Path | None:
    """Return a module's file; None if no package on the path has such a module."""
    package, *rest = module.split(".")
    home = _home(package)
    if home is None:
        return None
    path = Path(home, *rest)
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path if path.exists() else None


@functools.cache
def _home(package: str) -> str | None:
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return next(iter(places), None) if places else None


@functools.cache
def statements(module: str) -> tuple[Statement, ...]:
    """Return a module's statements without importing it."""
    path = path_of(module)
    if path is None:
        raise ModuleNotFoundError(f"{module} is no module of a package on the path")
    source = path.read_bytes()
    name = hashlib.sha256(_own_source() + module.encode() + source).hexdigest()
    kept = KEPT / f"{name}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        return tuple(map(_revived, json.loads(kept.read_text(encoding="utf-8"))))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = tuple(_statement(s, package) for s in _split(_cleaned(ast.parse(source)).body))
    with contextlib.suppress(OSError):  # if the cache cannot be written, only time is lost
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps([_plain(s) for s in found]), encoding="utf-8")
        draft.replace(kept)
    return found


@functools.cache
def _own_source() -> bytes:
    """Return this file's content: the cache is valid only for the rules in it."""
    return Path(__file__).read_bytes()


def _plain(s: Statement) -> list[object]:
    return [s.digest, None if s.binds is None else sorted(s.binds), sorted(s.uses), s.imports]


def _revived(kept: list) -> Statement:
    name, binds, uses, imports = kept
    bound = None if binds is None else frozenset(binds)
    return Statement(name, bound, frozenset(uses), tuple(Import(*i) for i in imports))


def _cleaned(tree: ast.Module) -> ast.Module:
    """Drop documentation, functions' type hints, and imports for type checking alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [s for s in node.body if not (_documents(s) or _is_for_types(s))]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return tree


def _documents(statement: ast.stmt) -> bool:
    """Return whether a statement is only a string: a docstring, or that of a constant."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _is_for_types(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
            return True
    return False


def _split(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Iterate over statements, an import of several names as imports of one each."""
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (ast.Import([name]) for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                yield from (ast.ImportFrom(module, [name], level) for name in names)
            case _:
                yield statement


def _statement(statement: ast.stmt, package: str) -> Statement:
    uses: set[str] = set()
    _collect(statement, uses)
    imports = [i for node in ast.walk(statement) for i in _imports(node, package)]
    return Statement(
        digest(plain(statement)), _bound(statement), frozenset(uses), tuple(dict.fromkeys(imports))
    )


def _collect(node: ast.AST, uses: set[str]) -> None:
    """Collect the names in a tree."""
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            uses.add(f"{name}.{attribute}")
            return
        case ast.Name(id=name):
            uses.add(name)
        case ast.AnnAssign(annotation=annotation):
            _collect_quoted(annotation, uses)
    for child in ast.iter_child_nodes(node):
        _collect(child, uses)


def _collect_quoted(annotation: ast.expr, uses: set[str]) -> None:
    """Collect the names in the quoted parts of a field's type, which pydantic may evaluate."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            with contextlib.suppress(SyntaxError):
                _collect(ast.parse(node.value, mode="eval"), uses)


def _imports(node: ast.AST, package: str) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            for a in names:
                top = a.name.partition(".")[0]
                whole = "" if a.asname or a.name == top else EVERYTHING
                yield Import(a.name, whole, a.asname or top)
        case ast.ImportFrom(module=module, names=names, level=level):
            above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            home = ".".join([*above, *([module] if module else [])])
            yield from (Import(home, a.name, a.asname or a.name) for a in names)


def _bound(statement: ast.stmt) -> frozenset[str] | None:
    """Return the names that a statement binds or alters; None if that cannot be told."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return frozenset({name})
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            bound = frozenset(a.asname or a.name.partition(".")[0] for a in names)
            return None if EVERYTHING in bound else bound
        case ast.Assign(targets=targets):
            return frozenset(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return frozenset(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    return None


def plain(node: object) -> object:
    """Return a syntax tree as lists, empty fields left out, so that Python versions agree."""
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, ast.AST):
        fields = [(k, plain(v)) for k, v in ast.iter_fields(node) if v is not None and v != []]
        return [type(node).__name__, *fields]
    return [plain(n) for n in node] if isinstance(node, list) else repr(node)


def digest(content: object) -> str:
    """Return a hash of plain content, 16 hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
