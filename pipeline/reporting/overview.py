"""Studies' pages -> one page, and one summary, over all of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from markupsafe import Markup

from pipeline.errors import UserError
from pipeline.reporting import imprint
from pipeline.reporting.placing import fill, locked
from pipeline.running.journal import replacing


def build(
    scale: str, names: Iterable[str], root: Path = Path(), errors: Mapping[str, str] | None = None
) -> Path:
    """Write the page, and the summary, over the studies that have a page; return the page.

    Args:
        scale: their scale.
        names: which studies, in their order.
        root: the folder that holds ``reports``.
        errors: why a study has no page of what there is now, in one line.

    Raises:
        UserError: none has a page, or these cannot be written.
    """
    why = errors or {}
    found = {name: imprint.left(imprint.folder_of(name, scale, root)) for name in names}
    pages = {name: left for name, left in found.items() if left and name not in why}
    folder = imprint.folder_of("", scale, root)
    if not pages and not why:
        raise UserError(f"{folder}: holds no page of a study: python -m pipeline report")
    # Escaped when they were made.
    entries = [Markup(left.entry) for left in pages.values()]  # nosec B704
    numbers = {name: left.summary for name, left in pages.items()}
    files = {
        "index.html": fill("index.html.j2", {}, scale=scale, entries=entries, errors=why),
        "summary.json": json.dumps(numbers, indent=2, ensure_ascii=False) + "\n",
    }
    with locked(folder):
        for name, text in files.items():
            with replacing(folder / name) as draft:
                draft.write_bytes(text.encode())
    return folder / "index.html"


def verdicts(scale: str, names: Iterable[str], root: Path = Path()) -> Iterator[str]:
    """Say of each study that has a page what held and what was missed, and where to look."""
    for name in names:
        folder = imprint.folder_of(name, scale, root)
        if left := imprint.left(folder):
            counts, trials = left.summary["predictions"], left.summary["trials"]
            missing = trials["asked"] - trials["finished"]
            of = f", {missing} of {trials['asked']} trials missing" if missing else ""
            yield (
                f"{name}: {counts['held']} predictions hold, {counts['missed']} missed{of}: "
                f"{folder / 'index.html'}"
            )
