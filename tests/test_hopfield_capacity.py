"""The study of Hopfield networks: its theory, and its arithmetic on rows by hand."""

import math
from typing import Any

import pandas as pd
import pytest

from pipeline.studies import STUDIES
from pipeline.studies.hopfield_capacity import theory
from pipeline.studies.hopfield_capacity.limit import crossings
from pipeline.studies.hopfield_capacity.patterns import lost_at
from pipeline.study import HOLDS, MISSED, UNDECIDED
from tests import toy
from tests.measured import Measured

SECTION: dict[str, Any] = {
    "limit": {"units": [60, 120], "load": [0.05, 0.3], "tried": 5, "sweeps": 30, "seeds": 2},
    "rules": {
        "storage": ["hebb", "storkey", "perceptron_rule", "pseudo_inverse"],
        "diagonal": False,
        "units": 40,
        "load": [0.05, 0.25, 0.8],
        "flips": 0.1,
        "seeds": 2,
    },
    "steps": {"units": 60, "load": 0.2, "starts": 20, "sweeps": 50, "seeds": 2},
    "digits": {
        "dataset": "mnist",
        "storage": ["hebb", "pseudo_inverse"],
        "flips": 0.1,
        "seeds": 1,
    },
}


MEASURED = Measured(STUDIES["hopfield_capacity"], SECTION, {"mnist": toy.images()})


def test_the_theory_is_that_of_the_paper() -> None:
    assert theory.overlap(0.10) == pytest.approx(0.99800, abs=5e-6)
    assert theory.overlap(0.13) == pytest.approx(0.98721, abs=5e-6)
    assert theory.overlap(theory.LIMIT - 1e-6) == pytest.approx(theory.LEAST, abs=2e-3)
    assert pd.isna(theory.overlap(theory.LIMIT + 1e-5))
    assert theory.wrong_bits(0.138) == pytest.approx(3.55e-3, abs=5e-6)


def test_recall_is_lost_between_two_loads_in_a_line() -> None:
    rows = pd.DataFrame(
        {"units": units, "seed": seed, "load": load, "recalled": recalled}
        for units, shares in ((10, (1.0, 0.75, 0.25)), (20, (1.0, 1.0, 0.9)))
        for seed in (0, 1)
        for load, recalled in zip((0.1, 0.2, 0.4), shares, strict=True)
    )
    assert lost_at(rows[rows["units"] == 10]).to_dict() == {
        0: pytest.approx(0.3),
        1: pytest.approx(0.3),
    }
    assert not len(lost_at(rows[rows["units"] == 20]))
    assert list(crossings(rows).columns) == [10, 20]


def _limit(off: float, largest: float) -> pd.DataFrame:
    crossing = {1000: 0.16, 2000: largest}
    return pd.DataFrame(
        {"units": units, "load": load, "seed": seed, "theory": 0.998}
        | {"overlap": 0.998 + off + 1e-5 * seed}
        | {"recalled": 1.0 if load < 0.12 else 0.5 - 20 * (load - at - 1e-4 * seed)}
        for units, at in crossing.items()
        for load in (0.1, 0.14, 0.18)
        for seed in range(5)
    )


@pytest.mark.parametrize(
    ("off", "largest", "verdicts"),
    [(0.001, 0.15, [HOLDS] * 4), (0.01, 0.17, [MISSED, MISSED, HOLDS, MISSED])],
)
def test_overlaps_are_held_to_theory_and_crossings_to_a_fall(
    off: float, largest: float, verdicts: list[str]
) -> None:
    claims = STUDIES["hopfield_capacity"].parts["limit"].expects(_limit(off, largest))
    assert [claim.verdict for claim in claims] == verdicts


@pytest.mark.parametrize(("off", "verdict"), [(0.5, HOLDS), (3.0, UNDECIDED), (6.0, MISSED)])
def test_wrong_bits_are_held_to_theory_by_an_interval_over_networks(
    off: float, verdict: str
) -> None:
    known, bits = theory.wrong_bits(0.138), 100_000
    error = math.sqrt(known * (1 - known) / bits)
    rows = pd.DataFrame(
        {"load": 0.138, "seed": seed, "bits": bits, "theory": known, "starts": 1}
        | {"wrong": bits * (known + (off + chance) * error)}
        | {"open": 0, "two_step_rises": 0, "energy_rises": 0}
        for seed, chance in enumerate((-1.5, -0.5, 0.0, 0.5, 1.5))
    )
    claims = STUDIES["hopfield_capacity"].parts["steps"].expects(rows)
    assert next(iter(claims)).verdict == verdict


def test_theorems_are_missed_where_one_network_breaks_them() -> None:
    rows = MEASURED.rows("steps")
    before = {claim.text: claim.verdict for claim in MEASURED.study.parts["steps"].expects(rows)}
    rows.loc[0, ["two_step_rises", "open", "energy_rises"]] = 1
    after = {claim.text: claim.verdict for claim in MEASURED.study.parts["steps"].expects(rows)}
    changed = [text for text in after if after[text] != before[text]]
    assert len(changed) == 3
    assert {after[text] for text in changed} == {MISSED}


def test_a_projection_that_loses_a_pattern_is_seen() -> None:
    rows = MEASURED.rows("rules")
    of = rows["storage"] == "pseudo_inverse"
    assert (rows.loc[of, "kept"] == 1).all()
    (kept,) = [text for text in MEASURED.claims("rules", rows) if "keeps every" in text]
    assert MEASURED.claims("rules", rows)[kept].verdict == HOLDS
    rows.loc[of, "kept"] = 0.99
    assert MEASURED.claims("rules", rows)[kept].verdict == MISSED


@pytest.mark.parametrize("part", SECTION)
def test_a_trials_hash_covers_all_that_it_uses(part: str) -> None:
    assert MEASURED.beyond(part) == set()


def test_figures_and_tables_can_be_made_of_the_rows_and_it_answers() -> None:
    MEASURED.assert_shown()
