"""A study's journal -> its page, its figures as files, its summary; and one page over all studies.

Everything shown is computed from ``rows/<scale>/<study>.jsonl`` and the study's declaration: the
same two give the same bytes. Only which trials are stale depends on the code as it is now.
"""

import base64
import contextlib
import fcntl
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from pipeline.errors import UserError
from pipeline.reporting import imprint, prose
from pipeline.reporting.exhibits import cell
from pipeline.reporting.figures import words
from pipeline.reporting.findings import Findings
from pipeline.running.jobs import Job
from pipeline.running.journal import replacing

TEMPLATES = Path(__file__).parent / "templates"
ROWS = "rows.parquet"
"""The page's table, for whoever goes on from it with pandas."""
SUMMARY = "summary.json"
_SOURCES = imprint.sources()
"""The code as it was when this process imported it."""


def build(job: Job, root: Path = Path()) -> Path:
    """Write the page of a study and what belongs to it, whole or not at all; return the folder.

    Args:
        job: the study at a scale; trials may be missing, and the page says so.
        root: the folder that holds ``reports``.

    Raises:
        UserError: none of its trials has ended, or the page cannot be written.
    """
    made_of = imprint.made_of(job.name, job.scale, _SOURCES)
    found = Findings(job)
    if not found.finished and not found.failures:
        line = f"{job.journal.path}: holds no trial that is asked for; run some: {found.command}"
        raise UserError(line)
    folder, summary = imprint.folder_of(job.name, job.scale, root), found.summary()
    texts = {**dict(_texts(found)), SUMMARY: _json(summary)}
    files = {name: text.encode() for name, text in texts.items()} | {ROWS: _parquet(found.rows)}
    entry = _page("entry.html.j2", found=found)
    digests = {name: imprint.digest(content) for name, content in sorted(files.items())}
    with _written(folder.parent), _replacing(folder) as draft:
        for part in ("figures", "plots"):
            (draft / part).mkdir()
        for name, content in files.items():
            (draft / name).write_bytes(content)
        imprint.leave(draft, imprint.Imprint(made_of, digests, entry, summary))
    return folder


def index(
    scale: str, names: Iterable[str], root: Path = Path(), errors: Mapping[str, str] | None = None
) -> Path:
    """Write the page, and the summary, over the studies that have a page; return the page.

    Args:
        scale: their scale.
        names: which studies, in their order.
        root: the folder that holds ``reports``.
        errors: why a study has no page that could be built now, in one line.

    Raises:
        UserError: none has a page, or the pages cannot be written.
    """
    why = errors or {}
    found = {name: imprint.left(imprint.folder_of(name, scale, root)) for name in names}
    pages = {name: left for name, left in found.items() if left and name not in why}
    page = imprint.folder_of("index.html", scale, root)
    if not pages:
        raise UserError(f"{page.parent}: holds no page of a study: python -m pipeline report")
    entries = [Markup(left.entry) for left in pages.values()]  # escaped when it was made
    text = _page("index.html.j2", scale=scale, entries=entries, errors=why)
    numbers = _json({name: left.summary for name, left in pages.items()})
    with _written(page.parent):
        for path, content in ((page, text), (page.with_name(SUMMARY), numbers)):
            with replacing(path) as draft:
                draft.write_bytes(content.encode())
    return page


def _texts(found: Findings) -> Iterator[tuple[str, str]]:
    """Yield the page, its figures and their data, by path within the study's folder."""
    for exhibit in found.exhibits:
        name = exhibit.declared.name
        for suffix, picture in exhibit.pictures.items():
            yield f"figures/{name}{suffix}.svg", picture
        if exhibit.pictures:
            yield f"plots/{name}.csv", exhibit.data.to_csv(index=False)
    yield "index.html", _page("study.html.j2", found=found)


def _json(numbers: Mapping[str, Any]) -> str:
    return json.dumps(numbers, indent=2, ensure_ascii=False) + "\n"


def _parquet(rows: pd.DataFrame) -> bytes:
    """Return the table as parquet; a column that mixes words and numbers is of words."""
    plain, file = rows.copy(), io.BytesIO()
    for name in rows:
        if rows[name].dtype == object and len({type(v) for v in rows[name].dropna()}) > 1:
            plain[name] = rows[name].map(str, na_action="ignore")
    plain.to_parquet(file)
    return file.getvalue()


@contextlib.contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Keep other writers of a folder away meanwhile; UserError where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
    except OSError as error:
        why = f"{error.strerror or error}"
        raise UserError(f"{folder}: cannot be written ({why}); what was there stands") from None


@contextlib.contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Lend an empty folder that takes the place of ``folder`` when the block ends well."""
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


def _page(template: str, **shown: Any) -> str:
    """Fill a template."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"prose": prose.render, "references": prose.references, "uri": _uri}
    environment.filters |= {"cell": cell, "numeric": _numeric, "words": words}
    return environment.get_template(template).render(**shown)


def _uri(picture: str) -> str:
    """Return an SVG as an address that holds all of it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"


def _numeric(data: pd.DataFrame) -> list[bool]:
    """Return, for each column, whether its entries are numbers or words that read as numbers."""
    columns = (data.iloc[:, i] for i in range(data.shape[1]))
    return [bool(pd.to_numeric(c, errors="coerce").notna().eq(c.notna()).all()) for c in columns]
