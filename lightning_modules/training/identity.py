"""A short hash of all that a run is a function of, so that only the same run resumes a checkpoint.

Objects are hashed by class and content: numbers, text, tensors and arrays by value, functions by
their code and closures, all else by its attributes. So a run with another learning rate, other
initial weights, or another option of the task or of a probe has another hash.
"""

import functools
import hashlib
import io
import pickle
import types
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_OF_MODULES = frozenset(vars(nn.Module()))
"""What torch keeps in every module, hooks among it."""


def identity(*parts: Any) -> str:
    """Return twelve hexadecimal digits that stand for these objects as they are now."""
    walk = _Walk()
    walk.take(torch.__version__)
    for part in parts:
        walk.take(part)
    return walk.hash.hexdigest()[:12]


class _Walk:
    """A way through objects, each gone into once."""

    def __init__(self):
        self.hash = hashlib.sha256()
        self._seen: dict[int, tuple[int, Any]] = {}

    def take(self, value: Any) -> None:
        """Add a value to the hash."""
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
            self._note(type(value).__name__, repr(value))
        elif id(value) in self._seen:
            self._note("again", self._seen[id(value)][0])
        else:
            self._seen[id(value)] = len(self._seen), value  # kept alive, so that its id stays taken
            self._go_into(value)

    def _go_into(self, value: Any) -> None:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        if isinstance(value, Tensor):
            self._note(kind, value.dtype, tuple(value.shape), value.requires_grad)
            flat = value.detach().cpu().contiguous().flatten()
            self.hash.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
        elif isinstance(value, np.ndarray) and value.dtype != object:
            self._note(kind, value.dtype, value.shape)
            self.hash.update(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, (list, tuple, dict, set, frozenset)):
            self._note(kind, len(value))
            for one in _in_order(value):
                self.take(one)
        elif isinstance(value, functools.partial):
            self._note(kind)
            self.take((value.func, value.args, value.keywords))
        elif isinstance(value, nn.Module):
            self._note(kind)
            self.take(_of_module(value))
        elif isinstance(value, torch.Generator):
            self._note(kind)
            self.take(value.get_state())
        elif hasattr(value, "__qualname__"):  # a class or a function
            self._note(kind, getattr(value, "__module__", ""), getattr(value, "__qualname__", ""))
            if isinstance(value, types.FunctionType):
                self.take(_does(value))
        else:
            self._note(kind)
            self._take_object(value)

    def _take_object(self, value: Any) -> None:
        """Hash the attributes; of an object without any, its pickle."""
        if hasattr(value, "__dict__"):
            self.take(vars(value))
        else:
            file = io.BytesIO()
            try:
                pickle.Pickler(file).dump(value)
            except Exception:  # noqa: BLE001 - its class has to do
                return
            self.hash.update(file.getvalue())

    def _note(self, *words: Any) -> None:
        self.hash.update(" ".join(map(str, words)).encode() + b"\0")


def _does(function: types.FunctionType) -> tuple[Any, ...]:
    """Return a function's code, its defaults, and what it closes over."""
    empty = types.CellType()  # of a name that is not bound yet
    closed = [cell.cell_contents for cell in function.__closure__ or () if cell != empty]
    return _plain(function.__code__), function.__defaults__, function.__kwdefaults__, closed


def _plain(code: types.CodeType) -> tuple[Any, ...]:
    """Return what a function does: its instructions, the constants and names that they use."""
    constants = [_plain(c) if isinstance(c, types.CodeType) else c for c in code.co_consts[:]]
    return code.co_code, constants, code.co_names


def _in_order(value: Any) -> list[Any]:
    """Return what a collection holds; the elements of a set sorted by ``repr``."""
    if isinstance(value, dict):
        return [part for item in value.items() for part in item]
    return sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value)


def _of_module(module: nn.Module) -> dict[str, Any]:
    """Return a module's weights, parts and options."""
    held = vars(module)
    parts = {name: held[name] for name in ("training", "_parameters", "_buffers", "_modules")}
    return parts | {name: v for name, v in held.items() if name not in _OF_MODULES}
