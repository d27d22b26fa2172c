"""ART: search by hand, reductions, stability, match tracking, and bounds."""

from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.maps._coding import Bits, Coded
from lightning_modules.maps.art1 import ART1
from lightning_modules.maps.artmap import ARTMAP
from lightning_modules.maps.fuzzy_art import FuzzyART
from lightning_modules.maps.som import SOM


def points(size: int, inputs: int = 2, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(size, inputs, generator=generator, dtype=torch.float64)


def coded(a_ND: Tensor) -> Tensor:
    return torch.cat([a_ND, 1 - a_ND], dim=1)


def codes(taught: Any, x_NI: Tensor, y_N: Tensor | None = None) -> list[int]:
    """Return the category that each input was coded by, one after the other."""
    found = []
    art = getattr(taught, "art", taught)
    for n in range(len(x_NI)):
        before_MI, K = art.w_MI.clone(), int(art.committed)
        taught.learn(x_NI[n : n + 1], None if y_N is None else y_N[n : n + 1])
        moved = (art.w_MI != before_MI).any(1).nonzero().flatten().tolist()
        assert len(moved) <= 1
        if not moved:  # it lies in a template already
            t_K, match_K = (of_1K[0] for of_1K in art.compare(x_NI[n : n + 1]))
            t_K = t_K if y_N is None else t_K.where(taught.class_M[:K] == y_N[n], -torch.inf)
            moved = [int(t_K.where(match_K >= art.vigilance, -torch.inf).argmax())]
        found += moved
    return found


def test_letters_are_coded_as_by_hand() -> None:
    """With α = 1 and ρ = .6: worked out with pencil and paper."""
    x_NI = torch.tensor(
        [
            [1, 1, 1, 0, 0],  # new: 0
            [1, 1, 0, 0, 0],  # T 2/4, match 2/2: 0, which becomes 11000
            [1, 1, 1, 0, 0],  # T 2/3, match 2/3: 0 again
            [1, 1, 1, 1, 0],  # match 2/4 < .6: new, 1
            [0, 0, 1, 1, 0],  # match 0 and 2/2: 1, which becomes 00110
            [1, 1, 1, 1, 1],  # match 2/5 and 2/5: new, 2
            [0, 0, 1, 1, 0],  # T of 1 is 2/3, of 2 2/6: 1
            [1, 1, 1, 1, 0],  # T 2/3, 2/3, 4/6, match 2/4, 2/4, 4/4: 2, which becomes 11110
        ]
    ).double()
    taught = ART1(5, 9, vigilance=0.6, choice=1.0).double()
    assert codes(taught, x_NI) == [0, 0, 0, 1, 1, 2, 1, 2]
    assert taught.templates_KI.tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [1, 1, 1, 1, 0]]
    assert taught.size_M[:3].tolist() == [2, 2, 4]


@pytest.mark.parametrize("kind", [ART1, FuzzyART])
def test_of_equal_templates_the_first_learns(kind: Any) -> None:
    art = kind(4, 5, vigilance=0.0).double()
    art.learn(torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0]]).double())
    art.w_MI[:3] = torch.tensor([1.0, 1, 1, 0])  # three, of which all are as good
    art.committed.fill_(3)
    art.size_M[:3] = 3
    art.learn(torch.tensor([[1, 0, 0, 1]] if kind is FuzzyART else [[1, 0, 0, 0]]).double())
    assert art.size_M[:3].tolist() == [1, 3, 3]


def test_fuzzy_art_on_bits_is_art_1() -> None:
    generator = torch.Generator().manual_seed(2)
    x_NI = coded((torch.rand(200, 9, generator=generator) > 0.5).double())
    for vigilance in (0.3, 0.6, 0.8):
        found = [codes(kind(18, 200, vigilance, 0.5).double(), x_NI) for kind in (ART1, FuzzyART)]
        assert found[0] == found[1]
        assert len(set(found[0])) > 3


def test_as_alpha_goes_to_0_nothing_changes_from_the_second_pass_on() -> None:
    x_NI = coded(points(1000))
    changes = {}
    for choice in (1e-7, 0.1):
        taught = FuzzyART(4, 300, vigilance=0.7, choice=choice).double()
        changes[choice] = [taught.learn(x_NI).changes for _ in range(4)]
    assert changes[1e-7][0] > 0
    assert changes[1e-7][1:] == [0, 0, 0]
    assert min(changes[0.1][1:3]) > 0


def test_boxes_hold_what_they_coded_and_are_no_larger_than_vigilance_allows() -> None:
    a_ND, vigilance = points(500), 0.75
    taught = FuzzyART(4, 300, vigilance, choice=1e-7).double()
    taught.learn(coded(a_ND))
    low_KD, high_KD = taught.templates_KI[:, :2], 1 - taught.templates_KI[:, 2:]
    assert float((high_KD - low_KD).sum(1).max()) <= 2 * (1 - vigilance) + 1e-12
    J_N = taught.winner(coded(a_ND))
    assert bool(((a_ND >= low_KD[J_N] - 1e-12) & (a_ND <= high_KD[J_N] + 1e-12)).all())
    assert float(taught.loss(coded(a_ND)).max()) <= 1 - vigilance + 1e-12


