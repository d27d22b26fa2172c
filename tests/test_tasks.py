"""Every task is a pure function of a seed and an index; and what each of them asks for."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest
import torch

from lightning_modules.interfaces import Batch, Task
from pipeline.tasks import TASKS
from pipeline.tasks.adding import Adding
from pipeline.tasks.anbn import AnBn
from pipeline.tasks.bars_and_stripes import BarsAndStripes
from pipeline.tasks.binary_images import BinaryImages
from pipeline.tasks.character_ids import CharacterIds
from pipeline.tasks.circle_in_square import CircleInSquare
from pipeline.tasks.copy import Copy
from pipeline.tasks.dyck1 import Dyck1
from pipeline.tasks.embedded_reber import EmbeddedReber
from pipeline.tasks.encoder import Encoder
from pipeline.tasks.henon import Henon
from pipeline.tasks.images import Images
from pipeline.tasks.lagged_sum import LaggedSum
from pipeline.tasks.latching import Latching
from pipeline.tasks.listops import ListOps
from pipeline.tasks.lorenz import Lorenz
from pipeline.tasks.mackey_glass import MackeyGlass
from pipeline.tasks.mimic import Mimic
from pipeline.tasks.mixture import PLACES, Mixture
from pipeline.tasks.monks import Monks
from pipeline.tasks.nested_arithmetic import NestedArithmetic
from pipeline.tasks.next_character import NextCharacter
from pipeline.tasks.next_value import NextValue
from pipeline.tasks.next_word import NextWord
from pipeline.tasks.row_images import RowImages
from pipeline.tasks.sentence_class import SentenceClass
from pipeline.tasks.sunspots import Sunspots
from pipeline.tasks.temporal_order import TemporalOrder
from pipeline.tasks.temporal_xor import TemporalXor
from pipeline.tasks.transduction import Transduction
from pipeline.tasks.translation import Translation
from pipeline.tasks.word_tags import WordTags
from tests.toy import dated, images, pairs, requests, sentences, series, tagged, text

INSTANCES: dict[str, Callable[[int], Task]] = {
    "adding": lambda seed: Adding(seed, batch_size=4, length=9, held_out_size=7),
    "anbn": lambda seed: AnBn(seed, 4, length=20, held_out_size=30, longest=4),
    "bars_and_stripes": lambda seed: BarsAndStripes(seed, 28, held_out_size=14),
    "binary_images": lambda seed: BinaryImages(images(250), seed, 30, held_out_size=7),
    "character_ids": lambda seed: CharacterIds(text(), seed, 4, length=7, held_out_size=300),
    "circle_in_square": lambda seed: CircleInSquare(seed, 20, held_out_size=7, batch_size=4),
    "copy": lambda seed: Copy(seed, 4, alphabet=5, length=3, delay=2, held_out_size=7),
    "dyck1": lambda seed: Dyck1(seed, 4, length=9, held_out_size=7),
    "embedded_reber": lambda seed: EmbeddedReber(seed, 4, held_out_size=7),
    "encoder": lambda seed: Encoder(seed, 8, held_out_size=8),
    "henon": lambda seed: Henon(seed, 4, length=7, held_out_size=30),
    "images": lambda seed: Images(images(), seed, 4, held_out_size=7),
    "lagged_sum": lambda seed: LaggedSum(seed, 4, length=7, held_out_size=30),
    "temporal_xor": lambda seed: TemporalXor(seed, 4, length=7, held_out_size=30),
    "latching": lambda seed: Latching(seed, 40, length=7, held_out_size=70),
    "listops": lambda seed: ListOps(seed, 4, held_out_size=7, depth=2),
    "lorenz": lambda seed: Lorenz(seed, 4, length=7, held_out_size=30),
    "mackey_glass": lambda seed: MackeyGlass(seed, 4, length=7, held_out_size=30),
    "mimic": lambda seed: Mimic(seed, 4, length=7, held_out_size=30, units=8, input_size=5),
    "mixture": lambda seed: Mixture(seed, 4, held_out_size=7, arrangement="ring", spread=0.1),
    "monks": lambda seed: Monks(seed, problem=3, batch_size=9),
    "nested_arithmetic": lambda seed: NestedArithmetic(seed, 4, held_out_size=7, depth=2),
    "next_character": lambda seed: NextCharacter(text(), seed, 4, length=7, held_out_size=300),
    "next_value": lambda seed: NextValue(dated(), seed, 4, length=7, held_out_size=9, season=True),
    "next_word": lambda seed: NextWord(sentences(), seed, 4, length=7, held_out_size=99),
    "row_images": lambda seed: RowImages(images(), seed, 4, labels="last", held_out_size=7),
    "sentence_class": lambda seed: SentenceClass(requests(), seed, 4, held_out_size=15),
    "sunspots": lambda seed: Sunspots(series(), seed, 4, length=7, held_out_size=20),
    "temporal_order": lambda seed: TemporalOrder(seed, 4, length=10, held_out_size=7),
    "transduction": lambda seed: Transduction(seed, 4, "copy", 5, longest=6, held_out_size=7),
    "translation": lambda seed: Translation(pairs(), seed, 4, 1, longest=9, held_out_size=5),
    "word_tags": lambda seed: WordTags(tagged(), seed, 4, held_out_size=15),
}
OF_TOKENS = {
    "character_ids",
    "listops",
    "nested_arithmetic",
    "next_word",
    "sentence_class",
    "transduction",
    "translation",
    "word_tags",
}
"""Those whose inputs are numbers of tokens."""


def same(one: Batch, other: Batch) -> bool:
    """Compare all of two batches."""
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_every_task_has_an_instance_here():
    assert set(INSTANCES) == set(TASKS)


@pytest.mark.parametrize("make", INSTANCES.values(), ids=INSTANCES)
def test_a_batch_depends_on_seed_and_index_alone_not_on_order(make: Callable[[int], Task]):
    forwards, backwards = make(3), make(3)
    seen = {index: forwards.batch(index) for index in range(12)}
    for index in reversed(range(12)):
        assert same(backwards.batch(index), seen[index])
    assert not any(same(one, other) for one, other in pairwise(seen.values()))
    assert not same(make(4).batch(0), seen[0])


@pytest.mark.parametrize("make", INSTANCES.values(), ids=INSTANCES)
def test_the_held_out_data_stays_the_same_whatever_is_trained_on(make: Callable[[int], Task]):
    task = make(3)
    before = list(task.held_out())
    task.batch(5)
    after = list(task.held_out())
    assert before
    assert all(same(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("name", INSTANCES)
def test_batches_have_the_shapes_and_types_of_the_contract(name: str):
    task = INSTANCES[name](3)
    for batch in (task.batch(0), *task.held_out()):
        T, B, I = batch.x_TBI.shape  # noqa: E741  the axis' letter
        assert task.input_size == I
        assert batch.x_TBI.dtype == (torch.int64 if name in OF_TOKENS else torch.float32)
        assert batch.mask_TB.shape == batch.resets_TB.shape == (T, B)
        assert batch.mask_TB.dtype == batch.resets_TB.dtype == torch.bool
        if task.loss == "cross_entropy":
            assert batch.y_TB.shape == (T, B)
            assert batch.y_TB.dtype == torch.int64
            assert 0 <= batch.y_TB.min() <= batch.y_TB.max() < task.output_size
        else:
            assert batch.y_TB.shape == (T, B, task.output_size)
            assert batch.y_TB.dtype == torch.float32
    assert task.batch(0).resets_TB[0].all()


def test_adding_asks_at_the_end_for_the_sum_of_two_marked_values():
    batch = Adding(0, batch_size=50, length=9, held_out_size=1).batch(0)
    value_TB, marker_TB = batch.x_TBI.unbind(-1)
    assert (marker_TB[:4].sum(dim=0) == 1).all()
    assert (marker_TB[4:].sum(dim=0) == 1).all()
    torch.testing.assert_close(batch.y_TB[-1, :, 0], (value_TB * marker_TB).sum(dim=0))
    assert batch.mask_TB.sum() == batch.mask_TB[-1].sum() == 50


def test_adding_by_chance_has_a_squared_error_of_one_sixth():
    y_N = torch.cat([b.y_TB[-1, :, 0] for b in Adding(0, 1, 20, held_out_size=20_000).held_out()])
    error_N = (y_N - 1).square()
    standard_error = error_N.std() / len(error_N) ** 0.5
    assert abs(error_N.mean() - Adding.chance_loss) < 4 * standard_error
    assert len(y_N) == 20_000
    assert len(y_N.unique()) > 19_000, "no sequence is drawn twice"


def test_held_out_sequences_are_not_those_that_are_trained_on():
    task = Adding(0, batch_size=7, length=20, held_out_size=7)
    assert not same(task.batch(0), next(task.held_out()))


def test_copy_asks_for_the_same_symbols_after_the_delay_and_the_signal():
    task = Copy(0, batch_size=6, alphabet=5, length=3, delay=4, held_out_size=1)
    batch = task.batch(0)
    input_TB = batch.x_TBI.argmax(dim=-1)
    blank, go = 5, 6
    assert input_TB.shape == (10, 6)
    assert (batch.x_TBI.sum(dim=-1) == 1).all()
    assert torch.equal(batch.y_TB[-3:], input_TB[:3])
    assert (input_TB[:3] < 5).all()
    assert (input_TB[3:6] == blank).all()
    assert (input_TB[6] == go).all()
    assert (input_TB[7:] == blank).all()
    assert not batch.mask_TB[:-3].any()
    assert batch.mask_TB[-3:].all()
    assert task.chance_loss == math.log(5)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Adding(0, 1, 1, 1), "length is 1: it must be at least 2"),
        (lambda: Adding(-1, 1, 5, 1), "seed is -1"),
        (lambda: Adding(0, 0, 5, 1), "batch_size is 0"),
        (lambda: Adding(0, 1, 5, 0), "held_out_size is 0"),
        (lambda: Adding(0, 1, 5, 1).batch(-1), "index is -1"),
        (lambda: Copy(0, 1, 1, 1, 1, 1), "alphabet is 1: it must be at least 2"),
        (lambda: Copy(0, 1, 2, 1, 0, 1), "delay is 0"),
        (
            lambda: NextCharacter(text(), 0, 1000, 5, 100),
            "batch_size is 1000, the corpus has but 999",
        ),
        (lambda: NextCharacter(text(), 0, 1, 0, 100), "length is 0"),
        (lambda: NextCharacter(text(), 0, 1, 1, 39), "held_out_size is 39: it must be at least 40"),
        (lambda: RowImages(images(), 0, 30, "last", 1), "batch_size is 30, there are 29 images"),
        (
            lambda: RowImages(images(), 0, 1, cast(Any, "all"), 1),
            "labels is 'all', must be one of: last, every",
        ),
        (lambda: Henon(0, 1, 5, 5, reset_every=0), "reset_every is 0: it must be at least 1"),
        (lambda: Henon(0, 0, 5, 5), "batch_size is 0"),
        (lambda: MackeyGlass(0, 1, 5, 5, delay=0), "delay is 0: it must be at least 1"),
        (lambda: Sunspots(series(), 0, 270, 5, 5), "batch_size is 270, the series has but 269"),
        (lambda: AnBn(0, 1, 5, 5, longest=1), "longest is 1: it must be at least 2"),
        (lambda: LaggedSum(0, 1, 5, 5, first=6, second=6), "second is 6: it must be at least 7"),
        (lambda: LaggedSum(0, 1, 5, 5, second=5001), "second is 5001, must be at most 5000"),
        (
            lambda: NextValue(dated(), 0, 1, length=230, held_out_size=60),
            "length is 230 and held_out_size 60: the training part has 288 values",
        ),
        (lambda: NextValue(dated(), 0, 1, length=5, held_out_size=0), "held_out_size is 0"),
        (lambda: NextValue(dated(), 0, 1, 5, 5, warm_up=5), "length is 5: it must be at least 6"),
        (lambda: Latching(0, 1, 2, 1), "length is 2: it must be at least 3"),
        (lambda: Latching(0, 1, 5, 1, signs=0), "signs is 0: it must be at least 1"),
        (
            lambda: Latching(0, 1, 5, 1, variance=0.0),
            "variance is 0.0: it must be finite and above 0",
        ),
        (lambda: TemporalOrder(0, 1, 9, 1), "length is 9: it must be at least 10"),
        (lambda: EmbeddedReber(0, 1, 0), "held_out_size is 0"),
        (lambda: Mimic(0, 1, 5, 5, units=0), "units is 0: it must be at least 1"),
    ],
)
def test_an_impossible_argument_is_refused_in_one_line(make: Callable[[], object], says: str):
    with pytest.raises(ValueError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_dyck1_asks_after_each_bracket_whether_one_is_open():
    batch = Dyck1(0, batch_size=200, length=30, held_out_size=1).batch(0)
    step_TB = 1 - 2 * batch.x_TBI.argmax(dim=-1)
    depth_TB = step_TB.cumsum(dim=0)
    assert depth_TB.min() == 0
    assert torch.equal(batch.y_TB, (depth_TB > 0).long())
    may_close_TB = depth_TB[:-1] > 0
    closes = (step_TB[1:] < 0)[may_close_TB].double().mean()
    assert closes == pytest.approx(0.5, abs=4 * 0.5 / int(may_close_TB.sum()) ** 0.5)
    assert not (step_TB[1:] < 0)[~may_close_TB].any()


@pytest.mark.parametrize("arrangement", PLACES)
def test_a_mixture_is_spread_around_its_places_each_as_likely(arrangement: str):
    task = Mixture(0, 20_000, 1, arrangement, spread=0.1)
    batch, places_KI = task.batch(0), torch.tensor(PLACES[arrangement])
    off_BI = batch.x_TBI[0] - places_KI[batch.y_TB[0]]
    assert float(off_BI.std()) == pytest.approx(0.1, rel=0.05)
    assert float(off_BI.mean()) == pytest.approx(0, abs=0.01)
    counts = batch.y_TB[0].bincount(minlength=len(places_KI)) / 20_000
    assert float(counts.min()) > 0.8 / len(places_KI)


def test_a_mixture_without_spread_lies_at_its_places():
    assert not Mixture(0, 5, 1, "origin", 0.0).batch(3).x_TBI.any()
    with pytest.raises(ValueError, match="did you mean 'ring'"):
        Mixture(0, 5, 1, "rnig", 0.0)
    with pytest.raises(ValueError, match=r"spread is -0\.1"):
        Mixture(0, 5, 1, "ring", -0.1)


def test_bars_and_stripes_are_fourteen_of_side_three_each_as_often():
    task = BarsAndStripes(0, 28, held_out_size=14)
    assert len(task.examples_NI) == len({tuple(x) for x in task.examples_NI.tolist()}) == 14
    for x_NI in (task.batch(3).x_TBI[0], torch.cat([task.examples_NI] * 2)):
        sorted_NI = sorted(x_NI.tolist())
        assert sorted_NI == sorted(torch.cat([task.examples_NI] * 2).tolist())
    for x_I in task.examples_NI:
        x_YX = x_I.view(3, 3)
        assert (x_YX == x_YX[:, :1]).all() or (x_YX == x_YX[:1]).all()
    with pytest.raises(ValueError, match="batch_size is 15: it must be a multiple of 14"):
        BarsAndStripes(0, 15, held_out_size=14)


def test_the_encoders_groups_say_the_same():
    one_NI, other_NI = Encoder(0, 8, held_out_size=8).examples_NI.split(8, dim=1)
    assert torch.equal(one_NI, other_NI)
    assert torch.equal(one_NI, torch.eye(8))


def test_inverted_pictures_have_every_pixel_turned_over():
    plain, inverted = (BinaryImages(images(250), 0, 9, 7, inverted=i) for i in (False, True))
    assert torch.equal(plain.batch(2).x_TBI, 1 - inverted.batch(2).x_TBI)
    assert set(plain.batch(2).x_TBI.flatten().tolist()) == {0.0, 1.0}
