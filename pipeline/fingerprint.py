"""What a trial's result depends on, as a hash: parameters, data, versions, and code.

The code is found in the import graph: the definitions that ``measure`` uses in its own module, all
that these import, the members of a registry folder that the trial names by a string, and the
readers of its data sets. It is compared as syntax trees without docstrings and annotations of
functions, so that a comment, a reformatting or a figure's caption changes nothing.
"""

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp

from pipeline.study import Study, Trial

PACKAGES = ("lightning_modules", "pipeline")
REGISTRY = "lightning_modules.registry"
DATA_SETS = "pipeline.datasets"
LIBRARIES = ("torch", "numpy", "pytorch-lightning")


def versions() -> dict[str, str]:
    """Return the libraries' versions without the build's local label."""
    return {name: importlib.metadata.version(name).split("+")[0] for name in LIBRARIES}


def needs(study: Study, trial: Trial) -> tuple[str, ...]:
    """Return the data sets of the trial's part that it names; all of them if it names none."""
    sets = study.of(trial).data
    return tuple(name for name in sets if name in trial.values()) or sets


class Fingerprints:
    """The hashes of a study's trials, for the sources as they are on the disk now."""

    def __init__(self, study: Study, data: Mapping[str, str]):
        """``data`` gives the hash of each of the study's data sets."""
        self._study, self._data, self._versions = study, data, versions()

    def of(self, trial: Trial) -> str:
        """Return the trial's hash."""
        data = {name: self._data[name] for name in needs(self._study, trial)}
        return _hash([trial, data, self._versions, self.code(trial)])

    def code(self, trial: Trial) -> str:
        """Return the hash of the code that can change the trial's result."""
        entry, modules = self._closure(trial)
        return _hash([entry, [(name, _source(name)) for name in sorted(modules)]])

    def reach(self, trial: Trial) -> frozenset[str]:
        """Return the project's modules that the trial may use, its own aside."""
        return self._closure(trial)[1]

    def _closure(self, trial: Trial) -> tuple[str, frozenset[str]]:
        measure = self._study.of(trial).measure
        words = {v for v in trial.values() if isinstance(v, str)}
        readers = {f"{DATA_SETS}.{name}" for name in needs(self._study, trial)}
        return _entry_and_closure(
            measure.__module__, measure.__name__, frozenset(words), frozenset(readers)
        )


def stale(study: Study, hashes: Mapping[str, str]) -> int:
    """Count the trials, canonical text -> code's hash, that the present code did not measure."""
    prints = Fingerprints(study, {})
    return sum(_code(prints, json.loads(text)) != code for text, code in hashes.items())


def _code(prints: Fingerprints, trial: Trial) -> str:
    try:
        return prints.code(trial)
    except KeyError:  # its part is gone
        return ""


@functools.cache
def _entry_and_closure(
    module: str, name: str, words: frozenset[str], readers: frozenset[str]
) -> tuple[str, frozenset[str]]:
    """Return the hash of what ``name`` uses in its module, and the modules that this leads to."""
    graph = _graph(module.partition(".")[0])
    used = _used(_tree(module).body, name)
    lines = {line for s in used for line in range(s.lineno, (s.end_lineno or s.lineno) + 1)}
    start = {
        imported
        for imported in graph.find_modules_directly_imported_by(module)
        for detail in graph.get_import_details(importer=module, imported=imported)
        if detail["line_number"] in lines
    }
    modules = _follow(graph, start | (readers & graph.modules))
    while more := _named(graph, modules, words) - modules:
        modules |= _follow(graph, more)
    own = modules | {p for m in modules for p in _parents(m)} - set(_parents(module))
    return _hash([_plain(s) for s in used]), frozenset(own)


def _follow(graph: grimp.ImportGraph, start: set[str]) -> set[str]:
    """Return the modules and all that they import, directly or not."""
    return start.union(*(graph.find_upstream_modules(module) for module in start))


def _named(graph: grimp.ImportGraph, modules: set[str], words: frozenset[str]) -> set[str]:
    """Return the members of the registry folders among the modules that a word names."""
    return {
        member
        for folder in modules
        if REGISTRY in graph.find_modules_directly_imported_by(folder)
        for member in graph.find_children(folder)
        if member.rpartition(".")[2] in words
    }


def _parents(module: str) -> Iterator[str]:
    while module := module.rpartition(".")[0]:
        yield module


@functools.cache
def _graph(package: str) -> grimp.ImportGraph:
    """Read the imports of the project, and of the package that the study lives in."""
    packages = dict.fromkeys([*PACKAGES, package])
    return grimp.build_graph(*packages, cache_dir=None, exclude_type_checking_imports=True)


@functools.cache
def _source(module: str) -> str:
    return _hash(_plain(_tree(module)))


@functools.cache
def _tree(module: str) -> ast.Module:
    """Parse a module's file without importing it, docstrings and signature types dropped."""
    package, *rest = module.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is no package on the path")
    path = Path(spec.submodule_search_locations[0], *rest)
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = node.body[ast.get_docstring(node) is not None :]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return tree


def _used(body: list[ast.stmt], name: str) -> list[ast.stmt]:
    """Return the statements that bind ``name`` or what these use in turn; all if none binds it.

    A statement that binds nothing, such as a bare call, may change anything and is always kept.
    """
    if not any(name in (_bound(s) or ()) for s in body):
        return body
    needed, kept, size = {name}, [], -1
    while len(kept) > size:
        size = len(kept)
        kept = [s for s in body if (bound := _bound(s)) is None or bound & needed]
        needed |= {n.id for s in kept for n in ast.walk(s) if isinstance(n, ast.Name)}
    return kept


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


def _plain(node: object) -> object:
    """Return a syntax tree as lists, empty fields left out, so that Python versions agree."""
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, ast.AST):
        fields = [(k, _plain(v)) for k, v in ast.iter_fields(node) if v is not None and v != []]
        return [type(node).__name__, *fields]
    return [_plain(n) for n in node] if isinstance(node, list) else repr(node)


def _hash(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
