"""Templates -> files on the disk: filling them, and replacing folders wholly or not at all."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2

from pipeline.errors import UserError

TEMPLATES = Path(__file__).parent / "templates"


def fill(
    template: str,
    filters: Mapping[str, Callable[..., Any]],
    folder: Path = TEMPLATES,
    /,
    **shown: Any,
) -> str:
    """Return a filled template of a folder; values that are not ``Markup`` are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    return environment.get_template(template).render(**shown)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other writers during the block; UserError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"{folder}: cannot be written ({why}); what was there stands") from None


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Give an empty folder that replaces ``folder`` if the block ends without error."""
    draft, former = (folder.with_name(f".{folder.name}.{what}") for what in ("draft", "former"))
    for left in (draft, former):
        shutil.rmtree(left, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        if folder.exists():
            folder.rename(former)
        draft.rename(folder)
    finally:
        for left in (draft, former):
            shutil.rmtree(left, ignore_errors=True)
