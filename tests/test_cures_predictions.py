"""Each prediction of the study of cures holds on rows that bear it out, and fails on others."""

from typing import Any

import pandas as pd
import pytest

from pipeline.study import HOLDS, MISSED, Claim
from tests.cures_study import MEASURED

ORDER = "temporal_order"
SEEDS = range(5)
Change = tuple[str, str, Any]
"""A column, the rows, and the value that they get."""


def run(task: str, seed: int, cure: str, **changes: Any) -> dict[str, Any]:
    """Return the row that sums up a run which went as expected."""
    kind = cure.split()[0]
    return {
        "record": "outcome",
        "task": task,
        "seed": seed,
        "cure": cure,
        "kind": kind,
        "varied": "nothing",
        "threshold": float(cure.split()[1].strip(",")) if kind != "none" else None,
        "decay": None,
        "strength": None,
        "learning_rate": 0.1,
        "succeeded": kind != "none",
        "updates_to_success": 900.0,
        "final_loss": 9.0 if kind == "none" else 0.1,
        "diverged": False,
        "clipped": 0.5,
        "threshold_over_norm": 1.0,
        "cosine": 1.0,
    } | changes


def expected(task: str = ORDER) -> pd.DataFrame:
    """Return the rows of a study in which everything came as predicted."""
    rows = []
    for seed in SEEDS:
        other = {"varied": "threshold"}
        rows += [
            run(task, seed, "none"),
            run(task, seed, "norm 1"),
            run(task, seed, "norm 0.1", **other, clipped=1.0, threshold_over_norm=0.1)
            | {"updates_to_success": 2000.0},
            run(task, seed, "norm 30", **other, threshold_over_norm=30.0, succeeded=False),
            run(task, seed, "value 0.01", **other, cosine=0.6),
            run(task, seed, "adaptive 0.1", **other, cosine=0.9),
            run(task, seed, "none", varied="rate", learning_rate=1.0),
            run(task, seed, "norm 1", varied="rate", learning_rate=1.0),
        ]
        for strength in (0.001, 0.1):
            decay = {"varied": "decay", "decay": "l2", "strength": strength}
            rows += [
                run(task, seed, "none", **decay),
                run(task, seed, "norm 1", **decay, succeeded=strength < 0.01),
            ]
    return pd.DataFrame(rows)


def claims(rows: pd.DataFrame) -> dict[str, Claim]:
    return MEASURED.claims("learning", rows)


TAMPERED: dict[str, tuple[str, Change]] = {
    "a clip that solves nothing": (
        "3 of 5 starts more",
        ("succeeded", "cure == 'norm 1' and varied == 'nothing' and seed > 1", False),
    ),
    "starts that need no clip": (
        "3 of 5 starts more",
        ("succeeded", "cure == 'none' and varied == 'nothing' and seed > 1", True),
    ),
    "a threshold within the rule that fails": (
        "every threshold from 1/2 to 10",
        ("threshold_over_norm", "cure == 'norm 30'", 9.0),
    ),
    "a normalised gradient that learns nothing": (
        "norm 0.1, which clips everything, solves it",
        ("succeeded", "cure == 'norm 0.1'", False),
    ),
    "a normalised gradient that is quick": (
        "norm 0.1, which clips everything, takes longer than norm 1",
        ("updates_to_success", "cure == 'norm 0.1'", 100.0),
    ),
    "nothing but normalised gradients that gets there": (
        "norm 0.1, which clips everything, takes longer than norm 1",
        ("succeeded", "cure == 'norm 1' and varied == 'nothing'", False),
    ),
    "a clip by norm that turns": (
        "a clip by norm never turns",
        ("cosine", "cure == 'norm 0.1' and seed == 0", 0.99),
    ),
    "a clip by norm that diverges": (
        "no clip by norm diverges",
        ("diverged", "cure == 'norm 1' and seed == 0", True),
    ),
    "a clip by value that keeps the direction": (
        "no more than signs do",
        ("cosine", "kind == 'value'", 0.95),
    ),
    "a clip by unit that turns most": (
        "clip by unit turns less",
        ("cosine", "kind == 'adaptive'", 0.5),
    ),
    "a rate at which a clip is in the way": (
        "at no learning rate",
        ("succeeded", "kind == 'norm' and learning_rate == 1", False),
    ),
    "a range of rates that is no wider": (
        "a start solves it at more learning rates",
        ("succeeded", "kind == 'norm' and varied in ['nothing', 'rate']", False),
    ),
    "a clip that ends worse": (
        "at the highest learning rate, 1, the clip ends better",
        ("final_loss", "kind == 'norm' and learning_rate == 1", 10.0),
    ),
    "decay that is as good": (
        "l2 alone solves it less often",
        ("succeeded", "cure == 'none' and strength == 0.001", True),
    ),
    "strong decay that does no harm": (
        "solves it less often than the clip alone",
        ("succeeded", "kind == 'norm' and strength == 0.1", True),
    ),
}
"""The words of a claim, and the change that it must not survive."""


def test_all_predictions_hold_where_everything_came_as_expected():
    rows = expected()
    rows.loc[rows["kind"].eq("none") & rows["learning_rate"].eq(1), "succeeded"] = False
    found = claims(rows)
    assert len(found) == len(TAMPERED) - 2  # two changes are of the first, two of lateness
    assert all(claim.verdict == HOLDS for claim in found.values()), found


@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_claim_is_missed_on_tampered_rows(tampered: str):
    words, (column, which, value) = TAMPERED[tampered]
    rows = expected()
    if "learning rate" in words:  # something to fall behind of
        rows.loc[rows.eval("kind == 'none' and learning_rate == 1"), "succeeded"] = True
    rows.loc[rows.eval(which), column] = value
    aimed = [claim for text, claim in claims(rows).items() if words in text]
    assert aimed
    assert all(claim.verdict == MISSED for claim in aimed), aimed


def test_pascanus_table_is_of_temporal_order_alone():
    assert not any("3 of 5" in claim for claim in claims(expected("adding")))


def test_where_nothing_can_be_solved_no_success_is_judged():
    rows = expected().assign(succeeded=None)
    stated = list(claims(rows))
    assert stated
    assert not any("solve" in claim for claim in stated)


def test_a_run_that_diverged_ends_worse_than_any():
    rows = expected()
    rows.loc[rows.eval("kind == 'norm' and learning_rate == 1"), ["diverged", "final_loss"]] = (
        True,
        0.0,
    )
    (claim,) = (c for text, c in claims(rows).items() if "highest learning rate" in text)
    assert claim.verdict == MISSED


@pytest.mark.parametrize("power", [1.0, 0.0, -1.0])
def test_smoothness_has_to_grow_with_the_norm_from_every_start(power: float):
    rows = pd.DataFrame(
        [
            {"task": "toy", "seed": seed, "norm": norm, "smoothness": norm**power * wobble}
            for seed in SEEDS
            for norm, wobble in ((0.1, 1.0), (1.0, 1.1 + 0.1 * seed), (5.0, 0.9), (9.0, 1.0))
        ]
    )
    found = MEASURED.claims("smoothness", rows)
    assert len(found) == 2
    assert all((claim.verdict == HOLDS) == (power > 0) for claim in found.values()), found
