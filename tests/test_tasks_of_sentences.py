"""Sentences as ids: what each part may know, which come together, and that padding is nothing."""

import dataclasses
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.interfaces import Batch
from lightning_modules.networks.sequence_classifier import SequenceClassifier
from lightning_modules.networks.tagger import Tagger
from lightning_modules.training.backprop import BackpropLearner
from pipeline.data.sets._base import TaggedSentence
from pipeline.tasks import _sentences
from pipeline.tasks._sentences import SPELT, Sentences
from pipeline.tasks.sentence_class import SentenceClass, words_of
from pipeline.tasks.word_tags import WordTags
from tests.toy import requests, tagged

SIZES: dict[str, Any] = {"seed": 1, "batch_size": 8, "held_out_size": 15}


def of_classes(**options: Any) -> SentenceClass:
    return SentenceClass(requests(), **{**SIZES, **options})


def of_tags(**options: Any) -> WordTags:
    return WordTags(tagged(), **{**SIZES, **options})


TASKS = pytest.mark.parametrize("build", [of_classes, of_tags])


def read(task: Sentences, batch: Batch) -> list[tuple[str, ...]]:
    """Return a batch's sentences as words."""
    x_TB = batch.x_TBI[..., 0]
    return [tuple(task.vocabulary.words(x_T[x_T != 0])) for x_T in x_TB.t()]


def learner_of(task: Sentences) -> BackpropLearner:
    """Return a drawn network that reads both ways, and characters."""
    torch.manual_seed(0)
    of: dict[str, Any] = {"word_size": 5, "hidden_size": 4, "both": True}
    of |= {"characters": task.characters, "character_size": 3, "character_units": 3}
    sizes = task.words, task.output_size
    if isinstance(task, WordTags):
        network: torch.nn.Module = Tagger(*sizes, **of)
    else:
        network = SequenceClassifier(*sizes, pooling="maximum", **of)
    learner = BackpropLearner(network.double(), task.loss, "adam", 0.1)
    learner.begin(task)
    learner.configure_optimizers()
    return learner


@TASKS
def test_a_word_that_only_held_out_or_tested_sentences_have_is_not_known(build: Any) -> None:
    task = build(unknown_rate=0.0)
    trained = {word for i in range(9) for words in read(task, task.batch(i)) for word in words}
    assert "<unk>" not in trained
    for part in (task.held_out, task.test):
        words = {word for batch in part() for words in read(task, batch) for word in words}
        assert "<unk>" in words
        assert words - {"<unk>"} <= {*trained, *task.vocabulary.words(range(task.words))}
    assert "new3ing" not in task.vocabulary
    assert "w0" not in task.vocabulary, "the first request is held out"


def test_held_out_sentences_are_spread_over_the_training_part_and_not_trained_on() -> None:
    task, text = of_classes(unknown_rate=0.0), requests()
    out = [words_of(text.train[6 * i].text) for i in range(15)]
    trained = [words for i in range(9) for words in read(task, task.batch(i))]
    assert task.trained == 75
    assert not set(trained) & set(out)
    held_out = [y for batch in task.held_out() for y in batch.y_TB[0].tolist()]
    assert sorted(held_out) == [0] * 5 + [1] * 5 + [2] * 5


def test_sentences_that_are_tested_are_all_of_the_test_part() -> None:
    text, task = tagged(), of_tags()
    asked = [int(b.mask_TB[:, i].sum()) for b in task.test() for i in range(b.mask_TB.shape[1])]
    assert sorted(asked) == sorted(len(s.words) for s in text.test)
    assert sum(asked) == sum(len(s.tags) for s in text.test)


@TASKS
def test_an_epoch_shows_every_sentence_once_and_neighbours_in_length_together(build: Any) -> None:
    task = build(unknown_rate=0.0, batch_size=5)
    each = task.trained // 5
    first, second = (
        [read(task, task.batch(i)) for i in range(epoch * each, (epoch + 1) * each)]
        for epoch in (0, 1)
    )
    shown = [words for batch in first for words in batch]
    assert len(shown) == len(set(shown)) == task.trained
    assert {*shown} == {words for batch in second for words in batch}
    assert first != second
    ranges = sorted((min(map(len, batch)), max(map(len, batch))) for batch in first)
    assert all(most <= least for (_, most), (least, _) in pairwise(ranges))
    assert [most for _, most in ranges] != [len(batch[0]) for batch in first], "and in any order"


