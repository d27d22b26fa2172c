"""What the tasks made of texts and pictures read, and in which order."""

import dataclasses
from collections import Counter
from typing import Any

import pytest
import torch

from lightning_modules.interfaces import Batch
from pipeline.tasks._tokens import HELD_OUT_STREAMS
from pipeline.tasks.character_ids import CharacterIds
from pipeline.tasks.images import Images
from pipeline.tasks.next_character import NextCharacter
from pipeline.tasks.next_value import NextValue
from pipeline.tasks.next_word import NextWord
from pipeline.tasks.row_images import RowImages
from tests.toy import NOWHERE, dated, images, sentences, text


def test_a_stream_goes_on_where_the_batch_before_stopped():
    task = NextCharacter(text(), seed=1, batch_size=3, length=7, held_out_size=100)
    at_NB = torch.cat([task.batch(i).x_TBI.argmax(dim=-1) for i in range(100)])
    resets_NB = torch.cat([task.batch(i).resets_TB for i in range(100)])
    y_NB = torch.cat([task.batch(i).y_TB for i in range(100)])
    assert torch.equal(y_NB, at_NB + 1)
    assert torch.equal(at_NB[1:][~resets_NB[1:]], y_NB[:-1][~resets_NB[1:]])
    assert (at_NB[1:][resets_NB[1:]] != y_NB[:-1][resets_NB[1:]]).all()


def test_one_pass_of_all_streams_reads_every_step_of_the_text_once():
    task = NextCharacter(text(1001), seed=1, batch_size=4, length=7, held_out_size=100)
    at_NB = torch.cat([task.batch(i).x_TBI.argmax(dim=-1) for i in range(40)])
    assert sorted(at_NB[:250].flatten().tolist()) == list(range(1000))
    assert torch.equal(at_NB[250:], at_NB[: len(at_NB) - 250])


def test_a_stream_starts_over_at_the_end_of_its_piece_in_mid_batch():
    task = NextCharacter(text(1001), seed=1, batch_size=4, length=7, held_out_size=100)
    resets_NB = torch.cat([task.batch(i).resets_TB for i in range(40)])
    assert resets_NB[0].all()
    assert resets_NB[250].all()
    assert resets_NB[1:250].sum() == 1, "where the ring joins the text's end and beginning"


def test_the_held_out_text_is_read_once_by_streams_that_carry_on():
    task = NextCharacter(text(), seed=1, batch_size=3, length=7, held_out_size=301)
    batches = list(task.held_out())
    at_NB = torch.cat([b.x_TBI.argmax(dim=-1) for b in batches])
    resets_NB = torch.cat([b.resets_TB for b in batches])
    assert sorted(at_NB.flatten().tolist()) == list(range(300))
    assert resets_NB[0].all()
    assert not resets_NB[1:].any()
    assert at_NB.shape[1] == HELD_OUT_STREAMS


def numbers_of(batch: Batch) -> list[int]:
    """Return which pictures a batch shows, read by rows."""
    return (batch.x_TBI[0, :, 0] * 255).round().long().tolist()


def test_rows_of_a_picture_are_steps_and_its_pixels_lie_in_0_to_1():
    pictures = images()
    batch = RowImages(pictures, 0, 5, labels="last", held_out_size=1).batch(0)
    assert batch.x_TBI.shape == (3, 5, 2)
    number_B = (batch.x_TBI[0, :, 0] * 255).round().long()
    torch.testing.assert_close(batch.x_TBI, pictures.train_x_NHW[number_B].transpose(0, 1) / 255)
    assert torch.equal(batch.y_TB, pictures.train_y_N[number_B].expand(3, 5))


@pytest.mark.parametrize(("labels", "counted"), [("last", [0, 0, 5]), ("every", [5, 5, 5])])
def test_the_label_counts_at_the_last_row_or_at_every_row(labels, counted: list[int]):
    batch = RowImages(images(), 0, 5, labels=labels, held_out_size=1).batch(0)
    assert batch.mask_TB.sum(dim=1).tolist() == counted


def test_an_epoch_shows_every_picture_once_in_a_new_order():
    task = RowImages(images(), 0, 5, labels="last", held_out_size=5)
    shown = torch.cat([torch.tensor(numbers_of(task.batch(i))) for i in range(10)])
    first, second = shown.split(25)
    (held_out,) = task.held_out()
    left = set(range(30)) - set(numbers_of(held_out))
    assert sorted(first.tolist()) == sorted(second.tolist()) == sorted(left)
    assert not torch.equal(first, second)


def test_pictures_that_are_held_out_and_tested_are_spread_over_their_parts():
    pictures = images()
    test = dataclasses.replace(pictures, test_x_NHW=pictures.test_x_NHW + 100)
    task = RowImages(test, 0, 5, labels="last", held_out_size=3)
    assert [numbers_of(batch) for batch in task.held_out()] == [[0, 10, 20]]
    assert [numbers_of(batch) for batch in task.test()] == [[100, 110, 120]]
    everything = RowImages(images(), 0, 5, labels="last", held_out_size=10_000)
    assert sum(len(numbers_of(batch)) for batch in everything.held_out()) == 15


