"""Maps beside other projects' own, of the extra dev: minisom's errors, artlib's categories."""

import importlib.util
import itertools
from typing import Any

import numpy as np
import pytest
import torch

from lightning_modules.maps._errors import quantisation, topographic
from lightning_modules.maps._grids import GRIDS, neighbours
from lightning_modules.maps.art1 import ART1
from lightning_modules.maps.artmap import ARTMAP
from lightning_modules.maps.fuzzy_art import FuzzyART
from tests.test_maps_art import coded, codes, points
from tests.test_maps_kohonen import cloud


def library(name: str) -> Any:
    """Return a library; where it is not installed the test is skipped."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}, of the extra `dev`")
    return importlib.import_module(name)


@pytest.fixture
def artlib(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The library as it is written: to compile it takes a quarter of a minute."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    return library("artlib")


def test_minisom_has_the_same_errors() -> None:
    minisom = library("minisom")
    sizes, topologies = ((4, 6), (5, 3)), (("rectangular", 8), ("hexagonal", 6))
    for (rows, columns), (topology, many) in itertools.product(sizes, topologies):
        theirs = minisom.MiniSom(rows, columns, 3, topology=topology, random_seed=1)
        x_NI = cloud(300)
        theirs.train_batch_offline(x_NI.numpy(), 5)
        # Theirs counts places by column, and shifts the rows of its own x.
        places_xy = np.array(
            [theirs.convert_map_to_euclidean(xy) for xy in np.ndindex(rows, columns)]
        )
        w_MI = torch.from_numpy(theirs.get_weights().reshape(-1, 3))
        apart_MM = torch.from_numpy(np.linalg.norm(places_xy[:, None] - places_xy, axis=-1))
        near_MM = neighbours(apart_MM, GRIDS[topology].reach[many])
        ours = float(quantisation(w_MI, x_NI).mean())
        assert ours == pytest.approx(theirs.quantization_error(x_NI.numpy()), rel=1e-12)
        error = float(topographic(w_MI, x_NI, near_MM))
        assert error == pytest.approx(theirs.topographic_error(x_NI.numpy()), abs=1e-12)
        assert 0 < error < 1


def test_artlib_makes_the_same_categories_of_art_1(artlib: Any) -> None:
    generator = torch.Generator().manual_seed(5)
    # Theirs gives a new category's bottom-up weights the length of the input instead of its ones,
    # until it is seen again: so each input comes twice. Its match is over all places, of which half
    # are ones here.
    x_NI = coded((torch.rand(150, 8, generator=generator) > 0.6).double()).repeat_interleave(2, 0)
    for vigilance in (0.5, 0.75):
        theirs = artlib.ART1(rho=vigilance / 2, L=1.5)
        expected = theirs.fit(x_NI.numpy().astype(np.int16)).labels_.tolist()
        assert codes(ART1(16, 300, vigilance, choice=0.5).double(), x_NI) == expected
        assert len(set(expected)) > 3


@pytest.mark.parametrize("rate", [1.0, 0.5])
@pytest.mark.parametrize("choice", [1e-7, 0.1])
def test_artlib_makes_the_same_categories_of_fuzzy_art(
    artlib: Any, choice: float, rate: float
) -> None:
    x_NI = coded(points(300, 3))
    theirs = artlib.FuzzyART(rho=0.7, alpha=choice, beta=rate)
    expected = theirs.fit(x_NI.numpy()).labels_.tolist()
    ours = FuzzyART(6, 300, 0.7, choice, rate).double()
    if rate == 1:
        assert codes(ours, x_NI) == expected
    else:
        ours.learn(x_NI)
    torch.testing.assert_close(
        ours.templates_KI, torch.from_numpy(np.array(theirs.W)), rtol=1e-9, atol=1e-12
    )
    assert len(theirs.W) > 5


def test_artlib_makes_the_same_categories_and_classes_of_artmap(artlib: Any) -> None:
    x_NI = coded(points(400))
    y_N = ((x_NI[:, :2] - 0.5).square().sum(1) < 1 / (2 * torch.pi)).long()
    theirs = artlib.SimpleARTMAP(artlib.FuzzyART(rho=0.0, alpha=1e-3, beta=1.0))
    theirs.fit(x_NI.numpy(), y_N.numpy(), match_tracking="MT+", epsilon=1e-6)
    ours = ARTMAP(FuzzyART(4, 400, 0.0, 1e-3), epsilon=1e-6).double()
    assert codes(ours, x_NI, y_N) == theirs.labels_a.tolist()
    assert ours.class_M[: int(ours.art.committed)].tolist() == [
        theirs.map[k] for k in range(theirs.module_a.n_clusters)
    ]
    other_NI = coded(points(500, seed=9))
    assert ours.classes(other_NI).tolist() == theirs.predict(other_NI.numpy()).tolist()