@TASKS
def test_a_batch_is_a_function_of_seed_and_index(build: Any) -> None:
    one, other = build(spelling=True), build(spelling=True)
    other.batch(11)
    for a, b in zip(one.batch(3), other.batch(3), strict=True):
        assert torch.equal(a, b)
    assert not all(torch.equal(a, b) for a, b in zip(one.batch(3), one.batch(12), strict=True))


def test_a_class_counts_once_and_a_tag_at_each_word() -> None:
    batch = of_classes().batch(2)
    assert batch.mask_TB[0].all()
    assert not batch.mask_TB[1:].any()
    tags = of_tags().batch(2)
    assert torch.equal(tags.mask_TB, tags.x_TBI[..., 0] != 0)
    assert tags.resets_TB[0].all()
    assert not tags.resets_TB[1:].any()


def test_words_that_stand_once_are_read_as_unknown_now_and_then_in_training_alone() -> None:
    task, whole = of_tags(unknown_rate=0.5), of_tags(unknown_rate=0.0)
    pairs = [
        pair
        for i in range(280)
        for sentences in zip(read(task, task.batch(i)), read(whole, whole.batch(i)), strict=True)
        for pair in zip(*sentences, strict=True)
    ]
    once = [said == "<unk>" for said, word in pairs if word.startswith("old")]
    assert abs(sum(once) / len(once) - 0.5) < 4 * (0.25 / len(once)) ** 0.5
    assert all(said == word for said, word in pairs if not word.startswith("old"))
    assert [b.x_TBI.tolist() for b in task.test()] == [b.x_TBI.tolist() for b in whole.test()]


def test_characters_are_the_last_of_each_word() -> None:
    text, long = tagged(), "x" * 5 + "abcdefghij" * 2
    first = TaggedSentence((long, "ab"), ("NOUN", "DET"))
    text = dataclasses.replace(text, train=(first, *text.train))
    of: dict[str, Any] = {**SIZES, "batch_size": 1, "spelling": True, "unknown_rate": 0.0}
    task = WordTags(text, **of)
    assert task.input_size == 1 + SPELT
    for i in range(task.trained):
        batch = task.batch(i)
        if task.vocabulary.words(batch.x_TBI[:1, 0, 0])[0] == long:
            a_to_j_C = batch.x_TBI[0, 0, 1:11]
            assert torch.equal(batch.x_TBI[0, 0, 11:], a_to_j_C)
            assert batch.x_TBI[1, 0, 1:].tolist() == [*a_to_j_C[:2].tolist(), *[0] * (SPELT - 2)]
            return
    raise AssertionError("the sentence was not shown")


@TASKS
def test_losses_do_not_depend_on_how_many_are_read_at_once(build: Any, monkeypatch: Any) -> None:
    task = build(spelling=True)
    learner, scores = learner_of(task), []
    for at_once in (1, 4, 64):
        monkeypatch.setattr(_sentences, "AT_ONCE", at_once)
        scores.append(learner.evaluate(task.test()))
    assert scores[0].accuracy == scores[1].accuracy == scores[2].accuracy
    for score in scores[1:]:
        assert score.loss == pytest.approx(scores[0].loss, rel=1e-12)


@TASKS
def test_losses_do_not_depend_on_how_much_padding_there_is(build: Any) -> None:
    def longer(v: Tensor) -> Tensor:
        return torch.cat([v, v.new_zeros(3, *v.shape[1:])])

    task = build(spelling=True)
    learner = learner_of(task)
    loss, accuracy = learner.evaluate(task.test())
    padded = learner.evaluate(Batch(*map(longer, batch)) for batch in task.test())
    assert padded.loss == pytest.approx(loss, rel=1e-12)
    assert padded.accuracy == accuracy


def test_as_many_are_learned_from_as_are_asked_for_and_they_alone_are_known() -> None:
    few, other = (of_tags(train_size=10, seed=seed) for seed in (0, 1))
    assert few.trained == 10
    assert few.words < of_tags().words
    assert few.vocabulary.words(range(few.words)) != other.vocabulary.words(range(other.words))


def test_words_are_small_and_marks_stand_for_themselves() -> None:
    assert words_of("What's the 2nd card, please?") == (
        "what's",
        "the",
        "2nd",
        "card",
        ",",
        "please",
        "?",
    )
    assert words_of("  ") == ("  ",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 76}, "batch_size is 76, there are 75 sentences"),
        ({"unknown_rate": 1.5}, "unknown_rate is 1.5"),
        ({"held_out_size": 0}, "held_out_size is 0"),
        ({"train_size": 0}, "train_size is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_line(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        of_classes(**options)
    assert len(str(caught.value).splitlines()) == 1
