"""What a page takes from rows of which not all are alike."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.study import Row, Study, Trial
from tests.reporting import DOC, FIGURES, Elements, Params, built, expects, measure, trials


def test_trials_without_a_seed_count_as_no_seed(tmp_path: Path):
    def some(p: Params) -> Iterator[Trial]:
        for trial in trials(p):
            yield {**trial, "seed": trial["seed"] or None}

    def at_zero(rule: str, size: int, deep: bool, seed: int | None) -> Iterator[Row]:
        return measure(rule, size, deep, seed or 0)

    page, _ = built(tmp_path, Study(DOC, Params, some, at_zero, expects, FIGURES))
    assert "quick, 1 seed " in " ".join(Elements(page).text.split()) + " "
