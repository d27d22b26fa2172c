"""Reports: what a page says, that it stands alone, and that it is the same when built again.

Above 300 lines because one page, built once, is looked at from all sides.
"""

import dataclasses
import json
import math
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.measuring.evidence import identity, within
from pipeline.reporting import imprint, metrics, overview, report
from pipeline.running.journal import Adoption
from pipeline.study import Claim, Entries, Given, Part, Rows, join, key, single
from tests.reporting import (
    DOC,
    FIGURES,
    FULL,
    NAME,
    PART,
    SCALE,
    STAND_IN,
    Elements,
    Forgetting,
    answer,
    built,
    expects,
    put,
    text_of,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return built(tmp_path_factory.mktemp("report"))


def index_of(root: Path, **errors: str) -> str:
    return overview.build(SCALE, [NAME], root, errors).read_text(encoding="utf-8")


def test_a_report_built_again_is_the_same_byte_for_byte(tmp_path: Path):
    def content() -> dict[str, bytes]:
        files = (p for p in (tmp_path / "reports").rglob("*") if p.is_file())
        shown = (p for p in files if p.name != imprint.FILE)
        return {str(p.relative_to(tmp_path)): p.read_bytes() for p in shown}

    built(tmp_path, FULL)
    index_of(tmp_path)
    before = content()
    (tmp_path / "reports" / SCALE / NAME / "figures" / "former.svg").write_text("gone by now")
    again = (
        "from pathlib import Path; from tests.reporting import *; "
        f"built(Path({str(tmp_path)!r}), FULL); "
        "from pipeline.reporting import overview; "
        f"overview.build(SCALE, [NAME], Path({str(tmp_path)!r}))"
    )
    # Another process, in which sets and names of objects come in another order.
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", again], check=True, env=environment, cwd=ROOT)
    assert content() == before
    assert len(before) == 3 * len(FIGURES) + 8


def test_a_page_asks_for_nothing_outside_itself(report_of: tuple[str, Path]):
    page = Elements(report_of[0])
    assert not page.open, "every element is closed"
    (runtime,) = {script["src"] for script in page.all("script") if "src" in script}
    assert (report_of[1] / runtime).stat().st_size < 1_000_000
    assert not page.all("img")
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert set(re.findall(r"url\((.)", report_of[0])) <= {"#"}
    outside = {a["href"] for a in page.all("a") if a["href"].startswith("http")}
    assert outside == {"https://arxiv.org/abs/1234.56789"}
    ids = {attributes["id"] for _, attributes in page.found if "id" in attributes}
    for anchor in page.all("a"):
        target = anchor["href"]
        inside = target.startswith("#") and target[1:] in ids
        beside = (report_of[1] / target).exists() or target == "../index.html"
        assert inside or beside or target in outside, target


def test_a_claim_stands_with_what_was_seen_of_it_and_its_verdict(report_of: tuple[str, Path]):
    text = text_of(report_of[0])
    assert "✓ 1 identity holds, ✗ 1 missed, ? 1 undecided." in text
    assert (
        "✗ depth does not matter (1.64e+05 (1.13e+05 to 2.15e+05)) Likely cause: It was made so."
        in text
    )
    told = r"Nobody .1990.*?Likely cause: It was made so\.1\.64e.*?< 10 ?✗ missed"
    assert re.search(f"2 depth does not matter{told}", text)
    assert re.search(r"1 values are positive exactall ?✓ holds", text)
    assert re.search(r"1 the slope is 1.*?n = 2, effect.*?0\.97 to 1\.07 ?\? undecided", text)
    assert "after Holm's correction for all 2 of them" in text


def test_the_answer_heads_the_page_and_its_entry(report_of: tuple[str, Path], tmp_path: Path):
    text = text_of(report_of[0])
    assert text.index("By a factor & no more: 164000 ± 50825.") < text.index("identity holds")
    built(tmp_path)
    assert "By a factor & no more: 164000 ± 50825." in text_of(index_of(tmp_path))


def test_an_answer_says_where_none_of_its_findings_is_decided(tmp_path: Path):
    def one_seed(rows: pd.DataFrame) -> Iterator[Claim]:
        yield within("the slope is 1", pd.Series([1.0]), 0.9, 1.1, expected=1)

    page, _ = built(tmp_path, single(Part(DOC, Forgetting, one_seed), answer))
    note = "164000 ± 50825. With so few seeds no claim is decided that chance has a part in."
    assert note in text_of(page)


def test_each_expectation_is_told_with_what_became_of_its_claims(report_of: tuple[str, Path]):
    text = text_of(report_of[0])
    assert "The slope is what theory says, to 10 %. 1 holds, 1 undecided" in text
    assert "Depth does not matter. 1 missed" in text
    assert "Nobody looks at this. stated, not checked" in text


def test_the_head_says_what_was_asked_of_which_data_and_how_to_repeat_it(
    report_of: tuple[str, Path],
):
    text = text_of(report_of[0])
    assert "How fast does a network forget, & does <depth> matter?" in text
    assert "MNIST: 60,000 images" in text
    assert "python -m pipeline run forgetting --scale quick" in text
    assert "18 of 18 asked for have finished; 36 s in all" in text
    assert "quick, 2 seeds" in text
    assert "torch 2.13.0" in text
    assert "params/forgetting.yamlValue quick.rulefast, slow, same quick.size.10.deepFalse" in text
    assert "⚠" not in text, "nothing to warn of"


def test_a_stand_in_for_the_data_is_announced_at_the_head(tmp_path: Path):
    page, folder = built(tmp_path, data=STAND_IN)
    assert "Not mnist: these figures come from scikit-learn&#39;s digits." in page
    assert page.index("Not mnist") < page.index("<h1>")
    assert "No address of MNIST could be reached" in page
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8"))["embedded"] == 1
    assert "Not mnist" in index_of(tmp_path)


def test_rows_of_earlier_code_are_announced_at_the_head(tmp_path: Path):
    page, folder = built(tmp_path, stale=5)
    assert "Measured by earlier code: 5 of 18 trials." in page
    assert page.index("Measured by earlier code") < page.index("<h1>")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    counts = {"asked": 18, "finished": 18, "failed": 0, "waiting": 0, "stale": 5, "adopted": 0}
    assert summary["trials"] == counts
    assert "Measured by earlier code: 5 of 18 trials." in index_of(tmp_path)


def test_what_was_adopted_is_told_with_its_commit_and_how_much_of_it_was_run_again(tmp_path: Path):
    adopted = {i: Adoption("before", "0123456789abcdef", i % 4 == 0) for i in range(12)}
    page, folder = built(tmp_path, stale=2, adopted=adopted)
    said = "10 measured by earlier code (0123456789ab); 2 of 10 were run again by the present one"
    assert f"{said}, with the same rows" in text_of(page)
    assert "Measured by earlier code: 2 of 18 trials." in page
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["trials"]["adopted"] == 10


def test_trials_that_are_missing_are_told_and_what_needs_them_is_undecided(tmp_path: Path):
    def needs_all(rows: pd.DataFrame) -> Iterator[Claim]:
        yield identity("fast and slow differ", True, "", expected=1)
        most = rows.groupby("rule")["value"].max()["fast"]
        yield identity("fast ends", most > 0, f"{most}", expected=1)

    study = single(Part(DOC, Forgetting, needs_all, FIGURES))
    page, folder = built(tmp_path, study, lost=6, ended=16)
    text = text_of(page)
    assert "8 of 18 trials are missing." in text
    told = "10 of 18 asked for have finished, ✗ 8 missing: 6 failed, 2 wait for a run (which)"
    assert told in text
    assert "rule fast, size 10, deep False, seed 0WorkerCrashedError: <gone>" in text
    assert re.search("1 fast and slow differ exact ?✓ holds", text)
    assert re.search(
        r"not computable while trials are missing \(KeyError: 'fast'\) ?\? undecided", text
    )
    counts = {"asked": 18, "finished": 10, "failed": 6, "waiting": 2, "stale": 0, "adopted": 0}
    assert json.loads((folder / "summary.json").read_bytes())["trials"] == counts
    page, _ = built(tmp_path, study, lost=18)
    assert "0 of 18 asked for have finished, ✗ 18 missing: 18 failed" in text_of(page)


def test_a_study_that_cannot_read_its_own_complete_rows_is_an_error(tmp_path: Path):
    def wrong(rows: pd.DataFrame) -> Iterator[Claim]:
        yield identity("no such column", bool(rows["nothing"].any()), "", expected=1)

    with pytest.raises(KeyError, match="nothing"):
        built(tmp_path, single(Part(DOC, Forgetting, wrong)))


def test_the_parts_of_a_study_keep_their_rows_checks_and_figures_apart(tmp_path: Path):
    second = Part("Is it so again?\n", Forgetting, expects, FIGURES[2:3])
    study = join(DOC, answer, first=Part(None, Forgetting, expects), second=second)
    page, folder = built(tmp_path, study)
    assert "Is it so again?" in page
    assert "✓ 2 identities hold, ? 4 undecided." in text_of(page)
    plots = folder.parent / "plots" / folder.name
    assert [p.name for p in plots.iterdir()] == ["plain.csv"]
    assert len(pd.read_csv(plots / "plain.csv")) == 18 * 3 - 2
    # The second part is without its last 6 trials; the first is complete.
    assert "30 of 36 asked for have finished" in text_of(built(tmp_path, study, ended=30)[0])


def test_a_trial_described_as_it_was_formerly_is_shown_as_it_is_described_now(tmp_path: Path):
    def renamed(entries: Entries) -> Entries:
        return {"speed" if name == "rule" else name: value for name, value in entries.items()}

    before = put(tmp_path)
    part = dataclasses.replace(PART, formerly=renamed, expects=lambda _: iter(()), figures=())
    now = {key(renamed(trial)): renamed(trial) for trial in before.trials.values()}
    job = dataclasses.replace(before, study=single(part), trials=now)
    vars(job)["journal"] = before.journal
    rows = pd.read_parquet(report.build(job, tmp_path) / "rows.parquet")
    assert len(rows) == 18 * 3
    assert "rule" not in rows
    assert set(rows["speed"]) == {"fast", "slow", "same"}


def test_the_summary_holds_finite_numbers_only(report_of: tuple[str, Path]):
    def numbers(value: Any) -> Iterator[float]:
        for inner in value.values():
            yield from numbers(inner) if isinstance(inner, dict) else [inner]

    summary = json.loads((report_of[1] / "summary.json").read_text(encoding="utf-8"))
    found = list(numbers(summary))
    assert all(isinstance(n, int | float) and math.isfinite(n) for n in found)
    counts = {"identities": 1, "findings": 0, "missed": 1, "undecided": 1}
    assert summary["claims"] == counts
    of = {"depth does not matter": -1, "values are positive": 1, "the slope is 1": 0}
    assert summary["verdicts"] == of
    assert summary["estimates"]["the slope is 1"] == pytest.approx(1.025)
    assert set(summary["shown"]) == {"plain", "means"}
    assert summary["shown"]["means"]["fast"] == {"value": pytest.approx(1600 * 100 * 1.05)}


def test_the_index_shows_every_study_that_has_a_page_and_why_another_has_none(tmp_path: Path):
    _, folder = built(tmp_path)
    names, errors = [NAME, "unrun", "broken"], {"broken": "SyntaxError: <here>"}
    page = overview.build(SCALE, names, tmp_path, errors)
    elements = Elements(page.read_text(encoding="utf-8"))
    assert not elements.open
    assert [a["href"] for a in elements.all("a")] == ["record.html", f"{NAME}/index.html"]
    assert "1 identity holds, ✗ 1 missed" in text_of(page.read_text(encoding="utf-8"))
    assert "18 of 18 trials" in elements.text
    assert "SyntaxError: <here>" in elements.text
    assert len(elements.all("svg")) == 1
    whole = json.loads(page.with_name("summary.json").read_bytes())
    assert whole == {NAME: json.loads((folder / "summary.json").read_bytes())}


def test_what_dvc_compares_is_few_numbers_named_in_words(tmp_path: Path):
    _, folder = built(tmp_path)
    page = overview.build(SCALE, [NAME], tmp_path)
    summary = json.loads((folder / "summary.json").read_bytes())
    compared = json.loads(page.with_name("metrics.json").read_bytes())
    assert compared == {
        NAME: {
            "claims that hold": 1,
            "claims missed": 1,
            "claims undecided": 1,
            "trials finished": 18,
            "seeds": summary["seeds"],
            "estimate: depth does not matter": 164000.0,
            "estimate: the slope is 1": 1.025,
        }
    }


def test_of_many_estimates_dvc_compares_those_of_published_figures_before_others():
    estimates = {f"claim {place}": 1 / 3 for place in range(40)}
    counts = {"identities": 0, "findings": 40, "missed": 0, "undecided": 0}
    summary = {"claims": counts, "trials": {"finished": 1}, "seeds": 1, "estimates": estimates}
    left = imprint.Imprint("", {}, "", "", summary, [{"claim": "claim 39"}, {"claim": "exact"}], "")
    said = [name for name in metrics.of_page(left) if name.startswith("estimate")]
    assert said == [f"estimate: claim {place}" for place in (39, 0, 1, 2, 3)]
    assert metrics.of_page(left)["estimate: claim 0"] == 0.3333


def test_the_table_lies_beside_the_page_for_whoever_goes_on_from_it(tmp_path: Path):
    def mixed(self: Forgetting, given: Given) -> Rows:
        return [{"value": 1.0, "odd": 3 if self.deep else "three", "word": None}]

    kind = type("Mixed", (Forgetting,), {"measure": mixed, "__module__": __name__})
    _, folder = built(tmp_path, single(Part(DOC, kind, lambda _: iter(()))))
    rows = pd.read_parquet(folder / "rows.parquet")
    assert len(rows) == 18
    assert {"rule", "size", "deep", "seed", "value", "word", "hash", "status"} <= set(rows)
    assert set(rows["odd"]) == {"3", "three"}, "words and numbers together are words"


def test_what_is_missing_is_said_with_the_command_that_makes_it(tmp_path: Path):
    with pytest.raises(UserError, match="python -m pipeline run forgetting --scale quick"):
        report.build(put(tmp_path, ended=0), tmp_path)
    with pytest.raises(UserError, match="python -m pipeline report"):
        index_of(tmp_path)


def test_a_page_that_cannot_be_written_leaves_the_one_before_it_whole(tmp_path: Path):
    _, folder = built(tmp_path)
    index_of(tmp_path)

    def content() -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in folder.parent.rglob("*") if p.is_file()}

    before, job = content(), put(tmp_path, stale=5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, hard))  # as if the disk were full
    try:
        with pytest.raises(UserError, match=r"cannot be written .* what was there stands"):
            report.build(job, tmp_path)
        with pytest.raises(UserError, match="cannot be written"):
            index_of(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert content() == before
    report.build(job, tmp_path)
    assert content() != before
