"""The study of self-organisation: its arithmetic, on rows by hand too."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.data.sets._base import PictureSet
from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies import STUDIES
from pipeline.studies.self_organisation import (
    categories,
    circle,
    digits,
    predictions,
    stability,
)
from pipeline.studies.self_organisation.magnification import at_rest, exponent, theory
from pipeline.studies.self_organisation.planes import errors
from pipeline.studies.self_organisation.square import FLOOR, fine
from pipeline.studies.self_organisation.voting import last_look, nearest, voted
from pipeline.study import HOLDS, MISSED
from pipeline.tasks._ordered import Ordered
from pipeline.tasks.circle_in_square import CircleInSquare
from tests.measured import Measured
from tests.toy import images

SECTION: dict[str, Any] = {
    "magnification": {
        "map": "batch_som",
        "half_width": [0, 1],
        "units": 40,
        "power": 1.0,
        "points": 20_000,
        "passes": 2,
        "seed": 0,
    },
    "square": {
        "task": "circle_in_square",
        "map": {"batch_som": None, "som": {"rate": [0.5, 0.02]}},
        "grid": ["rectangular", "hexagonal"],
        "neighbourhood": "gaussian",
        "rows": 3,
        "columns": 4,
        "radius": [2.0, 0.6],
        "passes": 4,
        "points": 60,
        "fine": 30,
        "seeds": 2,
    },
    "stability": {
        "task": "circle_in_square",
        "map": "fuzzy_art",
        "vigilance": 0.7,
        "choice": [1e-7, 0.1],
        "points": 60,
        "capacity": 60,
        "passes": 3,
        "seeds": 2,
    },
    "circle": {
        "task": "circle_in_square",
        "map": "artmap",
        "category": "fuzzy_art",
        "vigilance": 0.0,
        "choice": 0.001,
        "capacity": 60,
        "points": {100: {"orders": 5}, 1000: {"orders": 5}},
        "held_out_size": 40,
        "seeds": 1,
    },
    "digits": {
        "task": "images",
        "dataset": "mnist",
        "train_size": 20,
        "held_out_size": 10,
        "batch_size": 10,
        "rows": 2,
        "columns": 3,
        "method": {
            "batch_som": {
                "grid": ["rectangular", "hexagonal"],
                "first_radius": 1.0,
                "last_radius": {0.5: None, 1.0: {"pictured": True}},
                "passes": 2,
            },
            "som": {
                "grid": "rectangular",
                "first_radius": 1.0,
                "last_radius": [0.5, 1.0],
                "rate": [0.5, 0.1],
                "passes": 2,
            },
            "k_means": {"grid": "rectangular"},
            "principal_plane": {"grid": "rectangular"},
        },
        "seeds": 2,
    },
    "categories": {
        "task": "images",
        "dataset": "mnist",
        "map": {
            "fuzzy_art": {"vigilance": [0.3, 0.9]},
            "art1": {"threshold": 0.5, "vigilance": [0.3, 0.9]},
            "artmap": {"category": "fuzzy_art", "vigilance": 0.0},
        },
        "choice": 0.001,
        "train_size": 20,
        "held_out_size": 10,
        "capacity": 20,
        "orders": 2,
        "seeds": 1,
    },
}


def drawn() -> PictureSet:
    """Return the toy's pictures with grey that is not the same all over."""
    generator = torch.Generator().manual_seed(0)
    grey_NHW = torch.randint(20, 256, (30, 3, 2), generator=generator, dtype=torch.uint8)
    return dataclasses.replace(images(), train_x_NHW=grey_NHW, test_x_NHW=grey_NHW.flip(0))


MEASURED = Measured(STUDIES["self_organisation"], SECTION, {"mnist": drawn()})


@pytest.mark.parametrize("part", MEASURED.study.parts)
def test_a_trials_hash_covers_all_that_it_uses(part: str):
    assert MEASURED.beyond(part) == set()


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


