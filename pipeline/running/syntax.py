"""What counts of a source: its syntax tree without documentation and annotations of functions."""

import ast
import functools
import hashlib
import importlib.util
import json
from pathlib import Path


@functools.cache
def tree(module: str) -> ast.Module:
    """Parse a module's file without importing it, documentation and signature types dropped."""
    package, *rest = module.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is no package on the path")
    path = Path(spec.submodule_search_locations[0], *rest)
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _documents(statement)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return tree


def _documents(statement: ast.stmt) -> bool:
    """Tell whether a statement is a string alone: a docstring, or what is said of a constant."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def used_by(body: list[ast.stmt], name: str) -> list[ast.stmt]:
    """Return the statements that bind ``name`` or what these use in turn; all if none binds it.

    A statement that binds nothing, such as a bare call, may change anything and is always kept.
    """
    body = [part for statement in body for part in _parts(statement)]
    if not any(name in (_bound(s) or ()) for s in body):
        return body
    needed, kept, size = {name}, [], -1
    while len(kept) > size:
        size = len(kept)
        kept = [s for s in body if (bound := _bound(s)) is None or bound & needed]
        needed |= {n.id for s in kept for n in ast.walk(s) if isinstance(n, ast.Name)}
    return kept


def _parts(statement: ast.stmt) -> list[ast.stmt]:
    """Return an import of several names as imports of one each."""
    match statement:
        case ast.Import(names=names):
            parts = [ast.Import([name]) for name in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            parts = [ast.ImportFrom(module, [name], level) for name in names]
        case _:
            return [statement]
    return [ast.copy_location(part, statement) for part in parts]


def _bound(statement: ast.stmt) -> set[str] | None:
    """Return the names that a statement binds or alters; None where that cannot be told."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            bound = {a.asname or a.name.partition(".")[0] for a in names}
            return None if "*" in bound else bound
        case ast.Assign(targets=targets):
            return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
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
    """Return a short hash of plain content."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
