"""What a trial's result depends on, as a hash: parameters, data, versions, and code.

The code is found in the import graph: the definitions that the part's Trial uses in its own module,
all that these import, the members of a registry folder that the trial names by a word, and the
readers of its data sets. It is compared as syntax trees without docstrings and annotations of
functions, so that a comment, a reformatting or a figure's caption changes nothing.
"""

import functools
import importlib.metadata
import re
from collections.abc import Iterator, Mapping

import grimp

from pipeline.running.syntax import digest, plain, tree, used_by
from pipeline.study import Entries, Study, datasets_of

PACKAGES = ("lightning_modules", "pipeline")
REGISTRY = "lightning_modules.registry"
DATA_SETS = "pipeline.data.sets"
LIBRARIES = ("torch", "numpy", "pytorch-lightning")
Modules = Mapping[str, str]
"""What code a trial reaches, module -> digest; ``module:Trial`` is what its own module adds."""


@functools.cache
def versions() -> dict[str, str]:
    """Return the libraries' versions without the build's local label."""
    return {name: importlib.metadata.version(name).split("+")[0] for name in LIBRARIES}


class Fingerprints:
    """The hashes of a study's trials, for the sources as they are on the disk now."""

    def __init__(self, study: Study):
        """Name the study."""
        self._study = study

    def of(self, entries: Entries, data: Mapping[str, str]) -> str:
        """Return the trial's hash; ``data`` gives that of each data set that it names."""
        return combined(entries, data, versions(), self.code(entries))

    def code(self, entries: Entries) -> str:
        """Return the hash of the code that can change the trial's result."""
        return self._reached(entries)[0]

    def modules(self, entries: Entries) -> Modules:
        """Return the code that can change the trial's result, module by module."""
        return self._reached(entries)[1]

    def _reached(self, entries: Entries) -> tuple[str, Modules]:
        kind = self._study.part_of(entries).trial
        words = {w for v in entries.values() if isinstance(v, str) for w in re.findall(r"\w+", v)}
        readers = {f"{DATA_SETS}.{name}" for name in datasets_of(entries)}
        return _reached(kind.__module__, kind.__name__, frozenset(words), frozenset(readers))


def combined(
    entries: Entries, data: Mapping[str, str], versions: Mapping[str, str], code: str
) -> str:
    """Return a trial's hash: of its entries, its data's hashes, the libraries and the code's."""
    said = {name: value for name, value in entries.items() if value is not None}
    return digest([said, {name: data[name] for name in datasets_of(entries)}, versions, code])


@functools.cache
def _reached(
    module: str, name: str, words: frozenset[str], readers: frozenset[str]
) -> tuple[str, Modules]:
    """Return the hash of all modules that a trial reaches, and each one's."""
    entry, modules = _entry_and_closure(module, name, words, readers)
    found = {f"{module}:{name}": entry, **{m: _source(m) for m in sorted(modules)}}
    return digest(found), found


@functools.cache
def _entry_and_closure(
    module: str, name: str, words: frozenset[str], readers: frozenset[str]
) -> tuple[str, frozenset[str]]:
    """Return the hash of what ``name`` uses in its module, and the modules that this leads to."""
    graph = _graph(module.partition(".")[0])
    used = used_by(tree(module).body, name)
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
    return digest([plain(s) for s in used]), frozenset(own)


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
    return digest(plain(tree(module)))
