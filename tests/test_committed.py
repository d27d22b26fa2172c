"""What is committed of scale standard: pages that are what their journals and the code make them.

No claim is decided without an interval, or checks what was not stated, and each study answers.

A page whose journal is partly of earlier code says so, and may differ from the committed one; what
its claims now read may not be in its rows.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from pipeline import params
from pipeline.reporting import imprint
from pipeline.studies import STUDIES
from pipeline.study import UNDECIDED

ROOT = Path(__file__).parents[1]
OWED: set[str] = {
    "language_model",
    "sequence_modes",
}
"""Studies whose run at scale standard is not whole yet, though rows of it may be committed: who
finishes one takes it out of here."""
JOURNALS = sorted(
    file for file in (ROOT / "rows" / "standard").glob("*.jsonl") if file.stem not in OWED
)
HEAVY = {"torch", "pytorch_lightning", "ray", "mlflow"}
IGNORED = {imprint.FILE, "rows.parquet"}


def test_every_study_has_its_journal_and_its_page_committed_but_for_what_is_owed():
    committed = [journal.stem for journal in JOURNALS]
    assert committed == [study for study in STUDIES if study not in OWED]
    pages = {page.parent.name for page in (ROOT / "reports" / "standard").glob("*/index.html")}
    assert sorted(pages - OWED) == committed


def test_no_two_rows_of_the_record_have_one_name():
    left = (imprint.left(ROOT / "reports" / "standard" / journal.stem) for journal in JOURNALS)
    rows = [row["row"] for page in left if page for row in page.reproduced]
    assert len(rows) > 30
    assert len(set(rows)) == len(rows)


def test_each_page_is_what_its_journal_makes_it_or_says_that_earlier_code_measured(tmp_path: Path):
    names = [journal.stem for journal in JOURNALS]
    spawn = multiprocessing.get_context("spawn")
    # A process a page: what one is kept from drawing, the next draws.
    with ProcessPoolExecutor(2, spawn, max_tasks_per_child=1) as processes:
        faults = list(processes.map(_fault, names, [tmp_path] * len(names)))
    assert not any(faults), "\n".join(filter(None, faults))


def _fault(name: str, root: Path) -> str:
    """Build a page in a process that draws nothing where the page is stale; say what is wrong."""
    from pipeline.reporting import figures, report
    from pipeline.reporting.findings import Findings
    from pipeline.running.jobs import job

    study = job(params.load(ROOT / "params.yaml").at("standard"), name)
    stale, finished = (found := Findings(study)).stale, len(found.finished)
    if not stale and (wrong := _unfounded(found)):
        return f"{name}: {wrong}"
    if stale:
        figures.draw = lambda *_: figures.Drawn("{}", "<svg></svg>", "<svg></svg>", b"")
    built = report.build(study, root)
    if heavy := HEAVY & set(sys.modules):
        return f"{name}: its page imports {', '.join(sorted(heavy))}"
    if stale:
        page = (built / "index.html").read_text(encoding="utf-8")
        says = f"Measured by earlier code: {stale:,} of {finished:,} trials." in page
        return "" if says else f"{name}: the page does not say that it is stale"
    return _difference(built, ROOT / "reports" / "standard" / name)


def _unfounded(found: Any) -> str:
    """Say what of a study's claims has no interval, no expectation, or no answer over it."""
    if not found.answer:
        return "it gives no answer"
    for of in found.judged:
        claim = of.claim
        if claim.expected not in found.expectations:
            return f"{claim.text!r} checks expectation {claim.expected}, which is not stated"
        known = claim.exact or of.verdict == UNDECIDED
        if not known and not (claim.replicates > 1 and claim.low <= claim.high):
            return f"{claim.text!r} {of.verdict} without an interval"
    return ""


def _difference(built: Path, committed: Path) -> str:
    files = {p.relative_to(f) for f in (built, committed) for p in f.rglob("*") if p.is_file()}
    for file in sorted(files, key=str):
        of = [(f / file).read_bytes() if (f / file).exists() else b"" for f in (built, committed)]
        if file.name not in IGNORED and of[0] != of[1]:
            return f"{committed / file} is not up to date: python -m pipeline report"
    return ""
