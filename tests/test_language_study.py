"""The study of language models: its trials, its facts, its arithmetic, and samples."""

import math
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
import torch

from lightning_modules.networks.language_model import LanguageModel
from pipeline.errors import UserError
from pipeline.measuring.sampling import continued, entropy, tempered
from pipeline.params import expand
from pipeline.studies.language_model import STUDY, characters, truncation, words
from pipeline.studies.language_model.truncation import kept, predicted
from tests.language_study import MEASURED, SECTION


def test_a_tiny_study_has_its_figures_claims_and_answer():
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_trial_names_all_that_it_uses(part: str):
    assert MEASURED.beyond(part) == set()


@pytest.mark.parametrize("part", ["characters", "words"])
def test_every_model_is_scored_on_every_token_of_the_test_part(part: str):
    tests = MEASURED.rows(part).query("record == 'test'")
    corpus = MEASURED._data[{"characters": "tiny_shakespeare", "words": "wikitext2"}[part]]
    tokens = len(corpus.valid_N) + len(corpus.test_N) if part == "characters" else len(corpus.test)
    assert set(tests["scored"]) == {tokens}
    assert tests["perplexity"].tolist() == pytest.approx([math.exp(x) for x in tests["nats"]])
    assert (tests["kind"] == "counted").sum() == 3


def _as_if(part: str, tokens: int, **nats: float) -> pd.DataFrame:
    """Return the rows as if of the real text, with these scores in place of what models have."""
    rows = MEASURED.rows(part)
    test = rows["record"] == "test"
    rows.loc[test, "scored"] = tokens
    for name, value in nats.items():
        at = test & (rows["model"] == name)
        rows.loc[at, "nats"] = value + 1e-4 * rows.loc[at, "seed"]
        rows.loc[at, "perplexity"] = rows.loc[at, "nats"].map(math.exp)
    return rows


def _renamed(rows: pd.DataFrame, **names: str) -> pd.DataFrame:
    return rows.assign(
        model=rows["model"].replace({k.replace("_", " "): v for k, v in names.items()})
    )


def test_characters_are_held_to_the_goal_and_counting_to_its_figures():
    scored = {"LSTM 3": 1.60, "LSTM 5": 1.46, "unigram": 3.3}
    scored |= {"Kneser–Ney 5": 1.5789, "Kneser–Ney 5, modified": 1.52}
    rows = _renamed(
        _as_if("characters", characters.LAST_TENTH, **scored), LSTM_3="LSTM 64", LSTM_5="LSTM 512"
    )
    for words_ in ("at most 1.47", "Kneser–Ney 5: 1.579", "three discounts", "than Kneser–Ney 5",
                   "scored on all", "falls as units"):  # fmt: skip
        MEASURED.assert_holds("characters", words_, rows)
    worse = {"LSTM 3": 1.40, "LSTM 5": 1.58, "Kneser–Ney 5": 1.577, "Kneser–Ney 5, modified": 1.57}
    rows = _renamed(
        _as_if("characters", characters.LAST_TENTH - 1, **worse),
        LSTM_3="LSTM 64",
        LSTM_5="LSTM 512",
    )
    assert not any("at most" in claim for claim in MEASURED.claims("characters", rows))
    rows["scored"] = characters.LAST_TENTH
    for words_ in ("at most 1.47", "Kneser–Ney 5: 1.579", "than Kneser–Ney 5", "falls as units"):
        MEASURED.assert_missed("characters", words_, rows)


def test_words_are_held_to_the_goal_and_to_counting():
    scored = {"LSTM 3": math.log(148), "unigram": math.log(911.7)}
    scored |= {"Kneser–Ney 5": math.log(223.7), "Kneser–Ney 5, modified": math.log(217.8)}
    rows = _renamed(_as_if("words", words.TOKENS, **scored), LSTM_3="2 LSTM 200")
    for said in ("a perplexity of 150", "unigram: 911.7", "5: 223.7", "200 does better"):
        MEASURED.assert_holds("words", said, rows)
    scored |= {"LSTM 3": math.log(220), "Kneser–Ney 5": math.log(224)}
    rows = _renamed(_as_if("words", words.TOKENS, **scored), LSTM_3="2 LSTM 200")
    for said in ("a perplexity of 150", "5: 223.7", "200 does better"):
        MEASURED.assert_missed("words", said, rows)


def test_what_is_kept_of_a_gradient_is_the_sum_over_steps():
    for k, horizon in ((1, 2.0), (5, 3.0), (20, 50.0)):
        q = math.exp(-1 / horizon)
        # Of error that entered every later step, what comes to a step j of k from those before.
        each = [sum(q**lag for lag in range(j)) * (1 - q) for j in range(1, k + 1)]
        assert kept(k, horizon) == pytest.approx(sum(each) / k, rel=1e-12)
    assert predicted(1, 100, 5.0) == 0
    assert predicted(100, 100, 5.0) == 1
    assert predicted(34, 100, math.inf) == pytest.approx(33 / 99)
    assert predicted(34, 100, 1e5) == pytest.approx(predicted(34, 100, math.inf), abs=1e-3)


