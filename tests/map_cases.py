"""One entry per map: a small instance, what it learns from, and what it refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lightning_modules.maps._map import Map
from lightning_modules.maps.art1 import ART1
from lightning_modules.maps.artmap import ARTMAP
from lightning_modules.maps.batch_som import BatchSOM
from lightning_modules.maps.fuzzy_art import FuzzyART
from lightning_modules.maps.som import SOM

INPUTS, EXAMPLES, PASS = 4, 18, 6
ROWS, COLUMNS = 2, 3


@dataclass(frozen=True)
class MapCase:
    """A map of ``INPUTS`` inputs; ``refused`` is what cannot be built, and what the error says."""

    build: Callable[[], Map]
    inputs: Callable[[], Tensor]
    """What it learns from, (N, I) in float64."""
    units: int
    refused: tuple[tuple[Callable[[], Any], str], ...]
    wrong: tuple[tuple[Callable[[Tensor], Tensor], str], ...] = ()
    """Inputs that it does not take, made of those that it does, and what the error says."""
    shrinks: bool = False
    """Whether weights only fall."""
    classifies: bool = False


def numbers() -> Tensor:
    """Return points."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(EXAMPLES, INPUTS, generator=generator, dtype=torch.float64)


def coded() -> Tensor:
    """Return points with their complement."""
    a_ND = numbers()[:, : INPUTS // 2]
    return torch.cat([a_ND, 1 - a_ND], dim=1)


def bits() -> Tensor:
    """Return zeros and ones, no input without a 1."""
    x_NI = (numbers() > 0.5).double()
    x_NI[:, 0] = (x_NI.sum(1) == 0).double() + x_NI[:, 0]
    return x_NI


def beyond(x_NI: Tensor) -> Tensor:
    """Return inputs of which one leaves [0, 1], though complements still fit."""
    out_NI = x_NI.clone()
    out_NI[1, 0], out_NI[1, INPUTS // 2] = 1.5, -0.5
    return out_NI


def _kohonen(kind: Any) -> tuple[tuple[Callable[[], Any], str], ...]:
    return (
        (lambda: kind(INPUTS, 1, 1), "has one unit"),
        (lambda: kind(INPUTS, 2, 0), "columns is 0"),
        (lambda: kind(INPUTS, 2, 3, grid="hexagon"), "did you mean 'hexagonal'?"),
        (lambda: kind(INPUTS, 2, 3, neighbourhood="gauss"), "did you mean 'gaussian'?"),
        (lambda: kind(INPUTS, 2, 3, radius=(0.5, 1.0)), "radius goes from 0.5 to 1.0: it falls"),
        (lambda: kind(INPUTS, 2, 3, radius=(1.0, 0.0)), "the last radius is 0.0"),
        (lambda: kind(INPUTS, 2, 3, radius=(1.0,)), "give the first and the last"),
        (lambda: kind(INPUTS, 2, 3, pass_size=0), "pass_size is 0"),
    )


def _art(kind: Any) -> tuple[tuple[Callable[[], Any], str], ...]:
    return (
        (lambda: kind(INPUTS, 0), "capacity is 0"),
        (lambda: kind(INPUTS, 5, vigilance=1.1), "vigilance is 1.1"),
        (lambda: kind(INPUTS, 5, choice=0.0), "choice is 0.0: it must be finite and above 0"),
    )


MAP_CASES = {
    "som": MapCase(
        build=lambda: SOM(INPUTS, ROWS, COLUMNS, passes=3, pass_size=PASS),
        inputs=numbers,
        units=ROWS * COLUMNS,
        refused=(
            *_kohonen(SOM),
            (lambda: SOM(INPUTS, 2, 3, rate=(1.5, 0.1)), "a unit moves beyond the input"),
        ),
    ),
    "batch_som": MapCase(
        build=lambda: BatchSOM(INPUTS, ROWS, COLUMNS, passes=3, pass_size=PASS),
        inputs=numbers,
        units=ROWS * COLUMNS,
        refused=_kohonen(BatchSOM),
    ),
    "art1": MapCase(
        build=lambda: ART1(INPUTS, 20),
        inputs=bits,
        units=20,
        refused=_art(ART1),
        wrong=(
            (lambda x_NI: x_NI / 2, "an input holds 0.5: ART 1 takes zeros and ones"),
            (lambda x_NI: x_NI * (torch.arange(len(x_NI)) != 3)[:, None], "input 3 has no 1"),
        ),
        shrinks=True,
    ),
    "fuzzy_art": MapCase(
        build=lambda: FuzzyART(INPUTS, 20),
        inputs=coded,
        units=20,
        refused=(
            *_art(FuzzyART),
            (lambda: FuzzyART(3, 5), "input_size is 3: complement-coded it is even"),
            (lambda: FuzzyART(INPUTS, 5, rate=0.0), "rate is 0.0"),
        ),
        wrong=(
            (lambda x_NI: numbers(), "complement-code it"),
            (beyond, "inputs go from -0.5 to 1.5: Fuzzy ART takes 0 to 1"),
            (lambda x_NI: x_NI * torch.nan, "Fuzzy ART takes 0 to 1"),
        ),
        shrinks=True,
    ),
    "artmap": MapCase(
        build=lambda: ARTMAP(FuzzyART(INPUTS, 90, vigilance=0.0)),
        inputs=coded,
        units=90,
        refused=((lambda: ARTMAP(FuzzyART(INPUTS, 5), epsilon=0.0), "epsilon is 0.0"),),
        wrong=((lambda x_NI: numbers(), "complement-code it"),),
        shrinks=True,
        classifies=True,
    ),
}