def test_a_whole_picture_is_one_step_and_its_class_or_itself_is_asked_for():
    pictures = images()
    seen = Images(pictures, 0, 5, held_out_size=1).batch(0)
    number_B = (seen.x_TBI[0, :, 0] * 255).round().long()
    assert seen.x_TBI.shape == (1, 5, 6)
    assert torch.equal(seen.y_TB[0], pictures.train_y_N[number_B])
    again = Images(pictures, 0, 5, held_out_size=1, targets="picture").batch(0)
    assert torch.equal(again.x_TBI, seen.x_TBI)
    assert torch.equal(again.y_TB, seen.x_TBI)


def test_a_picture_of_one_grey_stays_so_at_another_size():
    batch = Images(images(), 0, 5, held_out_size=1, size=7).batch(0)
    assert batch.x_TBI.shape == (1, 5, 49)
    torch.testing.assert_close(batch.x_TBI, batch.x_TBI[..., :1].expand(-1, -1, 49))


def test_fewer_training_pictures_are_drawn_by_the_seed_and_shown_again_each_epoch():
    def epoch(seed: int, number: int) -> list[int]:
        task = Images(images(), seed, 3, held_out_size=1, train_size=9)
        batches = [task.batch(3 * number + i) for i in range(3)]
        return sorted(int(x) for b in batches for x in (b.x_TBI[0, :, 0] * 255).round())

    assert epoch(0, 0) == epoch(0, 5)
    assert len(set(epoch(0, 0))) == 9
    assert epoch(0, 0) != epoch(1, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"targets": "colour"}, "targets is 'colour', must be one of: class, picture"),
        ({"size": 0}, "size is 0: it must be at least 1, or None"),
        ({"train_size": 0}, "train_size is 0: it must be at least 1"),
        ({"train_size": 4}, "batch_size is 5, there are 4 images"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, words: str):
    with pytest.raises(ValueError, match=words):
        Images(images(), 0, 5, held_out_size=1, **options)


def test_more_than_a_data_set_has_is_refused_and_what_stands_in_for_it_gives_all_that_it_has():
    real = dataclasses.replace(NOWHERE, embedded=False, served="MNIST")
    of: dict[str, Any] = {"seed": 0, "batch_size": 5}
    pictures = images()
    assert Images(pictures, **of, held_out_size=31, train_size=31).trained == 15
    pictures = dataclasses.replace(pictures, provenance=real)
    assert Images(pictures, **of, held_out_size=10, train_size=20).trained == 20
    with pytest.raises(ValueError, match="train_size is 21: MNIST has 20 pictures to learn from"):
        Images(pictures, **of, held_out_size=10, train_size=21)
    with pytest.raises(ValueError, match="held_out_size is 16: MNIST has 15 pictures to hold out"):
        RowImages(pictures, **of, labels="last", held_out_size=16)
    words = dataclasses.replace(text(), provenance=real)
    NextCharacter(words, **of, length=5, held_out_size=500)
    with pytest.raises(ValueError, match="is 501: MNIST has 500 tokens to hold out"):
        NextCharacter(words, **of, length=5, held_out_size=501)


@pytest.mark.parametrize("held_out", [0, 1, 20, 21])
def test_a_text_too_short_to_be_held_out_is_refused_at_once(held_out: int):
    whole = text()
    short = dataclasses.replace(whole, valid_N=whole.valid_N[:held_out])
    sizes: dict[str, Any] = {"seed": 0, "batch_size": 2, "length": 5, "held_out_size": 40}
    if held_out <= HELD_OUT_STREAMS:
        with pytest.raises(ValueError, match=f"has {held_out} tokens to validate on"):
            NextCharacter(short, **sizes)
    else:
        (batch,) = NextCharacter(short, **sizes).held_out()
        assert batch.x_TBI.shape[:2] == (1, HELD_OUT_STREAMS)


@pytest.mark.parametrize("value", [2.5, True, "3", 0])
@pytest.mark.parametrize("name", ["seed", "batch_size", "length", "held_out_size"])
def test_sizes_that_are_no_whole_numbers_are_refused_at_once(name: str, value: Any):
    if (name, value) == ("seed", 0):
        return
    sizes: dict[str, Any] = {"seed": 0, "batch_size": 2, "length": 5, "held_out_size": 40}
    with pytest.raises(ValueError, match=f"{name} is") as error:
        NextCharacter(text(), **(sizes | {name: value}))
    assert "\n" not in str(error.value)


