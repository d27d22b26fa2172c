"""What holds of every map: one entry a file, portions, resumption, ties, refusals, no gradient."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.maps import MAPS
from lightning_modules.maps._map import Map
from tests.map_cases import EXAMPLES, INPUTS, MAP_CASES, MapCase


def built(name: str) -> Map:
    """Return the case's map, its weights from a seed."""
    torch.manual_seed(0)
    return MAP_CASES[name].build().double()


def examples(name: str) -> tuple[Tensor, Tensor]:
    """Return what it learns from."""
    x_NI = MAP_CASES[name].inputs()
    return x_NI, (x_NI[:, 0] > 0.5).long()


def state(of: Map) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in of.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_every_map_has_an_entry_and_no_entry_is_without_a_map() -> None:
    assert set(MAP_CASES) == set(MAPS)


@pytest.mark.parametrize("name", MAPS)
def test_a_map_has_the_units_it_says_and_nothing_that_a_gradient_moves(name: str) -> None:
    taught = built(name)
    assert isinstance(taught, MAPS[name])
    assert taught.w_MI.shape == (MAP_CASES[name].units, INPUTS)
    assert not any(w.requires_grad for w in taught.parameters())


@pytest.mark.parametrize("name", MAPS)
def test_examples_may_come_in_any_portions(name: str) -> None:
    found = []
    for portion in (EXAMPLES, 4, 1):
        taught, seen = built(name), (0, 0, 0.0)
        for x_NI, y_N in zip(*(v.split(portion) for v in examples(name)), strict=True):
            more = taught.learn(x_NI, y_N)
            seen = tuple(a + b for a, b in zip(seen, more, strict=True))
        assert seen[0] == EXAMPLES
        found.append((state(taught), seen))
    for others, counts in found[1:]:
        assert counts[1] == found[0][1][1]
        assert counts[2] == pytest.approx(found[0][1][2], rel=1e-12)
        for key, value in others.items():
            torch.testing.assert_close(value, found[0][0][key], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", MAPS)
def test_what_a_map_is_lies_in_its_state(name: str) -> None:
    whole, first, then = built(name), built(name), MAP_CASES[name].build().double()
    x_NI, y_N = examples(name)
    whole.learn(x_NI[:8], y_N[:8])
    whole.learn(x_NI[8:], y_N[8:])
    first.learn(x_NI[:8], y_N[:8])
    then.load_state_dict(first.state_dict())
    then.learn(x_NI[8:], y_N[8:])
    assert same(state(then), state(whole))


@pytest.mark.parametrize("name", MAPS)
def test_looking_changes_nothing_and_units_are_numbers(name: str) -> None:
    taught, (x_NI, y_N) = built(name), examples(name)
    taught.learn(x_NI, y_N)
    before = state(taught)
    winner_N, classes_N = taught.winner(x_NI), taught.classes(x_NI)
    assert winner_N.dtype == torch.int64
    assert 0 <= int(winner_N.min()) <= int(winner_N.max()) < MAP_CASES[name].units
    assert taught.loss(x_NI).shape == (EXAMPLES,)
    assert all(fact.dim() == 0 for fact in taught.facts(x_NI).values())
    assert (classes_N is not None) == MAP_CASES[name].classifies
    assert same(before, state(taught))
    for n in range(EXAMPLES):  # each input alone
        assert torch.equal(taught.winner(x_NI[n : n + 1]), winner_N[n : n + 1])


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tie_goes_to_the_lowest_index(name: str, dtype: torch.dtype) -> None:
    taught, (x_NI, y_N) = built(name).to(dtype), examples(name)
    x_NI = x_NI.to(dtype)
    taught.learn(x_NI, y_N)
    art_map: Any = taught
    art: Any = getattr(art_map, "art", taught)
    taught.w_MI.copy_(x_NI[0].expand_as(taught.w_MI))
    if hasattr(art, "committed"):
        art.committed.fill_(len(taught.w_MI))
        art.size_M.fill_(float(x_NI[0].sum()))
    if MAP_CASES[name].classifies:
        art_map.class_M.fill_(int(y_N[0]))
    assert taught.winner(x_NI).tolist() == [0] * EXAMPLES
    taught.w_MI[0], taught.w_MI[1] = 1 - x_NI[0], 1 - x_NI[0]
    assert taught.winner(x_NI[:1]).tolist() == [2]
    twin = copy.deepcopy(taught)
    twin.learn(x_NI[:1], y_N[:1])
    assert torch.equal(twin.winner(x_NI[:1]), torch.tensor([2]))


@pytest.mark.parametrize("name", MAPS)
def test_templates_only_shrink_where_they_must(name: str) -> None:
    case, taught = MAP_CASES[name], built(name)
    fell = True
    for x_NI, y_N in zip(*(v.split(1) for v in examples(name)), strict=True):
        before_MI = taught.w_MI.clone()
        taught.learn(x_NI, y_N)
        fell &= bool((taught.w_MI <= before_MI).all())
    assert fell == case.shrinks


@pytest.mark.parametrize("name", MAPS)
def test_what_cannot_be_built_is_refused_in_a_line(name: str) -> None:
    for build, says in MAP_CASES[name].refused:
        with pytest.raises((ValueError, KeyError)) as error:
            build()
        assert says in str(error.value)
        assert "\n" not in str(error.value)


def _wrong(case: MapCase) -> list[tuple[Tensor, str]]:
    x_NI = case.inputs()
    shapes = [(x_NI[:, 1:], f"takes (N, {INPUTS})"), (x_NI[0], f"takes (N, {INPUTS})")]
    return shapes + [(make(x_NI), says) for make, says in case.wrong]


@pytest.mark.parametrize("name", MAPS)
def test_inputs_that_a_map_does_not_take_are_refused_in_a_line_and_not_learned(name: str) -> None:
    taught = built(name)
    before = state(taught)
    for x_NI, says in _wrong(MAP_CASES[name]):
        for look in (lambda x_NI: taught.learn(x_NI, torch.zeros(len(x_NI)).long()), taught.winner):
            with pytest.raises(ValueError, match=r".") as error:
                look(x_NI)
            assert says in str(error.value)
            assert "\n" not in str(error.value)
    assert same(before, state(taught))