@pytest.mark.parametrize("half_width", [0, 1, 2])
def test_a_chain_at_rest_has_the_exponent_of_theory(half_width: int):
    for power in (0.5, 1.0):
        w_M = at_rest(half_width, 100, power)
        assert exponent(w_M, power) == pytest.approx(theory(half_width), abs=0.005)
    assert theory(0) == pytest.approx(1 / 3)
    assert [round(theory(n), 4) for n in (1, 2, 3)] == [0.6, 0.641, 0.6533]


def test_a_slope_of_known_densities_is_read_off():
    place_M = (np.arange(2000) + 0.5) / 2000
    assert exponent(place_M ** (1 / 1.7), 1.0) == pytest.approx(0.7, abs=1e-3)  # density ~ x^.7


def test_the_floor_is_the_mean_distance_within_a_hexagon():
    random = np.random.default_rng(0)
    side = math.sqrt(2 / (3 * math.sqrt(3)))  # of a hexagon of area 1
    x_N2 = random.uniform(-side, side, (400_000, 2))
    turns = [(math.cos(a), math.sin(a)) for a in (math.pi / 6, math.pi / 2, 5 * math.pi / 6)]
    within = np.abs(x_N2 @ np.array(turns).T).max(axis=1) <= side * math.sqrt(3) / 2
    assert np.hypot(*x_N2[within].T).mean() == pytest.approx(FLOOR, abs=1e-3)


def test_a_plane_that_is_data_has_no_topographic_error_and_scrambled_has_chance():
    torch.manual_seed(0)
    w_M2 = torch.cartesian_prod(torch.arange(5.0), torch.arange(8.0))
    x_N2 = fine(60) * torch.tensor([4.0, 7.0])
    four, eight = errors(w_M2, x_N2, "rectangular", 5, 8)
    assert (four["neighbours"], eight["neighbours"]) == (4, 8)
    assert four["topographic"] == eight["topographic"] == 0
    for found in (four, eight):
        assert found["scrambled"] == pytest.approx(found["chance"], abs=0.02)
    assert four["chance"] == pytest.approx(1 - 134 / 40 / 39)


def claims_of(part: str, rows: pd.DataFrame) -> dict[str, str]:
    return {text: claim.verdict for text, claim in MEASURED.claims(part, rows).items()}


def test_what_beats_the_floor_is_seen():
    rows = MEASURED.rows("square")
    text = next(text for text in claims_of("square", rows) if "below" in text and "√M" in text)
    assert claims_of("square", rows)[text] == HOLDS
    rows.loc[rows["error"].last_valid_index(), "k_means"] = 0.0
    assert claims_of("square", rows)[text] == MISSED


def test_changes_after_the_first_pass_and_weights_that_rise_are_seen():
    rows = MEASURED.rows("stability")
    tiny, shrink = "α → 0: nothing changes from the second pass on", "templates only shrink"
    claims = claims_of("stability", rows)
    (shrinks,) = [text for text in claims if text.startswith(shrink)]
    assert claims[tiny] == claims[shrinks] == HOLDS
    last = rows[rows["choice"] < 1e-5].index[-1]
    assert claims_of("stability", rows.assign(rise=1e-9))[shrinks] == MISSED
    rows.loc[last, "changes"] = 1.0
    assert claims_of("stability", rows)[tiny] == MISSED
    assert list(stability.table(rows)["α"]) == ["1e-07", "0.1"]


def votes(mean: float, right: float, points: int = 1000) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "record": "vote",
            "points": points,
            "orders": 5,
            "seed": range(9),
            "mean": [mean + 1e-3 * k for k in range(9)],
            "right": [right + 1e-3 * k for k in range(9)],
        }
    )


def test_what_one_pass_gives_is_held_to_its_range_and_a_vote_to_more():
    good = {c.text: c.verdict for c in circle.expects(votes(0.92, 0.95))}
    assert set(good.values()) == {HOLDS}
    assert len(good) == 3
    bad = [claim.verdict for claim in circle.expects(votes(0.85, 0.84))]
    assert bad == [MISSED, MISSED, MISSED]
    unknown = [claim.text for claim in circle.expects(votes(0.92, 0.95, points=50))]
    assert unknown == ["a vote of orders is right more often than one order"]


