"""Kohonen's maps: planes by hand, moves by enumeration, k-means, errors of known maps."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_modules.maps import MAPS
from lightning_modules.maps._errors import nearest, quantisation, scrambled, topographic
from lightning_modules.maps._grids import GRIDS, distances, grid_named, neighbours
from lightning_modules.maps._kohonen import Kohonen
from lightning_modules.maps._planes import plane
from lightning_modules.maps.batch_som import BatchSOM
from lightning_modules.maps.som import SOM

KOHONEN = ("som", "batch_som")
ROOT = math.sqrt(3)
BY_HAND = {
    "rectangular": ([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)], {4: 14, 8: 22}),
    "hexagonal": (
        [(0, 0), (0, 1), (0, 2), (ROOT / 2, 0.5), (ROOT / 2, 1.5), (ROOT / 2, 2.5)],
        {6: 18},
    ),
}
"""Two rows of three units: places, and how many pairs are neighbours, counted both ways."""


def cloud(size: int = 40, inputs: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(size, inputs, generator=generator, dtype=torch.float64)


def small(name: str, **options: Any) -> Any:
    torch.manual_seed(0)
    return MAPS[name](3, 2, 3, **options).double()


@pytest.mark.parametrize("name", GRIDS)
def test_units_lie_where_one_draws_them_and_have_the_neighbours_that_one_counts(name: str) -> None:
    places, pairs = BY_HAND[name]
    places_MD = GRIDS[name].places(2, 3)
    torch.testing.assert_close(places_MD, torch.tensor(places, dtype=torch.float64))
    apart_MM = distances(places_MD)
    for many, reach in GRIDS[name].reach.items():
        near_MM = neighbours(apart_MM, reach)
        assert int(near_MM.sum()) == pairs[many]
        assert torch.equal(near_MM, near_MM.T)
        inside = neighbours(distances(grid_named(name).places(5, 7)), reach)[2 * 7 + 3]
        assert int(inside.sum()) == many


@pytest.mark.parametrize("neighbourhood", ["gaussian", "bubble"])
@pytest.mark.parametrize("grid", GRIDS)
def test_an_example_moves_units_as_the_formula_says(grid: str, neighbourhood: str) -> None:
    options = {"grid": grid, "neighbourhood": neighbourhood, "radius": (2.0, 1.0)}
    taught, x_NI = small("som", **options, rate=(0.8, 0.2), passes=2, pass_size=3), cloud(6)
    w, places = taught.w_MI.tolist(), BY_HAND[grid][0]
    total = 0.0
    for n, x in enumerate(x_NI.tolist()):
        sigma, eta = 2.0 * 0.5 ** (n / 5), 0.8 * 0.25 ** (n / 5)
        c = min(range(6), key=lambda m: math.dist(x, w[m]))
        total += math.dist(x, w[c])
        for m in range(6):
            d = math.dist(places[m], places[c])
            h = math.exp(-d * d / 2 / sigma**2) if neighbourhood == "gaussian" else d <= sigma
            w[m] = [u + eta * h * (v - u) for u, v in zip(w[m], x, strict=True)]
    seen = taught.learn(x_NI)
    torch.testing.assert_close(
        taught.w_MI.data, torch.tensor(w, dtype=torch.float64), rtol=1e-12, atol=1e-12
    )
    assert seen.loss == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("neighbourhood", ["gaussian", "bubble"])
@pytest.mark.parametrize("grid", GRIDS)
def test_a_pass_moves_units_to_the_means_of_the_formula(grid: str, neighbourhood: str) -> None:
    options = {"grid": grid, "neighbourhood": neighbourhood, "radius": (2.0, 1.0)}
    taught, x_NI = small("batch_som", **options, passes=3), cloud()
    places = BY_HAND[grid][0]
    for sigma in (2.0, math.sqrt(2.0), 1.0, 1.0):  # no lower after the last pass
        w = taught.w_MI.tolist()
        won = [min(range(6), key=lambda m: math.dist(x, w[m])) for x in x_NI.tolist()]
        expected = []
        for m in range(6):
            d = [math.dist(places[m], places[c]) for c in won]
            h = [
                math.exp(-v * v / 2 / sigma**2) if neighbourhood == "gaussian" else v <= sigma
                for v in d
            ]
            weight_N1 = torch.tensor(h, dtype=torch.float64)[:, None]
            expected.append((weight_N1 * x_NI).sum(0) / weight_N1.sum())
        taught.learn(x_NI)
        torch.testing.assert_close(taught.w_MI.data, torch.stack(expected), rtol=1e-12, atol=1e-12)


def test_without_neighbours_a_pass_is_lloyds_and_who_wins_nothing_stays() -> None:
    from sklearn.cluster import KMeans

    x_NI = cloud()
    taught = small("batch_som", neighbourhood="bubble", radius=(0.5, 0.5))
    taught.place(x_NI[:6])
    for _ in range(4):
        taught.learn(x_NI)
    lloyd: Any = KMeans
    means = lloyd(6, init=x_NI[:6].numpy(), n_init=1, max_iter=4, tol=0).fit(x_NI.numpy())
    np.testing.assert_allclose(taught.w_MI.numpy(), means.cluster_centers_, rtol=1e-12)
    far = torch.full((3,), 9.0, dtype=torch.float64)
    taught.w_MI[4] = far
    taught.learn(x_NI)
    assert torch.equal(taught.w_MI[4], far)


def test_a_batch_map_comes_to_rest_and_says_so_and_order_is_nothing_to_it() -> None:
    maps = [small("batch_som", radius=(1.0, 0.5)) for _ in range(2)]
    x_NI = cloud()
    changes = [maps[0].learn(x_NI).changes for _ in range(60)]
    assert changes[0] == len(x_NI)
    assert changes[-1] == 0
    for _ in range(60):
        maps[1].learn(x_NI.flip(0))
    torch.testing.assert_close(maps[0].w_MI.data, maps[1].w_MI.data, rtol=1e-12, atol=1e-12)


def test_a_narrow_neighbourhood_of_a_wide_map_divides_nothing_by_nothing() -> None:
    torch.manual_seed(0)
    taught = BatchSOM(3, 1, 60, radius=(0.1, 0.1))
    taught.place(torch.full((60, 3), 5.0))
    taught.w_MI[0] = 0.0
    taught.learn(cloud().float())
    assert bool(taught.w_MI.isfinite().all())
    assert torch.equal(taught.w_MI[40], torch.full((3,), 5.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("units", [2, 7, 33, 300])
def test_of_units_at_one_place_the_first_wins_whatever_the_product_is_cut_into(
    units: int, dtype: torch.dtype
) -> None:
    x_NI = cloud(200, 50).to(dtype)
    once_MI = cloud(units + 1, 50)[1:].to(dtype)
    twice_MI = torch.cat([once_MI, once_MI])
    assert torch.equal(nearest(twice_MI, x_NI), nearest(once_MI, x_NI))


def ordered(rows: int, columns: int) -> Tensor:
    """Return weights that are the places of a rectangular grid."""
    return GRIDS["rectangular"].places(rows, columns)


def test_a_map_that_is_its_own_plane_has_no_topographic_error_and_a_scrambled_one_most() -> None:
    rows, columns, generator = 6, 9, torch.Generator().manual_seed(0)
    w_MI, M = ordered(rows, columns), rows * columns
    x_NI = torch.rand(4000, 2, generator=generator, dtype=torch.float64)
    x_NI = x_NI * torch.tensor([rows - 1.0, columns - 1.0])
    of_grid = distances(w_MI)
    expected = {4: 1 - (4 * M - 2 * (rows + columns)) / M / (M - 1)}
    expected[8] = expected[4] - 4 * (rows - 1) * (columns - 1) / M / (M - 1)
    for many, reach in GRIDS["rectangular"].reach.items():
        near_MM = neighbours(of_grid, reach)
        assert float(topographic(w_MI, x_NI, near_MM)) == 0
        assert scrambled(near_MM) == pytest.approx(expected[many])
        errors = [
            float(topographic(w_MI[torch.randperm(M, generator=generator)], x_NI, near_MM))
            for _ in range(200)
        ]
        off = np.std(errors) / math.sqrt(len(errors))
        assert abs(np.mean(errors) - expected[many]) < 4 * off


def test_corners_are_neighbours_of_eight_alone() -> None:
    w_MI, x_NI = ordered(2, 2), torch.tensor([[0.5, 0.49]], dtype=torch.float64)
    w_MI[1] = torch.tensor([9.0, 9.0])
    w_MI[2] = torch.tensor([9.0, 8.0])  # so that units 0 and 3 are nearest
    by = {k: neighbours(distances(ordered(2, 2)), v) for k, v in GRIDS["rectangular"].reach.items()}
    assert float(topographic(w_MI, x_NI, by[4])) == 1
    assert float(topographic(w_MI, x_NI, by[8])) == 0


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", KOHONEN)
def test_a_map_tells_the_errors_that_one_enumerates(name: str, grid: str) -> None:
    taught: Kohonen = small(name, grid=grid)
    x_NI, places = cloud(), BY_HAND[grid][0]
    taught.learn(x_NI)
    w, total = taught.w_MI.tolist(), 0.0
    wrong = dict.fromkeys(taught.neighbours, 0)
    for x in x_NI.tolist():
        first, second = sorted(range(6), key=lambda m: math.dist(x, w[m]))[:2]
        total += math.dist(x, w[first])
        for many, reach in GRIDS[grid].reach.items():
            wrong[many] += math.dist(places[first], places[second]) > reach + 1e-9
    facts = {key: float(value) for key, value in taught.facts(x_NI).items()}
    assert facts.pop("quantisation_error") == pytest.approx(total / 40, rel=1e-12)
    assert facts == pytest.approx({f"topographic_error_{k}": v / 40 for k, v in wrong.items()})


@pytest.mark.parametrize("name", KOHONEN)
@pytest.mark.parametrize("grid", GRIDS)
def test_a_map_of_a_square_unfolds_and_beats_no_floor(name: str, grid: str) -> None:
    torch.manual_seed(1)
    options = {"rate": (0.5, 0.05)} if name == "som" else {}
    taught = MAPS[name](2, 5, 8, grid=grid, radius=(4.0, 0.6), passes=20, **options).double()
    x_NI = torch.rand(1000, 2, dtype=torch.float64)
    before = taught.facts(x_NI)
    for _ in range(20):
        taught.learn(x_NI)
    after = taught.facts(x_NI)
    assert after["quantisation_error"] < before["quantisation_error"]
    assert all(value < 0.2 for key, value in after.items() if key.startswith("topographic"))
    side = (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    fine_NI = torch.cartesian_prod(side, side)
    floor = (math.log(3) / 4 + 1 / 3) * math.sqrt(2 / 3 / math.sqrt(3)) / math.sqrt(40)
    assert math.sqrt(40) * floor == pytest.approx(0.3772, abs=5e-5)
    assert float(quantisation(taught.w_MI, fine_NI).mean()) > floor


def test_a_radius_falls_by_equal_ratios_from_pass_to_pass_and_anew_after_begin() -> None:
    taught = small("batch_som", radius=(4.0, 1.0), passes=3)
    assert [taught.radius_at(p) for p in (0, 0.5, 1, 2)] == pytest.approx([4, 2, 1, 1])
    fresh, x_NI = small("batch_som", radius=(4.0, 1.0), passes=3), cloud()
    for _ in range(2):
        taught.learn(x_NI)
    taught.begin()
    fresh.place(taught.w_MI)
    for one in (taught, fresh):
        one.learn(x_NI)
    assert torch.equal(taught.w_MI, fresh.w_MI)


def test_a_plane_spans_the_two_widest_directions() -> None:
    generator = torch.Generator().manual_seed(0)
    wide = torch.tensor([0.1, 3.0, 0.2, 1.0], dtype=torch.float64)
    x_NI = torch.randn(5000, 4, generator=generator, dtype=torch.float64) * wide + 7
    w_MI = plane(x_NI, GRIDS["rectangular"].places(4, 9))
    torch.testing.assert_close(w_MI.mean(0), x_NI.mean(0))
    spread_I = w_MI.std(0, correction=0)
    torch.testing.assert_close(spread_I[[1, 3]], wide[[1, 3]], rtol=0.05, atol=0)
    assert float(spread_I[[0, 2]].max()) < 0.1
    across = w_MI.view(4, 9, 4)  # the longer side of the map lies along the widest direction
    assert float((across[:, 1:] - across[:, :-1])[..., 1].abs().min()) > 0.5
    assert torch.equal(w_MI, plane(x_NI, GRIDS["rectangular"].places(4, 9)))
    with pytest.raises(ValueError, match="two directions"):
        plane(x_NI[:, :1], GRIDS["rectangular"].places(4, 9))


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"weights are \(5, 3\): this map has \(6, 3\)"):
        SOM(3, 2, 3).place(torch.zeros(5, 3))
