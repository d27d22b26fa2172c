"""Checkpoints: tensors and plain data in one file, with a checksum; reading one runs no code.

    magic, SHA-256 of the rest, then what torch.save writes

A file is replaced whole or not at all. It is read by torch's ``weights_only`` loader, which builds
only what is allowed: tensors, numbers, text, and the record classes of which an algorithm's memory
is made. These are this project's (or the algorithm's own module's) and only hold values. A file
that is damaged, or asks for anything else, is set aside, and the run starts anew.
"""

import hashlib
import io
import os
import pathlib
import pickle
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, final

import torch
from pytorch_lightning.plugins.io import CheckpointIO
from torch import nn

from lightning_modules.interfaces import Algorithm

MAGIC = b"gradient-dynamics checkpoint 1\n"
_DIGEST = hashlib.sha256().digest_size
_ROOMS = "lightning_modules.algorithms.", "lightning_modules.cells."


@final
class Checkpoints(CheckpointIO):
    """How Lightning writes and reads them."""

    def __init__(self, records: Iterable[type]):
        """Allow the ``records`` beside tensors and plain data."""
        self._records = list(records)

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None):
        """Write a file; TypeError for what could not be read again."""
        del storage_options
        path, file = pathlib.Path(path), io.BytesIO()
        torch.save(checkpoint, file)
        with torch.serialization.safe_globals(list(self._records)):
            file.seek(0)
            foreign = torch.serialization.get_unsafe_globals_in_checkpoint(file)
        if foreign:
            raise TypeError(
                f"a checkpoint would hold {', '.join(foreign)}: let the algorithm's memory be of "
                "tensors, plain data, and records of its own module"
            )
        content = file.getbuffer()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as out:
            out.write(MAGIC + hashlib.sha256(content).digest())
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: Any = True):
        """Return what a file holds; UnpicklingError for one that is damaged or asks for more."""
        del map_location, weights_only
        content = pathlib.Path(path).read_bytes()
        start = len(MAGIC) + _DIGEST
        digest, content = content[len(MAGIC) : start], memoryview(content)[start:]
        if hashlib.sha256(content).digest() != digest:
            raise pickle.UnpicklingError("its checksum is another")
        return loaded(content, "cpu", self._records)

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a file."""
        pathlib.Path(path).unlink(missing_ok=True)

    def usable(self, path: pathlib.Path) -> bool:
        """Tell whether there is a file to go on from; one that cannot be read is set aside."""
        if not path.exists():
            return False
        try:
            self.load_checkpoint(path)
        except Exception as error:  # noqa: BLE001 - a file that was planted can raise anything
            aside = path.with_suffix(".damaged")
            path.replace(aside)
            reason = " ".join(str(error).split())[:200]
            warnings.warn(
                f"the checkpoint {path.name} cannot be read and was set aside as {aside.name}, "
                f"the run starts anew: {reason}",
                stacklevel=2,
            )
            return False
        return True


def loaded(content: Any, device: Any, records: Sequence[type]) -> Any:
    """Return what torch.save wrote, on a device; UnpicklingError for what is not allowed."""
    with torch.serialization.safe_globals(list(records)), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a file not of ours may not be readable: it is tried
        return torch.load(io.BytesIO(content), device, weights_only=True)


def on_device(value: Any, device: torch.device, records: Sequence[type]) -> Any:
    """Return tensors, plain data and records with all tensors on a device, shared as they were."""
    if device.type == "cpu":
        return value
    file = io.BytesIO()
    torch.save(value, file)
    return loaded(file.getbuffer(), device, records)


def records_of(*objects: Any) -> list[type]:
    """Return the record classes that a memory may be made of.

    They are those of the imported files of ``algorithms`` and ``cells``, and of the modules that
    define these objects' classes. Modules and algorithms are no records: their constructors do
    more than hold values.
    """
    own = {kind.__module__ for one in objects for kind in type(one).__mro__}
    own -= {"builtins", "abc", "typing", *(m for m in own if m.partition(".")[0] == "torch")}
    names = own | {name for name in sys.modules if name.startswith(_ROOMS)}
    records: list[type] = [slice]
    for name in sorted(names):
        defined = (
            kind
            for kind in vars(sys.modules[name]).values()
            if isinstance(kind, type) and kind.__module__ == name
        )
        records.extend(kind for kind in defined if _holds(kind))
    return records


def _holds(kind: type) -> bool:
    """Tell whether a class only holds values; outside of the project only named tuples count."""
    if issubclass(kind, (nn.Module, Algorithm, BaseException)):
        return False
    return kind.__module__.startswith(_ROOMS) or hasattr(kind, "_fields")