def test_words_are_numbered_by_how_often_training_has_them_and_new_ones_are_unknown():
    words = sentences()
    task = NextWord(words, seed=0, batch_size=3, length=7, held_out_size=100)
    counts = Counter(words.train)
    often = [counts[word] for word in task.vocabulary.words(range(len(counts)))]
    assert often == sorted(often, reverse=True)
    assert "new" not in task.vocabulary
    spoken = task.vocabulary.words(torch.cat([b.y_TB[:, 0] for b in task.test()]))
    expected = [word if word in counts else "<unk>" for word in words.test]
    assert spoken == expected
    assert "<unk>" in spoken
    assert "<eos>" in spoken


@pytest.mark.parametrize("chunk", [7, 35, 70, 10_000])
def test_every_word_of_the_test_part_is_scored_once_after_the_one_before_it(chunk: int):
    words = sentences()
    task = NextWord(words, seed=0, batch_size=3, length=7, held_out_size=100)
    batches = list(task.test(chunk))
    x_N = torch.cat([b.x_TBI[:, 0, 0] for b in batches])
    y_N = torch.cat([b.y_TB[:, 0] for b in batches])
    assert sum(int(b.mask_TB.sum()) for b in batches) == len(words.test)
    assert task.vocabulary.words(x_N[:1]) == ["<eos>"]
    assert torch.equal(x_N[1:], y_N[:-1])
    resets_N = torch.cat([b.resets_TB[:, 0] for b in batches])
    assert resets_N.nonzero().flatten().tolist() == [0]


def test_streams_of_words_read_the_text_once_a_pass_and_start_over_at_their_ends():
    words = sentences()
    task = NextWord(words, seed=1, batch_size=4, length=7, held_out_size=100)
    piece = (len(words.train) - 1) // 4
    batches = [task.batch(index) for index in range(2 * piece // 7 + 1)]
    x_NB = torch.cat([b.x_TBI[..., 0] for b in batches])
    y_NB = torch.cat([b.y_TB for b in batches])
    resets_NB = torch.cat([b.resets_TB for b in batches])
    assert torch.equal(x_NB[1:][~resets_NB[1:]], y_NB[:-1][~resets_NB[1:]])
    assert resets_NB[0].all()
    assert resets_NB[piece].all()
    assert torch.equal(x_NB[:piece], x_NB[piece : 2 * piece])


def test_characters_are_tested_on_the_last_tenth_after_the_last_that_was_trained_on():
    whole = text()
    task = CharacterIds(whole, seed=0, batch_size=3, length=7, held_out_size=100)
    batches = list(task.test())
    x_N = torch.cat([b.x_TBI[:, 0, 0] for b in batches])
    y_N = torch.cat([b.y_TB[:, 0] for b in batches])
    assert torch.equal(y_N, torch.cat([whole.valid_N, whole.test_N]))
    assert int(x_N[0]) == int(whole.train_N[-1])


def test_stretches_of_a_series_are_scaled_by_its_training_part_and_end_with_it():
    task = NextValue(dated(), 0, 400, length=7, held_out_size=9, horizon=3, warm_up=2)
    assert task.mean == pytest.approx(143.5)
    assert task.deviation == pytest.approx(((288**2 - 1) / 12) ** 0.5)
    batch = task.batch(0)
    value_TB = task.unscaled(batch.x_TBI[..., 0], torch.zeros(1, dtype=torch.int64))
    y_TBO = task.unscaled(batch.y_TB, torch.zeros(1, dtype=torch.int64))
    ahead_H = torch.arange(1, 4)
    torch.testing.assert_close(y_TBO, value_TB[..., None] + ahead_H, rtol=0, atol=1e-3)
    assert value_TB.round().unique().tolist() == list(range(9, 288 - 3))
    assert y_TBO.round().max() == 287, "the last value of the training part, and no later one"
    assert not batch.mask_TB[:2].any()
    assert batch.mask_TB[2:].all()
    (oldest,) = task.held_out()
    read_T = task.unscaled(oldest.x_TBI[:, 0, 0], torch.zeros(1, dtype=torch.int64))
    assert read_T.round().tolist() == list(range(9))


def test_anomalies_are_off_each_months_mean_and_the_season_is_that_of_the_step():
    task = NextValue(dated(), 0, 5, 7, 9, anomalies=True, season=True)
    # Of months that rise by one, month m's mean is 138 + m and all anomalies of a year are alike.
    assert task.climatology_M.tolist() == [138 + m for m in range(12)]
    assert len(task.scaled_N[:288].unique()) == 24
    at = torch.arange(300)
    torch.testing.assert_close(task.unscaled(task.scaled_N, at), at.double(), rtol=0, atol=1e-4)
    at_TB = torch.tensor([[0, 15], [3, 18]])
    x_TBI = task.inputs(torch.zeros(2, 2), at_TB)
    expected = torch.tensor([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, -1.0]]])
    torch.testing.assert_close(x_TBI[..., :2], expected)
