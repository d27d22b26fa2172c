"""What a trial's result depends on, as a hash: parameters, data, versions, and code.

The code is followed definition by definition: what the part's Trial uses in its own module, what
that imports and what the imported definitions use in turn, the members of a registry folder that
the trial names by a word, and the readers of its data sets. A comment, a reformatting, a figure's
caption or a function that the trial does not use does not change the hash.

If it cannot be told which definitions of a module are used, all of them count. A statement that
binds no name, such as a bare call, may change anything, so it always counts.
"""

import functools
import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping

from pipeline.running.syntax import EVERYTHING, Import, Statement, digest, path_of, statements
from pipeline.study import Entries, Study, datasets_of

PACKAGES = ("lightning_modules", "pipeline")
REGISTRY = "lightning_modules.registry"
DATA_SETS = "pipeline.data.sets"
SOURCES = "pipeline.data.sources"
"""The module of where data come from; it does not count, since the data's own hash does."""
LIBRARIES = ("torch", "numpy", "pytorch-lightning")
Definition = tuple[str, str]
"""A module, and the name of something in it; EVERYTHING for all of it."""
Modules = Mapping[str, str]
"""The code that a trial reaches: module -> digest; ``module:Trial`` is the Trial and its needs."""


@functools.cache
def versions() -> dict[str, str]:
    """Return the libraries' versions without the build's local label."""
    return {name: importlib.metadata.version(name).split("+")[0] for name in LIBRARIES}


class Fingerprints:
    """The hashes of a study's trials, for the sources as they are on the disk now."""

    def __init__(self, study: Study):
        """Take the study whose trials are hashed."""
        self._study = study
        self._known: dict[tuple[tuple[str, str], ...], tuple[str, Modules]] = {}

    def of(self, entries: Entries, data: Mapping[str, str]) -> str:
        """Return the trial's hash; ``data`` gives the hash of each data set that it names."""
        return combined(entries, data, versions(), self.code(entries))

    def code(self, entries: Entries) -> str:
        """Return the hash of the code that can change the trial's result."""
        return self._reached(entries)[0]

    def modules(self, entries: Entries) -> Modules:
        """Return the code that can change the trial's result, module by module."""
        return self._reached(entries)[1]

    def _reached(self, entries: Entries) -> tuple[str, Modules]:
        texts = tuple((name, value) for name, value in entries.items() if isinstance(value, str))
        if texts not in self._known:
            kind = self._study.part_of(entries).trial
            words = {word for _, text in texts for word in re.findall(r"\w+", text)}
            readers = {f"{DATA_SETS}.{name}" for name in datasets_of(entries)}
            self._known[texts] = _reached(
                kind.__module__, kind.__name__, frozenset(words), frozenset(readers)
            )
        return self._known[texts]


def combined(
    entries: Entries, data: Mapping[str, str], versions: Mapping[str, str], code: str
) -> str:
    """Return a trial's hash, of its entries, its data sets' hashes, versions and code hash."""
    said = {name: value for name, value in entries.items() if value is not None}
    return digest([said, {name: data[name] for name in datasets_of(entries)}, versions, code])


@functools.cache
def _reached(
    module: str, name: str, words: frozenset[str], readers: frozenset[str]
) -> tuple[str, Modules]:
    """Return the hash of all code that a trial reaches, and that of each module's part in it."""
    packages = {*PACKAGES, module.partition(".")[0]}
    start: list[Definition] = [(module, name)]
    start += [(reader, EVERYTHING) for reader in readers if path_of(reader)]
    reached = _follow(start, packages)
    while more := {(m, EVERYTHING) for m in _named(reached, words)} - reached:
        reached |= _follow(more, packages)
    by_module: dict[str, set[str]] = {}
    for home, each in reached - {(module, name)}:
        by_module.setdefault(home, set()).add(each)
    for parent in {p for m in by_module for p in _parents(m)} - {*_parents(module)}:
        by_module.setdefault(parent, set()).add(EVERYTHING)
    found = {f"{module}:{name}": _digest(module, frozenset({name}))}
    found |= {m: _digest(m, frozenset(by_module[m])) for m in sorted(by_module)}
    return digest(found), found


def _follow(start: Iterable[Definition], packages: set[str]) -> set[Definition]:
    """Return the definitions and all that they use, directly or not."""
    reached, left = set(start), list(start)
    while left:
        for used in _used(*left.pop()):
            if used not in reached and used[0].partition(".")[0] in packages:
                reached.add(used)
                left.append(used)
    return reached


@functools.cache
def _used(module: str, name: str) -> frozenset[Definition]:
    """Return the definitions in other modules that one uses directly."""
    every = statements(module)
    kept = [every[place] for place in _kept(module, name)]
    uses = {use for statement in kept for use in statement.uses} | {name}
    found = {d for s in kept for i in s.imports for d in _imported(i, uses, name == EVERYTHING)}
    return frozenset(d for d in found if d[0] != SOURCES)


def _imported(imported: Import, uses: set[str], whole: bool) -> Iterator[Definition]:
    """Iterate over the definitions that an imported name refers to in its uses."""
    module, name, alias = imported
    inner = f"{module}.{name}" if name else module
    if name != EVERYTHING and path_of(inner):
        wanted = {use for use in uses if use.partition(".")[0] == alias}
        if whole or alias in wanted:
            yield inner, EVERYTHING
            return
        for use in wanted:
            attribute = use.partition(".")[2]
            below = f"{inner}.{attribute}"
            yield (below, EVERYTHING) if path_of(below) else (inner, attribute)
    elif path_of(module):
        yield module, name


@functools.cache
def _kept(module: str, name: str) -> tuple[int, ...]:
    """Return the places of the statements that bind ``name`` or what these use in turn.

    If no statement binds it, all of the module's are returned.
    """
    every = statements(module)
    if not any(name in (s.binds or ()) for s in every):
        return tuple(range(len(every)))
    needed, kept = {name}, dict[int, Statement]()
    while True:
        more = {
            place: s
            for place, s in enumerate(every)
            if place not in kept and (s.binds is None or s.binds & needed)
        }
        if not more:
            return tuple(sorted(kept))
        kept |= more
        needed |= {use.partition(".")[0] for s in more.values() for use in s.uses}


@functools.cache
def _digest(module: str, names: frozenset[str]) -> str:
    """Return the hash of the statements of a module that some of its names need."""
    places = sorted({place for name in names for place in _kept(module, name)})
    return digest([statements(module)[place].digest for place in places])


def _named(reached: set[Definition], words: frozenset[str]) -> Iterator[str]:
    """Iterate over the members, named by one of the words, of the registries that were reached."""
    for module in {module for module, _ in reached}:
        if _is_registry(module):
            yield from (f"{module}.{word}" for word in words if path_of(f"{module}.{word}"))


@functools.cache
def _is_registry(module: str) -> bool:
    path = path_of(module)
    if path is None or path.name != "__init__.py":
        return False
    return any(i.module == REGISTRY for s in statements(module) for i in s.imports)


def _parents(module: str) -> Iterator[str]:
    while module := module.rpartition(".")[0]:
        yield module
