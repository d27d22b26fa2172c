"""Sequences that say others: accuracies by name, scores of sentences, counting, and claims."""

import dataclasses
from typing import Any

import pandas as pd
import pytest
import torch

from lightning_modules.networks._search import Ends
from lightning_modules.networks.attention_decoder import AttentionDecoder
from lightning_modules.networks.encoder_decoder import EncoderDecoder
from pipeline.errors import UserError
from pipeline.measuring import transducing
from pipeline.params import expand
from pipeline.studies.sequence_modes import (
    dictionaries,
    scoring,
    tables,
    transduction,
    translation,
)
from pipeline.study import HOLDS
from pipeline.tasks.transduction import Transduction
from pipeline.tasks.translation import Translation
from tests.transducing_study import MEASURED, REAL, SECTION, STUDY, paired

KINDS = pytest.mark.parametrize("kind", [EncoderDecoder, AttentionDecoder])


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_trials_hash_covers_all_that_it_uses(part: str):
    assert not MEASURED.beyond(part)


@KINDS
def test_free_running_never_sees_the_target_and_teacher_forced_does(kind: Any):
    task = Transduction(0, 4, "copy", symbols=5, longest=6, held_out_size=1)
    torch.manual_seed(0)
    network = kind(task.source_size, task.output_size, 8, 5)
    for weights in network.parameters():
        weights.data *= 4
    batch, ends = task.of_length(6, 200), Ends(task.begin, task.end, 20)
    x_TBI = batch.x_TBI.clone()
    x_TBI[1:, :, 1] = batch.x_TBI[1:, :, 1].flip(0)
    told, blind = (
        transducing.counted(network, [of], ends) for of in (batch, batch._replace(x_TBI=x_TBI))
    )
    assert told.free_running == blind.free_running
    assert told.exact == blind.exact
    assert told.teacher_forced != blind.teacher_forced
    assert network.training, "a network's mode is given back"


def test_a_token_is_right_at_its_place_and_a_target_if_all_of_it_and_no_more_is():
    y_TB = torch.tensor([[4, 4, 4, 4], [5, 5, 5, 5], [3, 3, 3, 3], [0, 0, 0, 0]])
    said_TB = torch.tensor([[4, 4, 5, 4], [5, 3, 4, 5], [3, 0, 3, 5], [0, 0, 0, 3]])
    right, exact = transducing.said_right(said_TB, y_TB, y_TB != 0)
    assert (right, exact) == (3 + 1 + 1 + 2, 1)
    for shorter in (said_TB[:3], torch.cat([said_TB, said_TB[-1:]])):
        assert transducing.said_right(shorter, y_TB, y_TB != 0) == (right, exact)


def test_counts_of_batches_add_up_whatever_their_sizes():
    task = Transduction(0, 4, "reverse", symbols=5, longest=6, held_out_size=1)
    torch.manual_seed(0)
    network, ends = AttentionDecoder(task.source_size, task.output_size, 8, 5), Ends(2, 3, 20)
    batches = [task.of_length(n, 3 * n) for n in (2, 5)]
    each = [transducing.counted(network, [batch], ends) for batch in batches]
    together = transducing.counted(network, batches, ends)
    assert together == tuple(map(sum, zip(*each, strict=True)))
    assert together.accuracies()["exact"] == together.exact / 21


@KINDS
def test_error_by_position_is_that_of_automatic_differentiation(kind: Any):
    task = Transduction(0, 4, "copy", symbols=5, longest=6, held_out_size=1)
    torch.manual_seed(0)
    network, batch = kind(task.source_size, task.output_size, 8, 5).double(), task.of_length(6, 7)
    told = transducing.error_by_position(network, batch)
    # By hand: the encoder step by step, so that each state is one that all later ones hang on.
    source_SB, h_1BH, states = batch.x_TBI[:6, :, 0], torch.zeros(1, 7, 8).double(), []
    for token_B in source_SB:
        _, h_1BH = network.reader.forwards(network.source(token_B)[None], h_1BH)
        states.append(h_1BH)
    encoded = network.encode(source_SB)._replace(memory_SBM=torch.cat(states), state_BH=h_1BH[0])
    z_TBO = network.decode(batch.x_TBI[..., 1], encoded)
    loss = torch.nn.functional.cross_entropy(z_TBO.flatten(0, 1), batch.y_TB.flatten())
    total = [float(g.norm()) for g in torch.autograd.grad(loss, states)]
    assert [row["total"] for row in told] == pytest.approx(total, rel=1e-9)
    assert [row["position"] for row in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1]["direct"] == pytest.approx(told[-1]["total"], rel=1e-12)
    assert all(weights.grad is None for weights in network.parameters())


