"""Words become numbers by frequency, from the words that they are made of alone."""

import pytest
import torch

from pipeline.tasks._vocabulary import Vocabulary

TEXT = ["the", "cat", "saw", "the", "dog", "and", "the", "dog", "saw", "a", "cat"]


def test_ids_fall_with_frequency_after_the_specials_and_ties_go_by_the_word():
    vocabulary = Vocabulary.of(TEXT)
    assert vocabulary.words(range(len(vocabulary))) == [
        *("<pad>", "<unk>"),
        *("the", "cat", "dog", "saw", "a", "and"),
    ]
    assert (vocabulary.pad, vocabulary.unknown) == (0, 1)


def test_the_order_of_the_words_does_not_matter():
    backward = Vocabulary.of(reversed(TEXT))
    assert backward.words(range(len(backward))) == Vocabulary.of(TEXT).words(range(8))


def test_a_word_that_only_a_test_part_has_is_unknown():
    ids_N = Vocabulary.of(TEXT).ids(["the", "zebra", "dog"])
    assert ids_N.dtype == torch.int64
    assert ids_N.tolist() == [2, 1, 4]


def test_words_and_ids_are_each_others_inverse():
    vocabulary = Vocabulary.of(TEXT)
    assert vocabulary.words(vocabulary.ids(TEXT)) == TEXT
    assert vocabulary.ids([]).shape == (0,)
    assert vocabulary.ids([]).dtype == torch.int64


def test_rare_words_are_left_out_and_unknown():
    vocabulary = Vocabulary.of(TEXT, at_least=2)
    assert vocabulary.words(range(len(vocabulary))) == [
        "<pad>",
        "<unk>",
        "the",
        "cat",
        "dog",
        "saw",
    ]
    assert "and" not in vocabulary
    assert vocabulary.ids(["and"]).tolist() == [1]


def test_a_text_that_has_the_unknown_word_itself_keeps_it_where_its_frequency_puts_it():
    vocabulary = Vocabulary.of([*TEXT, "<unk>", "<unk>"], specials=())
    assert vocabulary.words(range(3)) == ["the", "<unk>", "cat"]
    assert vocabulary.unknown == 1
    assert vocabulary.ids(["zebra"]).tolist() == [1]


def test_a_special_word_in_the_text_is_not_numbered_twice():
    assert len(Vocabulary.of([*TEXT, "<unk>"])) == len(Vocabulary.of(TEXT))


def test_without_an_unknown_word_an_unknown_word_is_an_error():
    vocabulary = Vocabulary.of(TEXT, specials=())
    with pytest.raises(KeyError, match="zebra"):
        vocabulary.ids(["zebra"])
    with pytest.raises(KeyError, match="<pad>"):
        _ = vocabulary.pad


@pytest.mark.parametrize("number", [-1, 8])
def test_a_number_that_is_no_id_is_no_word(number: int):
    with pytest.raises(IndexError):
        Vocabulary.of(TEXT).words([number])


def test_a_word_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="'dog' comes twice"):
        Vocabulary(["dog", "cat", "dog"])