def test_a_vote_goes_to_the_lowest_class_where_even_and_its_share_is_counted():
    task = CircleInSquare(0, train_size=30, held_out_size=50, batch_size=10)
    y_N = last_look(task)[1]
    assert voted([y_N, y_N, 1 - y_N], task) == 1
    assert voted([y_N, 1 - y_N], task) == pytest.approx(float((y_N == 0).double().mean()))
    assert nearest(task, 30) > 0.5


def test_an_order_shows_the_same_examples_each_once_a_pass_and_another_order_otherwise():
    task = CircleInSquare(0, train_size=30, held_out_size=5, batch_size=10)
    one, other = (Ordered(task, 25, 25, order) for order in (0, 1))
    assert torch.equal(one.x_NI, other.x_NI)
    passes = [of.batch(index) for of in (one, other) for index in (0, 1)]
    seen = {tuple(batch.x_TBI[0, :, 0].tolist()) for batch in passes}
    assert len(seen) == 4
    assert len({tuple(sorted(order)) for order in seen}) == 1
    inside_N = (one.x_NI - 0.5).square().sum(1) < 1 / (2 * math.pi)
    assert torch.equal(inside_N.long(), one.y_N)
    with pytest.raises(ValueError, match="size is 0"):
        Ordered(task, 0, 1, 0)


def test_half_of_the_square_is_inside_the_circle_and_no_part_has_points_of_another():
    task = CircleInSquare(3, train_size=20_000, held_out_size=2_000, batch_size=20_000)
    batch = task.batch(0)
    assert float(batch.y_TB.double().mean()) == pytest.approx(0.5, abs=0.02)
    held, test = next(iter(task.held_out())), next(iter(task.test()))
    assert not set(held.x_TBI[0, :, 0].tolist()) & set(test.x_TBI[0, :, 0].tolist())
    with pytest.raises(ValueError, match="batch_size is 30, there are 20 points"):
        CircleInSquare(0, train_size=20, held_out_size=5, batch_size=30)


def test_of_all_of_mnist_the_goals_are_asked_and_errors_by_radius_are_held():
    rows = MEASURED.rows("digits")
    assert not any("below 10%" in text for text in claims_of("digits", rows))
    whole = rows.assign(pictures=predictions.MNIST, rows=20, columns=20)
    whole.loc[whole["record"] != "end", "pictures"] = math.nan
    asked = claims_of("digits", whole)
    assert sum("below 10%" in text for text in asked) == 3
    (held,) = [text for text in asked if "errors of 4.87/5.19/5.42" in text]
    assert asked[held] == MISSED  # the toy's digits are no digits


def test_a_map_is_pictured_once_and_whole():
    rows = MEASURED.rows("digits")
    units = rows[rows["record"] == "unit"]
    assert set(units["seed"]) == {0}
    assert set(units["last_radius"]) == {1.0}
    assert len(units) == 2 * 6  # both grids
    assert sorted(set(units["across"])) == [0, 1, 2]


def test_what_a_baseline_has_no_use_for_is_refused():
    baseline = SECTION["digits"] | {"method": "k_means", "grid": "rectangular", "passes": 3}
    with pytest.raises(UserError, match="first_radius, last_radius and passes go with a map"):
        expand(digits.Digits, baseline, "x")
    some = SECTION["categories"] | {"map": "fuzzy_art", "vigilance": 0.5, "capacity": 21}
    with pytest.raises(UserError, match="capacity is 21, of 20 digits"):
        expand(categories.Categories, some, "x")


def test_more_vigilance_makes_more_categories_and_a_study_answers():
    rows = MEASURED.rows("categories")
    text = "higher vigilance makes more categories, on average over orders"
    assert claims_of("categories", rows)[text] == HOLDS
    every = pd.concat(
        [MEASURED.rows(part).assign(part=part) for part in MEASURED.study.parts], ignore_index=True
    )
    answer = MEASURED.study.answer
    assert answer is not None
    said = answer(every)
    assert "of 2×3 units, the two nearest to a digit are not adjacent" in said
    assert "0 changes in 4 passes after the first" in said
    assert "by a vote of 2" in said