def test_a_dictionary_of_pairs_translates_each_word_and_leaves_what_it_never_had():
    pairs = [(p.source.lower()[:-1].split(), p.target.lower()[:-1].split()) for p in paired().train]
    said = dictionaries.by_dictionary(pairs, [["the", "cat", "hears", "a", "zebra"]])
    assert said == [["el", "gato", "oye", "un", "zebra"]]


def test_a_dictionary_is_ibms_model_1_worked_by_hand():
    # Round 1 from even t: each word of two targets belongs to each of 3 words of its source by 1/3,
    # that of the single pair to each of 2 by 1/2: c(a, x) = 1/3 + 1/2, c(a, y) = 1/3.
    pairs = [(["a", "b"], ["x", "y"]), (["a"], ["x"])]
    assert dictionaries.by_dictionary(pairs, [["a", "b"]]) == [["x", "y"]]


def test_the_nearest_sentence_is_that_of_the_most_telling_common_words():
    pairs = [(["the", "dog"], ["d"]), (["the", "cat"], ["c"]), (["the", "the"], ["t"])]
    assert dictionaries.nearest(pairs, [["cat", "the"], ["the"], ["dog"]]) == [["c"], ["t"], ["d"]]


def test_scores_are_of_the_sentences_as_written_by_groups_of_the_sources_words():
    text = paired()
    perfect = scoring.scores([pair.target for pair in text.test], text)
    assert {row["group"] for row in perfect} == {"all", "unseen", "4 to 7", "12 or more"}
    for row in perfect:
        assert row["bleu"] == pytest.approx(100)
        assert row["chrf"] == pytest.approx(100)
        assert row["exact"] == 100
        assert "case:mixed" in str(row["signature"])
        assert "tok:13a" in str(row["signature"])
    (unseen,) = [row for row in perfect if row["group"] == "unseen"]
    assert unseen["pairs"] == len(text.test) - 1
    lower = scoring.scores([pair.target.lower() for pair in text.test], text)
    assert all(row["exact"] == 0 for row in lower)
    assert max(float(str(row["bleu"])) for row in lower) < 99, "case counts"


def test_what_is_said_does_not_hang_on_the_targets():
    text = paired()
    task = Translation(text, 0, 2, at_least=1, longest=20, held_out_size=2)
    torch.manual_seed(0)
    network = AttentionDecoder(task.source_size, task.output_size, 8, 5)
    other = [dataclasses.replace(pair, target="x") for pair in text.test]
    said = scoring.said(network, task, text.test, 2, 0.5)
    assert said == scoring.said(network, task, other, 2, 0.5)
    assert not any("<" in sentence for sentence in said), "neither <unk> nor <begin> is said"


@pytest.mark.parametrize("best", [0.0, 1.0])
def test_validation_chooses_the_penalty_and_the_test_part_is_looked_at_once_by_it(
    best: float, monkeypatch: pytest.MonkeyPatch
):
    asked: list[Any] = []

    def said(network: Any, source: Any, pairs: Any, width: int, penalty: float) -> list[str]:
        asked.append((len(pairs), width, penalty))
        return [pair.target if penalty == best else "no" for pair in pairs]

    monkeypatch.setattr(translation, "said", said)
    trials = MEASURED.trials("translation")
    rows = MEASURED.run(next(of for of in trials if of["method"] == "with attention"))
    assert asked == [(3, 2, 0.0), (3, 2, 1.0), (6, 1, 0.0), (6, 2, best)]
    tests = [row for row in rows if row["record"] == "test"]
    assert {row["penalty"] for row in tests} == {best}
    curve: Any = {r["step"]: r["teacher_forced_accuracy"] for r in rows if r["record"] == "curve"}
    assert {curve[row["step"]] for row in tests} == {max(curve.values())}, "so are the weights"


def test_fewer_pairs_are_spread_over_their_part_and_more_than_there_are_refused():
    trial = expand(translation.Translated, SECTION["translation"], "")[0]
    cut = trial.model_copy(update={"train_size": 3, "test_size": 2})
    assert isinstance(cut, translation.Translated)
    text = dataclasses.replace(paired(), provenance=REAL)
    few = cut._cut(text)
    assert few.train == (text.train[1], text.train[4], text.train[7])
    assert few.test == (text.test[1], text.test[4])
    assert few.unseen_N.tolist() == [True, True]
    many = cut.model_copy(update={"test_size": 99})
    with pytest.raises(ValueError, match="test_size is 99: English–Spanish has 6 pairs to test"):
        many._cut(text)


