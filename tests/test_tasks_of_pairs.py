"""Pairs of sequences as batches: strings to copy or reverse, sentences to translate."""

import dataclasses
from typing import Any

import pytest
import torch

from pipeline.data.sets._base import Pair, PairedText
from pipeline.tasks import _tokeniser
from pipeline.tasks._pairs import BEGIN, END, PADDING, RESERVED, UNKNOWN, batch_of
from pipeline.tasks.transduction import Transduction
from pipeline.tasks.translation import SPECIALS, Translation
from tests.toy import NOWHERE

ENGLISH = ["Go.", "I see Tom.", "Do you see Tom?", "Tom goes.", "We go home at 2:30."]
SPANISH = ["Ve.", "Veo a Tom.", "¿Ves a Tom?", "Tom va.", "¡Vamos a casa a las 2:30!"]


def paired() -> PairedText:
    """Return five pairs to train on, one word among the others' that training never has."""
    train = tuple(map(Pair, ENGLISH, SPANISH))
    other = (Pair("Go zzz.", "Ve zzz."),)
    return PairedText(train, other * 3, other * 2, torch.tensor([True, False]), NOWHERE)


def translation(**how: Any) -> Translation:
    """Return the task of these pairs."""
    of = {"seed": 0, "batch_size": 2, "at_least": 1, "longest": 9, "held_out_size": 2}
    return Translation(paired(), **{**of, **how})


def test_a_batch_is_source_and_what_came_before_each_target():
    batch = batch_of(
        [torch.tensor([4, 5, 6, 7]), torch.tensor([8])], [torch.tensor([9]), torch.tensor([5, 4])]
    )
    assert batch.x_TBI[..., 0].t().tolist() == [[4, 5, 6, 7], [8, 0, 0, 0]]
    assert batch.x_TBI[..., 1].t().tolist() == [[BEGIN, 9, 0, 0], [BEGIN, 5, 4, 0]]
    assert batch.y_TB.t().tolist() == [[9, END, 0, 0], [5, 4, END, 0]]
    assert torch.equal(batch.mask_TB, batch.y_TB != PADDING)
    assert batch.x_TBI.dtype == torch.int64


@pytest.mark.parametrize("order", ["copy", "reverse"])
def test_what_is_to_be_said_is_the_string_or_the_string_from_its_end(order: Any):
    task = Transduction(0, 50, order, symbols=5, longest=6, held_out_size=10)
    batch = task.batch(3)
    for source_T, y_T in zip(batch.x_TBI[..., 0].t(), batch.y_TB.t(), strict=True):
        source, y = source_T[source_T != 0].tolist(), y_T[y_T != 0].tolist()
        assert y == [*(source if order == "copy" else source[::-1]), END]
    lengths = (batch.x_TBI[..., 0] != 0).sum(dim=0)
    assert set(lengths.tolist()) == set(range(1, 7))
    assert task.of_length(30, 4).mask_TB.sum(dim=0).tolist() == [31] * 4
    assert not torch.equal(task.of_length(6, 9).x_TBI, task.of_length(6, 9).x_TBI.flip(1))
    assert int(batch.x_TBI.max()) < task.output_size == RESERVED + 5


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("¿Dónde está Tomás?", ["¿", "Dónde", "está", "Tomás", "?"]),
        ("¡Ojalá!", ["¡", "Ojalá", "!"]),
        ("Don't go, Tom.", ["Don't", "go", ",", "Tom", "."]),
        ("It's 2:30 a.m. now", ["It's", "2:30", "a.m.", "now"]),
        ("Mi ex-mujer debe 3.000.", ["Mi", "ex-mujer", "debe", "3.000", "."]),
        (
            'Dijo: "¡Ven!", y "no".',
            ["Dijo", ":", '"', "¡", "Ven", "!", '"', ",", "y", '"', "no", '"', "."],
        ),
        ("«Sí», dijo (ella)...", ["«", "Sí", "»", ",", "dijo", "(", "ella", ")", ".", ".", "."]),
    ],
)
def test_tokens_are_words_and_marks_and_become_the_same_sentence_again(
    sentence: str, tokens: list[str]
):
    assert _tokeniser.tokens(sentence) == tokens
    assert _tokeniser.sentence(tokens) == sentence


