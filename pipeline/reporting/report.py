"""A study's journal -> its page, its figures as files, its summary and its table.

Everything shown is computed from ``rows/<scale>/<study>.jsonl`` and the study's declaration: the
same two give the same bytes. Only which trials are stale depends on the code as it is now.
"""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import UserError
from pipeline.reporting import imprint, prose, runtime
from pipeline.reporting.exhibits import cell
from pipeline.reporting.figures import words
from pipeline.reporting.findings import Findings
from pipeline.reporting.placing import fill, locked, replacing
from pipeline.running.jobs import Job

ROWS = "rows.parquet"
"""The file with the page's rows, for use with pandas."""
SUMMARY = "summary.json"
_SOURCES = imprint.sources()
"""The code as it was when this process imported it."""


def build(job: Job, root: Path = Path()) -> Path:
    """Write the page of a study and its files, all or none; return the folder.

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
    summary, page = found.summary(), {**dict(_texts(found)), ROWS: _parquet(found.rows)}
    page[SUMMARY] = _json(summary).encode()
    data = {
        f"{exhibit.declared.name}.csv": exhibit.data.to_csv(index=False).encode()
        for exhibit in found.exhibits
        if exhibit.drawn
    }
    entry = fill("entry.html.j2", FILTERS, found=found)
    folder, beside = (of(job.name, job.scale, root) for of in (imprint.folder_of, imprint.data_of))
    made = found.study.theme, entry, summary, found.reproduced, found.answer
    contents = {
        (place / name).relative_to(folder.parent).as_posix(): imprint.digest(content)
        for place, files in ((folder, page), (beside, data))
        for name, content in sorted(files.items())
    }
    runtime.put(folder.parent)
    with locked(beside.parent), replacing(folder) as draft, replacing(beside) as plots:
        (draft / "figures").mkdir()
        for place, files in ((draft, page), (plots, data)):
            for name, content in files.items():
                (place / name).write_bytes(content)
        imprint.leave(draft, imprint.Imprint(made_of, contents, *made))
    return folder


def _texts(found: Findings) -> Iterator[tuple[str, bytes]]:
    """Yield the page and its figures, by path within the study's folder."""
    for exhibit in found.exhibits:
        if exhibit.drawn:
            yield f"figures/{exhibit.declared.name}.svg", exhibit.drawn.svg.encode()
            yield f"figures/{exhibit.declared.name}.png", exhibit.drawn.png
    yield "index.html", fill("study.html.j2", FILTERS, found=found, runtime=runtime.NAME).encode()


def _json(numbers: Mapping[str, Any]) -> str:
    return json.dumps(numbers, indent=2, ensure_ascii=False) + "\n"


def _parquet(rows: pd.DataFrame) -> bytes:
    """Return the rows as parquet; a column that mixes words and numbers is written as words."""
    plain, file = rows.copy(), io.BytesIO()
    for name in rows:
        if rows[name].dtype == object and len({type(v) for v in rows[name].dropna()}) > 1:
            plain[name] = rows[name].map(str, na_action="ignore")
    plain.to_parquet(file)
    return file.getvalue()


def _numeric(data: pd.DataFrame) -> list[bool]:
    """Return, for each column, whether its entries are numbers or words that read as numbers."""
    columns = (data.iloc[:, i] for i in range(data.shape[1]))
    return [bool(pd.to_numeric(c, errors="coerce").notna().eq(c.notna()).all()) for c in columns]


FILTERS = {
    "cell": cell,
    "inline": prose.inline,
    "numeric": _numeric,
    "prose": prose.render,
    "references": prose.references,
    "words": words,
}
