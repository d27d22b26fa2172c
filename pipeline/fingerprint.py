"""What a trial's result depends on, as a hash: parameters, data, versions, and code.

The code is found in the import graph: the definitions that ``measure`` uses in its own module, all
that these import, the members of a registry folder that the trial names by a string, and the
readers of its data sets. It is compared as syntax trees without docstrings and annotations of
functions, so that a comment, a reformatting or a figure's caption changes nothing.
"""

import functools
import importlib.metadata
import json
from collections.abc import Iterator, Mapping

import grimp

from pipeline.study import Study, Trial
from pipeline.syntax import digest, plain, tree, used_by

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
        return digest([trial, data, self._versions, self.code(trial)])

    def code(self, trial: Trial) -> str:
        """Return the hash of the code that can change the trial's result."""
        entry, modules = self._closure(trial)
        return digest([entry, [(name, _source(name)) for name in sorted(modules)]])

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