def _truncated(horizon: float, loss: Any) -> pd.DataFrame:
    """Return the rows with this horizon measured and these losses at the end."""
    rows = MEASURED.rows("truncation")
    of_probe = rows["probe"] == "horizon"
    rows.loc[of_probe, "value"] = horizon
    ends = rows["step"].notna() & rows["probe"].isna()
    rows.loc[ends, "held_out_loss"] = [
        loss(cell, k) + 1e-4 * seed
        for cell, k, seed in rows.loc[ends, ["cell", "horizon", "seed"]].itertuples(index=False)
    ]
    return rows


def test_gains_as_the_horizon_says_hold_and_others_are_missed():
    share = predicted(2, 8, 1.5)
    rows = _truncated(1.5, lambda _, k: 3 - {1: 0.0, 2: share, 8: 1.0}[k])
    MEASURED.assert_holds("truncation", "the share of the gain", rows)
    measured, told = truncation.shares(rows, "srn")
    assert measured[2].tolist() == pytest.approx(told[2].tolist())
    rows = _truncated(1.5, lambda _, k: 3 - {1: 0.0, 2: share + 0.3, 8: 1.0}[k])
    MEASURED.assert_missed("truncation", "the share of the gain", rows)
    near = _truncated(0.3, lambda _, k: 3 - {1: 0.0, 2: 0.999, 8: 1.0}[k])
    MEASURED.assert_holds("truncation", "nothing is gained", near)
    MEASURED.assert_missed(
        "truncation", "nothing is gained", _truncated(0.3, lambda _, k: 3 - k / 9)
    )


def test_entropy_rises_with_temperature_from_the_likeliest_alone():
    torch.manual_seed(0)
    log_NV = torch.randn(20, 9, dtype=torch.float64).log_softmax(dim=-1)
    rising = [entropy(tempered(log_NV, T)) for T in (0.0, 1e-6, 0.1, 0.5, 1.0, 2.0, 1e6)]
    for colder, warmer in pairwise(rising):
        assert (colder <= warmer + 1e-12).all()
    assert (rising[0] == 0).all()
    torch.testing.assert_close(rising[-1], torch.full((20,), math.log(9)).double())
    torch.testing.assert_close(tempered(log_NV, 1.0), log_NV.exp())
    assert torch.equal(tempered(log_NV, 0.0).argmax(-1), log_NV.argmax(-1))
    assert torch.equal(tempered(log_NV, 1e-300).argmax(-1), log_NV.argmax(-1))
    with pytest.raises(ValueError, match="temperature is -1"):
        tempered(log_NV, -1)


@pytest.mark.parametrize("cutoffs", [None, [3, 6]])
def test_a_text_goes_on_by_what_is_likeliest_at_0_and_by_the_seed_above(cutoffs):
    torch.manual_seed(0)
    network = LanguageModel(9, 4, 5, dropout=0.5, cutoffs=cutoffs, divisor=2.0)
    read = [1, 2, 3]
    for token in continued(network, read, 6, 0.0, seed=0):
        log_V = network.eval()(torch.tensor(read)[:, None, None])[-1, 0]
        assert token == int(log_V.argmax())
        read.append(token)
    network.train()
    before = torch.get_rng_state()
    one, other = (continued(network, [1], 30, 1.0, seed) for seed in (1, 2))
    assert one != other
    assert one == continued(network, [1], 30, 1.0, 1)
    assert torch.equal(torch.get_rng_state(), before)
    assert network.training
    with pytest.raises(ValueError, match="start is 0"):
        continued(network, [], 1, 1.0, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"order": 3}, "takes no order"),
        ({"kind": "counted"}, "a counted model lacks order, discounts and takes no embedding_size"),
        ({"hidden_size": None}, "a learned model lacks hidden_size"),
        ({"temperatures": None}, "sampled and temperatures go together"),
    ],
)
def test_a_model_that_is_neither_counted_nor_learned_is_refused(change, says: str):
    section = {"task": "character_ids", "dataset": "tiny_shakespeare", "kind": "learned"}
    section |= {**LEARNED_ONE, **change}
    with pytest.raises(UserError, match=says):
        expand(characters.Characters, {k: v for k, v in section.items() if v is not None}, "toy")


LEARNED_ONE: dict[str, Any] = {
    **{k: v for k, v in SECTION["characters"]["kind"]["learned"].items() if k != "model"},
    "model": "LSTM 3",
    "hidden_size": 3,
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"horizon": 3, "stride": 3}, "it must divide length, 8"),
        ({"horizon": 2, "stride": 1}, "its stride the horizon"),
        ({"horizon": 2, "stride": 2, "task": "adding"}, "the task is next_character"),
    ],
)
def test_a_truncation_that_cuts_no_whole_chunks_is_refused(change, says: str):
    with pytest.raises(UserError, match=says):
        expand(truncation.Truncated, {**SECTION["truncation"], **change}, "toy")
