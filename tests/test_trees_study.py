"""The study of trees: its arithmetic, on rows by hand too."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_modules.networks.recursive import Recursive
from lightning_modules.networks.sequence_classifier import SequenceClassifier
from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies import STUDIES
from pipeline.studies.trees.counting import counted
from pipeline.studies.trees.depth import ByDepth, depths_of
from pipeline.studies.trees.flow import sequence, tree
from pipeline.tasks.nested_arithmetic import NestedArithmetic
from tests.measured import Measured

SECTION: dict[str, Any] = {
    "depth": {
        "task": ["listops"],
        "model": {
            "tree_lstm": {"network": "tree_lstm", "options": {"hidden_size": 3}},
            "gru": {
                "network": "sequence_classifier",
                "options": {"layer": "gru", "pooling": "last", "word_size": 3, "hidden_size": 3},
            },
            "bag_of_tokens": None,
        },
        "trained_depth": 1,
        "depths": [1, 2],
        "optimizer": "adam",
        "learning_rate": 0.01,
        "anneal": True,
        "batch_size": 4,
        "steps": 2,
        "evaluations": 1,
        "held_out_size": 6,
        "followed": 2,
        "seeds": 1,
    }
}
MEASURED = Measured(STUDIES["trees"], SECTION, {})


def test_a_trials_hash_covers_all_that_it_uses():
    assert MEASURED.beyond("depth") == set()


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


MODELS = {
    "tree_lstm": (0.95, 0.85),
    "lstm": (0.7, 0.4),
    "gru": (0.65, 0.35),
    "majority": (0.2, 0.2),
    "first_digit": (0.15, 0.15),
    "bag_of_tokens": (0.3, 0.25),
}
"""What each has right at the depths learned from, and at the greatest."""


def rows(left: float = 1e-6, **models: tuple[float, float]) -> pd.DataFrame:
    """Return rows by hand of some seeds."""
    of = {"task": "listops", "trained_depth": 3}
    made = [
        {**of, "record": "depth", "model": model, "seed": seed, "depth": depth}
        | {"accuracy": accuracy + 0.001 * seed}
        for model, accuracies in {**MODELS, **models}.items()
        for depth, accuracy in zip((3, 6), accuracies, strict=True)
        for seed in range(3)
    ]
    made += [
        {**of, "record": "first digit", "model": model, "seed": seed, "left": share}
        for model, share in (("tree_lstm", 1e-2), ("lstm", left))
        for seed in range(3)
    ]
    return pd.DataFrame(made)


def test_what_is_expected_holds_on_rows_that_are_as_expected():
    claims = MEASURED.claims("depth", rows())
    assert len(claims) == 6
    for words in claims:
        MEASURED.assert_holds("depth", words, rows())


@pytest.mark.parametrize(
    ("words", "otherwise"),
    [
        ("tree LSTM above counting", {"bag_of_tokens": (0.96, 0.2)}),
        ("LSTM and GRU above counting", {"gru": (0.25, 0.2)}),
        ("right more often, by 20 %", {"gru": (0.7, 0.7)}),
        ("the tree LSTM loses less", {"lstm": (0.42, 0.4)}),
        ("the LSTM is below", {"lstm": (0.97, 0.4)}),
        ("more error is left", {"left": 8e-3}),
    ],
)
def test_one_that_is_otherwise_is_missed(words: str, otherwise: dict[str, Any]):
    MEASURED.assert_missed("depth", words, rows(**otherwise))


def test_the_depths_of_a_task_are_those_learned_from_and_the_greatest():
    assert depths_of(rows(), "listops") == ([3], 3, 6)


def test_a_network_for_what_is_counted_and_none_for_what_is_learned_are_refused():
    for model in ({"majority": {"network": "tree_lstm"}}, {"gru": {"network": None}}):
        with pytest.raises(UserError, match="beside the model"):
            expand(ByDepth, {**SECTION["depth"], "model": model}, "depth")


def test_counting_is_right_as_often_as_by_hand():
    source = NestedArithmetic(0, 50, 40, 1)
    (batch,) = source.of_depth(1)
    y_B, ids_TB = batch.y_TB[4], batch.x_TBI[..., 0]
    first = float((ids_TB[1] - 1 == y_B).double().mean())
    assert dict(counted("first_digit", source, [1])) == {1: pytest.approx(first)}
    y_N = torch.cat([source.batch(i).y_TB[4] for i in range(200)])
    majority = float((y_B == int(np.bincount(y_N.numpy()).argmax())).double().mean())
    assert dict(counted("majority", source, [1])) == {1: pytest.approx(majority)}
    assert next(counted("bag_of_tokens", source, [1]))[1] > 0.1


def test_a_bag_of_tokens_knows_what_order_does_not_enter():
    source = NestedArithmetic(0, 50, 200, 1, modulus=2)
    assert next(counted("bag_of_tokens", source, [1]))[1] <= 0.75
    assert next(counted("majority", source, [0]))[1] == pytest.approx(0.5, abs=0.15)


def test_error_in_a_tree_goes_by_merges_and_is_what_the_chain_rule_says():
    torch.manual_seed(0)
    network = Recursive(15, 10, hidden_size=1).double()
    (batch,) = NestedArithmetic(0, 1, 1, 1).of_depth(1)
    found = tree(network, batch)
    assert {step: [away for away, _ in states] for step, states in found.items()} == {
        1: [2],
        2: [2, 1, 0],
        3: [1],
    }
    composed = network.composed(batch.x_TBI)
    W = network.pair.weight.detach()[0]
    last, before = (composed.rounds[i].s_nS.detach().item() for i in (2, 1))
    outer, inner = 1 - last**2, 1 - before**2
    by_hand = [outer * W[0] * inner * W[0], outer * W[0], 1.0]
    assert [share for _, share in found[2]] == pytest.approx([abs(float(w)) for w in by_hand])
    assert found[3][0][1] == pytest.approx(abs(float(outer * W[1])))
    assert found[1][0][1] == pytest.approx(abs(float(outer * W[0] * inner * W[1])))


def test_error_in_a_sequence_goes_by_steps_and_is_what_the_chain_rule_says():
    torch.manual_seed(0)
    network: Any = SequenceClassifier(
        15, 10, pooling="last", word_size=2, hidden_size=1, layer="srn"
    ).double()
    (batch,) = NestedArithmetic(0, 1, 1, 1).of_depth(1)
    found = sequence(network, batch)
    with torch.no_grad():
        h_TBH = network.states(*network.vectors(batch.x_TBI)[::2])
        W = float(network.states.forwards.weight_hh_l0)
    shares = [abs(W * (1 - float(h) ** 2)) for h in h_TBH[1:, 0, 0]]
    for t in range(5):
        assert found[t] == [(4 - t, pytest.approx(math.prod(shares[t:])))]
