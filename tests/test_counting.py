"""What counting reaches, by hand."""

import dataclasses

from pipeline.data.sets._base import LabelledSentence, TaggedSentence
from pipeline.measuring import counting
from tests.toy import requests, tagged


def _text(train: str, test: str):
    """Return a text of one sentence a part, ``word/TAG`` each."""
    parts = (
        TaggedSentence(*map(tuple, zip(*(pair.split("/") for pair in of.split()), strict=True)))
        for of in (train, test)
    )
    train_of, test_of = ((one,) for one in parts)
    return dataclasses.replace(tagged(), train=train_of, test=test_of)


def test_a_word_is_tagged_as_most_often_and_an_unknown_one_as_all_words_or_by_its_ending() -> None:
    text = _text(
        train="runs/VERB runs/VERB runs/NOUN dog/NOUN cat/NOUN owl/NOUN barking/VERB a/DET",
        test="runs/VERB runs/NOUN singing/VERB HOWLING/VERB zebra/NOUN of/ADP",
    )
    told = counting.frequent_tags(text)
    assert told == counting.Tagged(2 / 6, 1 / 2, 1 / 4)
    told = counting.frequent_tags_by_ending(text)
    assert told == counting.Tagged(4 / 6, 1 / 2, 3 / 4)


def test_an_ending_s_words_count_once_each() -> None:
    train = "ring/NOUN ring/NOUN ring/NOUN singing/VERB going/VERB a/DET"
    text = _text(train=train, test="walking/VERB")
    assert counting.frequent_tags_by_ending(text).unknown == 1


def test_of_equally_frequent_tags_that_which_came_first_is_taken() -> None:
    assert counting.frequent_tags(_text("so/ADV so/CONJ", "so/ADV")).all == 1


def test_linear_classifiers_tell_requests_apart_by_their_words_alone() -> None:
    text = requests()
    for of in counting.CLASSIFIERS.values():
        assert of(text) == 1.0
    other = tuple(LabelledSentence(s.text, "stop") for s in text.test)
    for of in counting.CLASSIFIERS.values():
        assert of(dataclasses.replace(text, test=other)) == 1 / 3
