"""Studies' pages -> one page, and one summary, over all of them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from lightning_modules.registry import nearest
from pipeline.errors import UserError
from pipeline.reporting import imprint, metrics
from pipeline.reporting.counts import Counts
from pipeline.reporting.placing import fill, locked
from pipeline.running.journal import replacing

THEMES = (
    "obtaining a gradient",
    "vanishing gradients and their cures",
    "learning rules",
    "pictures",
    "sequences",
    "energy",
)
"""The headings in their order; other themes follow."""


def build(
    scale: str, names: Iterable[str], root: Path = Path(), errors: Mapping[str, str] | None = None
) -> Path:
    """Write the page, the summary and what DVC compares, over the studies with a page; return it.

    Args:
        scale: their scale.
        names: which studies, in their order.
        root: the folder that holds ``reports``.
        errors: by study, why it has no current page, in one line.

    Raises:
        UserError: none has a page, or these cannot be written.
    """
    why = errors or {}
    found = {name: imprint.left(imprint.folder_of(name, scale, root)) for name in names}
    pages = {name: left for name, left in found.items() if left and name not in why}
    folder = imprint.folder_of("", scale, root)
    if not pages and not why:
        raise UserError(f"{folder}: holds no page of a study: python -m pipeline report")
    themes: dict[str, list[Markup]] = {theme: [] for theme in THEMES}
    for left in pages.values():
        entry = Markup(left.entry)  # nosec B704 - it was escaped when it was made
        themes.setdefault(left.theme, []).append(entry)
    shown = {theme: entries for theme, entries in themes.items() if entries}
    numbers = {name: left.summary for name, left in pages.items()}
    compared = {name: metrics.of_page(left) for name, left in pages.items()}
    rows = [row for left in pages.values() for row in left.reproduced]
    files = {
        "index.html": fill("index.html.j2", {}, scale=scale, themes=shown, errors=why, rows=rows),
        "record.html": fill("record.html.j2", {}, scale=scale, rows=rows),
        "summary.json": json.dumps(numbers, indent=2, ensure_ascii=False) + "\n",
        "metrics.json": json.dumps(compared, indent=2, ensure_ascii=False) + "\n",
    }
    with locked(folder):
        for name, text in files.items():
            with replacing(folder / name) as draft:
                draft.write_bytes(text.encode())
    return folder / "index.html"


def row(
    name: str, scales: Sequence[str], names: Sequence[str], root: Path = Path()
) -> dict[str, str]:
    """Return a row of the record of published figures, as last reproduced at the first such scale.

    Raises:
        UserError: no page at any of the scales has a row of that name.
    """
    known: dict[str, dict[str, str]] = {}
    for scale in scales:
        for study in names:
            if left := imprint.left(imprint.folder_of(study, scale, root)):
                known = {of["row"]: of for of in left.reproduced} | known
    if name not in known:
        near = nearest(name, known) if known else "no page there holds any: run some studies"
        at = " or ".join(scales)
        raise UserError(f"{name!r} is no row of the record at scale {at}: {near}")
    return known[name]


def verdicts(scale: str, names: Iterable[str], root: Path = Path()) -> Iterator[str]:
    """Iterate over lines, one for each study with a page: its verdicts' counts, its page's path."""
    for name in names:
        folder = imprint.folder_of(name, scale, root)
        if left := imprint.left(folder):
            counts, trials = Counts(**left.summary["claims"]), left.summary["trials"]
            missing = trials["asked"] - trials["finished"]
            of = f", {missing} of {trials['asked']} trials missing" if missing else ""
            yield f"{name}: {counts.words()}{of}: {folder / 'index.html'}"
