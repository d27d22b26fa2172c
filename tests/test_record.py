"""The record of published figures, and one of them run again."""

import json
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.reporting import overview
from tests.laboratory import Laboratory
from tests.reporting import NAME, SCALE, built, text_of


def test_the_record_holds_every_published_figure_beside_what_was_seen(tmp_path: Path):
    built(tmp_path)
    index = overview.build(SCALE, [NAME], tmp_path).read_text(encoding="utf-8")
    assert "The record: 1 published figure beside what was seen here" in text_of(index)
    page = (tmp_path / "reports" / SCALE / "record.html").read_text(encoding="utf-8")
    text = text_of(page)
    assert "0 of 1 hold, 1 missed, 0 undecided." in text
    told = (
        f"depthpython -m pipeline replicate depth --scale {SCALE} --force"
        "depth does not matterLikely cause: It was made so."
        "9 ± 1Nobody (1990), table 1; tolerance: below 10"
    )
    assert told in text
    assert "stated before the first run" in text
    assert overview.row("depth", [SCALE], [NAME], tmp_path)["verdict"] == "missed"
    elsewhere = overview.row("depth", ["standard", SCALE], [NAME], tmp_path)
    assert elsewhere["study"] == NAME, "another scale's page knows where it belongs"
    with pytest.raises(UserError, match=r"'dept' is no row of the record.*did you mean 'depth'"):
        overview.row("dept", [SCALE], [NAME], tmp_path)


def test_a_row_is_run_again_by_its_name(tmp_path: Path):
    laboratory = Laboratory(tmp_path)
    laboratory.declare(["alpha", "beta"], 2)
    laboratory.run("run")
    printed = laboratory.run("replicate", "rows-there", "--force")
    assert "rows-there: holds: there are rows: 4" in printed
    assert "published: some (Nobody 1990); tolerance: any" in printed
    printed = laboratory.run("replicate", "rows-there", "--json")
    told = json.loads(printed[printed.index("{\n") :])
    assert (told["row"], told["verdict"], told["seen"]) == ("rows-there", "holds", "4")
    printed = laboratory.run("report", "--json")
    told = json.loads(printed[printed.index("{\n") :])["toy"]
    assert told["page"] == "reports/quick/toy/index.html"
    assert (told["claims"]["identities"], told["trials"]["finished"]) == (1, 4)
