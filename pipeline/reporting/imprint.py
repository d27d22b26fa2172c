"""A file beside each page that records its inputs and files: it tells whether the page is current.

The inputs are the study's journal, its file of parameters, all of the project's code except other
studies' declarations, and the libraries that compute and draw.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import params
from pipeline.running import fingerprint
from pipeline.running.journal import journal

FILE = ".page.json"
PIPELINE = Path(__file__).parents[1]
HOME, STUDIES = PIPELINE.parent, PIPELINE / "studies"
CODE = {".py", ".j2", ".css", ".js"}
LIBRARIES = (
    "altair",
    "jinja2",
    "pandas",
    "pillow",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "vl-convert-python",
)
Sources = Mapping[Path, str]
"""The digest of each file of the project's code."""


@dataclasses.dataclass(frozen=True)
class Imprint:
    """The record beside a page."""

    made_of: str
    """A digest of the page's inputs."""
    files: dict[str, str]
    """The digests of the page's own files, by path within the folder of all pages."""
    theme: str
    """The heading under which the page over all studies lists it."""
    entry: str
    """Its entry on that page, as HTML."""
    summary: dict[str, Any]
    """The study's numbers."""
    reproduced: list[dict[str, str]]
    """The published figures that its claims reproduce, with its own."""
    answer: str
    """The study's answer to its question."""


def folder_of(name: str, scale: str, root: Path) -> Path:
    """Return the folder of a study's page."""
    return root / "reports" / scale / name


def data_of(name: str, scale: str, root: Path) -> Path:
    """Return the folder of the data of a study's figures, which DVC plots."""
    return root / "reports" / scale / "plots" / name


def sources() -> Sources:
    """Return the digests of the project's code as it is on the disk now."""
    packages = PIPELINE, HOME / "lightning_modules"
    files = (path for package in packages for path in package.rglob("*"))
    return {path: _digest(path) for path in sorted(files) if path.suffix in CODE}


def made_of(name: str, scale: str, code: Sources) -> str:
    """Return a digest of the inputs of a study's page."""
    given = [journal(name, scale).path, params.FOLDER / f"{name}.yaml"]
    used = {str(path.relative_to(HOME)): of for path, of in code.items() if _may_use(name, path)}
    libraries = {library: importlib.metadata.version(library) for library in LIBRARIES}
    said = [[_digest(path) for path in given], used, libraries, fingerprint.versions()]
    return digest(json.dumps(said).encode())


def leave(folder: Path, imprint: Imprint) -> None:
    """Write the record into a page's folder."""
    text = json.dumps(dataclasses.asdict(imprint), ensure_ascii=False)
    (folder / FILE).write_text(text, encoding="utf-8")


def left(folder: Path) -> Imprint | None:
    """Return the record in a page's folder; None if there is none, or it cannot be read."""
    try:
        return Imprint(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_current(name: str, scale: str, root: Path) -> bool:
    """Return whether a page exists, is unchanged, and was made of the present inputs."""
    folder = folder_of(name, scale, root)
    imprint = left(folder)
    if imprint is None or imprint.made_of != made_of(name, scale, sources()):
        return False
    folders = folder, data_of(name, scale, root)
    there = (path for each in folders for path in each.rglob("*") if path.is_file())
    found = {path.relative_to(folder.parent).as_posix(): _digest(path) for path in there}
    return imprint.files == {k: v for k, v in found.items() if k != f"{name}/{FILE}"}


def digest(content: bytes) -> str:
    """Return the SHA-256."""
    return hashlib.sha256(content).hexdigest()


def _may_use(name: str, path: Path) -> bool:
    """Tell whether a study's page may depend on a file: studies do not use each other."""
    if not path.is_relative_to(STUDIES):
        return True
    return path.relative_to(STUDIES).parts[0] in ("__init__.py", name, f"{name}.py")


def _digest(path: Path) -> str:
    """Return a file's digest, empty where there is none."""
    try:
        return digest(path.read_bytes())
    except OSError:
        return ""