def test_an_accent_is_one_way_of_writing_and_case_stays():
    assert (
        _tokeniser.tokens("Él está") == _tokeniser.tokens("E\u0301l esta\u0301") == ["Él", "está"]
    )
    assert _tokeniser.words("¿Y tú, Tom?") == 3


def test_sacrebleu_sees_sentences_in_which_accents_case_and_opening_marks_are_as_written():
    from sacrebleu import sentence_bleu

    wanted = "¿Ves a Tomás en casa, Él?"
    more = Pair("Tom Tom", "Tomás en, Él")
    text = dataclasses.replace(paired(), train=(*paired().train, more))
    task = Translation(text, 0, 2, at_least=1, longest=9, held_out_size=1)
    tokens = _tokeniser.tokens(wanted)
    said_TB = torch.cat([task.targets.ids(tokens), torch.tensor([END, PADDING])])[:, None]
    (sentence,) = task.written(said_TB)
    assert sentence == wanted
    assert sentence_bleu(sentence, [wanted]).score == pytest.approx(100)
    for worse in (" ".join(tokens), wanted.lower(), wanted.replace("á", "a"), wanted[1:]):
        assert sentence_bleu(worse, [wanted]).score < 90


def test_the_vocabulary_is_of_the_training_part_alone():
    task = translation()
    assert "zzz" not in task.sources
    assert "zzz" not in task.targets
    (held,) = task.held_out()
    assert (held.x_TBI[1, :, 0] == UNKNOWN).all()
    assert (held.y_TB[1] == UNKNOWN).all()
    assert task.targets.words([PADDING, UNKNOWN, BEGIN, END]) == list(SPECIALS)
    rare = translation(at_least=2)
    assert "Tom" in rare.targets
    assert "Veo" not in rare.targets


def test_an_epoch_shows_every_pair_once_in_a_new_order():
    task = translation(batch_size=1)
    epochs = [
        [tuple(task.batch(5 * epoch + i).y_TB[:, 0].tolist()) for i in range(5)]
        for epoch in range(4)
    ]
    assert all(sorted(epoch) == sorted(epochs[0]) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert len(set(epochs[0])) == 5
    again = translation(batch_size=1)
    assert torch.equal(again.batch(17).x_TBI, task.batch(17).x_TBI), "whatever was read before"


def test_batches_are_of_like_lengths():
    lengths = [1 + i % 20 for i in range(400)]
    train = tuple(Pair(" ".join(["a"] * n), " ".join(["b"] * n)) for n in lengths)
    text = dataclasses.replace(paired(), train=train)
    task = Translation(text, 0, 10, at_least=1, longest=20, held_out_size=1)
    counted = [float(task.batch(i).mask_TB.float().mean()) for i in range(40)]
    assert min(counted) > 0.8
    assert sum(counted) / len(counted) > 0.95


def test_long_pairs_are_not_trained_on_but_tested():
    text = dataclasses.replace(paired(), test=(Pair("Go " * 12, "Ve " * 12),))
    task = Translation(text, 0, 2, at_least=1, longest=4, held_out_size=1)
    assert task.trained == 3
    (batch,) = task.test()
    assert batch.mask_TB.sum() == 13
    with pytest.raises(ValueError, match="batch_size is 4, there are 3 pairs of at most 4 tokens"):
        Translation(text, 0, 4, at_least=1, longest=4, held_out_size=1)


def test_more_than_there_are_to_validate_on_is_refused_of_what_is_no_stand_in():
    real = dataclasses.replace(NOWHERE, embedded=False, served="English–Spanish")
    text = dataclasses.replace(paired(), provenance=real)
    with pytest.raises(ValueError, match="held_out_size is 4: English–Spanish has 3 pairs"):
        Translation(text, 0, 2, at_least=1, longest=9, held_out_size=4)
    assert len(translation(held_out_size=4).held_out_pairs) == 3


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ({"order": "reversed"}, "order is 'reversed': did you mean 'reverse'"),
        ({"symbols": 1}, "symbols is 1: it must be at least 2"),
        ({"longest": 0}, "longest is 0: it must be at least 1"),
    ],
)
def test_strings_that_cannot_be_are_refused_in_a_line(of: dict[str, Any], says: str):
    given: dict[str, Any] = {"order": "copy", "symbols": 5, "longest": 6, "held_out_size": 1}
    with pytest.raises(ValueError, match=says):
        Transduction(0, 2, **{**given, **of})
