"""A study's table -> its page, its figures as files, its summary; and one page over all studies.

Everything shown is computed from ``rows/<scale>/<study>.parquet`` and the study's declaration; the
same table gives the same bytes, as long as the code that measured it is the present one.
"""

import base64
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import pyarrow

from lightning_modules.registry import nearest
from pipeline.running import fingerprint
from pipeline.running import journal as records
from pipeline.errors import UserError
from pipeline.reporting import prose
from pipeline.reporting.figures import words
from pipeline.reporting.findings import Findings
from pipeline.reporting.exhibits import cell
from pipeline.studies import STUDIES
from pipeline.study import Study

TEMPLATES = Path(__file__).parent / "templates"


def build(
    study: str,
    scale: str,
    root: Path = Path(),
    studies: Mapping[str, Study] = STUDIES,
) -> Path:
    """Write the page of a study and what belongs to it; return the folder.

    Args:
        study: its name.
        scale: its scale.
        root: the folder that holds ``rows`` and ``reports``.
        studies: the declarations by name.

    Raises:
        UserError: there is no such study, or it has no table that can be read.
    """
    if study not in studies:
        raise UserError(f"{study!r} is not a study: {nearest(study, studies)}")
    found = _findings(study, scale, root, studies)
    folder = root / "reports" / scale / study
    files = dict(_files(found))
    files["summary.json"] = json.dumps(found.summary(), indent=2, ensure_ascii=False) + "\n"
    files["index.html"] = _page("study.html.j2", found=found)
    for part in ("figures", "plots"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def index(scale: str, root: Path = Path(), studies: Mapping[str, Study] = STUDIES) -> Path:
    """Write the page over all studies that have a table at this scale; return it.

    Raises:
        UserError: none has.
    """
    names = [name for name in studies if _parquet(name, scale, root).exists()]
    if not names:
        raise UserError(f"{root / records.ROOT / scale}: holds no study's table: run dvc repro")
    found = [_findings(name, scale, root, studies) for name in names]
    page = root / "reports" / scale / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_page("index.html.j2", studies=found, scale=scale), encoding="utf-8")
    return page


def _findings(study: str, scale: str, root: Path, studies: Mapping[str, Study]) -> Findings:
    """Read a study's table, and count the trials that other code than the present measured."""
    table = _table(study, scale, root)
    stale = fingerprint.stale(studies[study], table.attrs["hashes"])
    return Findings(study, studies[study], table, stale)


def _parquet(study: str, scale: str, root: Path) -> Path:
    return records.parquet(study, scale, root / records.ROOT)


def _table(study: str, scale: str, root: Path) -> pd.DataFrame:
    """Read a study's table."""
    path = _parquet(study, scale, root)
    run = f"python -m pipeline run {study}"
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise UserError(f"{path}: not there; make it, at scale {scale}: {run}") from None
    except (pyarrow.ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise UserError(f"{path}: no readable table ({why}); make it again: {run}") from None


def _files(found: Findings) -> list[tuple[str, str]]:
    """Return the figures and their data by path within the study's folder."""
    drawn = [shown for shown in found.shown if shown.pictures]
    plots = [(f"plots/{s.declared.name}.csv", s.data.to_csv(index=False)) for s in drawn]
    pictures = [
        (f"figures/{s.declared.name}{suffix}.svg", picture)
        for s in drawn
        for suffix, picture in s.pictures.items()
    ]
    return plots + pictures


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