def transduced(free: dict[str, dict[int, float]]) -> pd.DataFrame:
    """Return rows in which each method has these accuracies by length, trained up to 10."""
    return pd.DataFrame(
        {
            "record": "test",
            "order": "copy",
            "method": method,
            "seed": seed,
            "length": length,
            "longer": length > 10,
            "teacher_forced_accuracy": min(1.0, right + 0.1),
            "free_running_accuracy": right + 1e-4 * seed,
            "exact": right,
            "when": None,
            "position": None,
            "direct": None,
            "total": None,
        }
        for method, of in free.items()
        for length, right in of.items()
        for seed in range(5)
    )


def test_decoders_are_held_to_99_percent_and_to_falling_with_length():
    good = {"without attention": {5: 0.995, 10: 0.993, 20: 0.4, 30: 0.2}}
    verdicts = MEASURED.claims("transduction", transduced(good))
    assert {claim.verdict for claim in verdicts.values()} == {HOLDS}
    assert len(verdicts) == 3
    bad = {"without attention": {5: 0.995, 10: 0.93, 20: 0.99, 30: 0.98}}
    MEASURED.assert_missed("transduction", "at least 99 %", transduced(bad))
    MEASURED.assert_missed("transduction", "half of the accuracy", transduced(bad))


def test_without_attention_error_is_sent_to_the_last_state_alone_or_the_claim_is_missed():
    rows = MEASURED.rows("transduction")
    MEASURED.assert_holds("transduction", "sends error", rows)
    leaks = rows.assign(direct=rows["direct"] + 1e-30)
    MEASURED.assert_missed("transduction", "to the last state of the encoder alone", leaks)
    MEASURED.assert_missed("transduction", "to every state", rows.assign(direct=0.0))


def translated(bleu: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return rows in which each method scores this in each group."""
    return pd.DataFrame(
        {
            "record": "test",
            "search": "beam",
            "method": method,
            "group": group,
            "seed": seed,
            "bleu": score + 0.01 * seed,
            "goal": 25.0,
        }
        for method, of in bleu.items()
        for group, score in of.items()
        for seed in range(3)
    )


def test_attention_is_held_to_25_bleu_to_the_plain_decoder_and_to_counting():
    good = {
        "without attention": {"all": 22.0, "unseen": 21.9, "4 to 7": 24.0, "12 or more": 10.0},
        "with attention": {"all": 28.0, "unseen": 27.8, "4 to 7": 29.0, "12 or more": 20.0},
        "word by word": {"all": 11.0},
        "nearest sentence": {"all": 9.0},
    }
    verdicts = MEASURED.claims("translation", translated(good))
    assert len(verdicts) == 6
    assert {claim.verdict for claim in verdicts.values()} == {HOLDS}
    bad = {
        **good,
        "with attention": {"all": 8.0, "unseen": 4.0, "4 to 7": 29.0, "12 or more": 11.0},
    }
    for words in ("25 BLEU", "1.2 times", "counting, word", "counting, near", "to one BLEU"):
        MEASURED.assert_missed("translation", words, translated(bad))


@pytest.mark.parametrize("part", STUDY.parts)
def test_what_is_predicted_can_be_judged_where_some_of_it_was_not_run(part: str):
    rows = MEASURED.rows(part)
    for method in rows["method"].unique():
        of = rows[rows["method"] == method]
        MEASURED.claims(part, of)
        STUDY.parts[part].expects(of)


@pytest.mark.parametrize(
    ("part", "of", "says"),
    [
        ("transduction", {"method": "with atention"}, "did you mean 'with attention'"),
        ("transduction", {"counting": "dictionary"}, "give one of network and counting"),
        ("translation", {"width": 0}, "width: Input should be greater than or equal to 1"),
    ],
)
def test_a_trial_that_contradicts_itself_is_one_line(part: str, of: dict[str, Any], says: str):
    plain = {**SECTION[part], "method": "with attention", "network": "attention_decoder"}
    with pytest.raises(UserError, match=says):
        expand(STUDY.parts[part].trial, {**plain, **of}, part)


def test_counting_stands_beside_networks_in_one_table():
    rows = MEASURED.rows("transduction")
    (table,) = [of for of in transduction.PART.figures if of.name == "transduced"]
    assert isinstance(table, transduction.Table)
    assert set(table.build(rows)["by"]) == set(transduction.METHODS)
    both = tables.table(MEASURED.rows("translation"))
    assert set(both["translated"]) == set(translation.METHODS)
    assert set(both.loc[both["translated"] == "word by word", "search"]) == {"counting"}