def test_slow_recoding_moves_a_part_of_the_way() -> None:
    taught = FuzzyART(2, 5, vigilance=0.0, rate=0.25).double()
    taught.learn(torch.tensor([[0.2, 0.8], [0.6, 0.4]], dtype=torch.float64))
    assert taught.templates_KI.flatten().tolist() == pytest.approx([0.2, 0.8 - 0.25 * 0.4])


def test_higher_vigilance_makes_more_categories() -> None:
    x_NI = coded(points(300))
    counts = []
    for vigilance in (0.0, 0.5, 0.7, 0.9):
        taught = FuzzyART(4, 300, vigilance).double()
        taught.learn(x_NI)
        counts.append(int(taught.committed))
    assert counts == sorted(set(counts))


def test_no_room_for_one_more_is_said_in_a_line() -> None:
    taught = FuzzyART(4, 3, vigilance=0.95).double()
    with pytest.raises(ValueError, match="all 3 categories are taken: give more capacity, or"):
        taught.learn(coded(points(50)))


def test_match_tracking_finds_a_finer_category_for_the_same_place() -> None:
    taught = ARTMAP(FuzzyART(2, 9, vigilance=0.0)).double()
    a_N1 = torch.tensor([[0.1], [0.9], [0.5], [0.5]]).double()
    y_N = torch.tensor([0, 0, 1, 1])
    assert taught.learn(coded(a_N1), y_N).loss == 2  # the first is new, the third in the box of 0
    assert taught.art.templates_KI.flatten().tolist() == pytest.approx([0.1, 0.1, 0.5, 0.5])
    assert taught.class_M.tolist() == [0, 1] + [-1] * 7
    assert taught.classes(coded(torch.tensor([[0.5], [0.2]]).double())).tolist() == [1, 0]
    assert taught.art.vigilance == 0.0


def test_every_example_is_right_after_it_was_learned() -> None:
    x_NI = coded(points(300))
    y_N = ((x_NI[:, :2] - 0.5).square().sum(1) < 1 / (2 * torch.pi)).long()
    taught = ARTMAP(FuzzyART(4, 300, vigilance=0.0, choice=1e-7)).double()
    seen = [taught.learn(x_NI, y_N) for _ in range(6)][-1]
    assert (seen.changes, seen.loss) == (0, 0)
    assert torch.equal(taught.classes(x_NI), y_N)


@pytest.mark.parametrize(
    "y_N", [None, torch.zeros(3).long(), torch.zeros(4), torch.zeros(4, 1).long()]
)
def test_artmap_asks_for_a_class_each(y_N: Any) -> None:
    taught = ARTMAP(FuzzyART(4, 9)).double()
    with pytest.raises(ValueError, match="ARTMAP takes a whole number for each input"):
        taught.learn(coded(points(4)), y_N)


def test_bounds_are_those_of_what_is_learned_from() -> None:
    train_NI = torch.tensor([[2.0, 5.0, -1.0], [4.0, 5.0, 3.0]]).double()
    taught = Coded.by(FuzzyART(6, 9), train_NI).double()
    held_out_NI = torch.tensor([[3.0, 7.0, 9.0], [0.0, 5.0, 0.0]]).double()
    expected = [[0.5, 0, 1, 0.5, 1, 0], [0, 0, 0.25, 1, 1, 0.75]]
    assert taught.code(held_out_NI).tolist() == expected
    for x_NI in (train_NI, held_out_NI):  # whatever is looked at later, the code is the same
        taught.learn(x_NI)
        taught.winner(100 * x_NI)
        assert taught.code(held_out_NI).tolist() == expected
    with pytest.raises(ValueError, match="low not above high"):
        Coded(FuzzyART(4, 9), torch.ones(2), torch.zeros(2))


def test_a_coded_map_is_the_map_of_the_code() -> None:
    a_NI, y_N = 7 * points(60) - 3, (points(60)[:, 0] > 0.5).long()
    outer = Coded.by(ARTMAP(FuzzyART(4, 60, 0.0)), a_NI).double()
    inner = ARTMAP(FuzzyART(4, 60, 0.0)).double()
    assert outer.learn(a_NI, y_N) == inner.learn(outer.code(a_NI), y_N)
    assert torch.equal(outer.w_MI, inner.w_MI)
    assert torch.equal(outer.winner(a_NI), inner.winner(outer.code(a_NI)))
    assert torch.equal(outer.loss(a_NI), inner.loss(outer.code(a_NI)))
    assert outer.facts(a_NI) == inner.facts(outer.code(a_NI))
    classes_N = outer.classes(a_NI)
    assert classes_N is not None
    assert torch.equal(classes_N, inner.classes(outer.code(a_NI)))
    assert Coded.by(SOM(4, 2, 2), a_NI).double().classes(a_NI) is None


def test_bits_are_ones_above_the_threshold_alone() -> None:
    outer, inner = Bits(ART1(3, 9), 0.5).double(), ART1(3, 9).double()
    x_NI = torch.tensor([[0.2, 0.5, 0.9], [0.6, 0.7, 0.1]], dtype=torch.float64)
    assert outer.code(x_NI).tolist() == [[0, 0, 1], [1, 1, 0]]
    assert outer.learn(x_NI) == inner.learn(outer.code(x_NI))
    assert torch.equal(outer.w_MI, inner.w_MI)
    with pytest.raises(ValueError, match="threshold is nan"):
        Bits(ART1(3, 9), float("nan"))
