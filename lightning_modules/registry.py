"""The folder is the registry: one file, one public object, known by the file's name.

Members are imported only when they are looked up, so a worker loads just what it uses, and
``lookups`` can tell which members a piece of work used.
"""

import contextlib
import contextvars
import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T")
_SEEN: contextvars.ContextVar[set[str] | None] = contextvars.ContextVar("seen", default=None)


class UnknownNameError(KeyError):
    """A name that is no file of the folder."""

    def __str__(self) -> str:
        """Return the message itself; KeyError would put it in quotes."""
        return str(self.args[0])


class Registry(Mapping[str, T]):
    """The public objects of a folder, by file name, in alphabetical order."""

    def __init__(self, package: str, path: Iterable[str], pick: Callable[[ModuleType], T]):
        """List the folder ``path`` of ``package``; ``pick`` takes the object out of a module."""
        self.package, self._pick = package, pick
        self._names = sorted(m.name for m in pkgutil.iter_modules(path) if m.name[0] != "_")

    def __getitem__(self, name: str) -> T:
        """Import the file ``name`` and return its object; UnknownNameError if there is none."""
        if name not in self._names:
            kind = self.package.rpartition(".")[2]
            raise UnknownNameError(f"{name!r} is not one of the {kind}: {nearest(name, self)}")
        module = f"{self.package}.{name}"
        seen = _SEEN.get()
        if seen is not None:
            seen.add(module)
        return self._pick(importlib.import_module(module))

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a file without importing it, as Mapping's own would."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names without importing anything."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._names)


def discover(package: str, path: Iterable[str], contract: str) -> Registry[Any]:
    """Return a folder's registry: of each file, its one public class that fulfils a contract.

    The contract is named as ``module:Class`` and imported with the first member, so that listing
    names imports nothing. Constructors differ between classes, so the type of members is ``Any``.
    Looking up a file with no such class, or several, raises TypeError.
    """

    def pick(module: ModuleType) -> type:
        home, _, name = contract.partition(":")
        base = getattr(importlib.import_module(home), name)
        public = [
            c
            for name, c in inspect.getmembers(module, inspect.isclass)
            if c.__module__ == module.__name__ and issubclass(c, base) and name[0] != "_"
        ]
        if len(public) != 1:
            raise TypeError(f"{module.__name__} must define one {base.__name__}, not {public}")
        return public[0]

    return Registry(package, path, pick)


class _Files(Registry[T]):
    """A registry of a folder's files without its subfolders, which are registries of their own."""

    def __init__(self, package: str, path: Iterable[str], pick: Callable[[ModuleType], T]):
        super().__init__(package, path, pick)
        below = {m.name for m in pkgutil.iter_modules(path) if m.ispkg}
        self._names = [name for name in self._names if name not in below]


def discover_files(package: str, path: Iterable[str], contract: str) -> Registry[Any]:
    """Return what ``discover`` does, without the folder's subfolders."""
    return _Files(package, path, discover(package, path, contract)._pick)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return the sentence that lists what is allowed, the nearest name first."""
    allowed = list(allowed)
    close = difflib.get_close_matches(str(name), allowed, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}allowed: {', '.join(allowed)}"


@contextlib.contextmanager
def lookups() -> Iterator[set[str]]:
    """Collect the modules that are looked up in any registry while the block runs."""
    seen: set[str] = set()
    token = _SEEN.set(seen)
    try:
        yield seen
    finally:
        _SEEN.reset(token)
