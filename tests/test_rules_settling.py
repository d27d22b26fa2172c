"""When learning rules settle, how their rate decays, and what they refuse."""

import itertools
from typing import Any

import pytest
import torch

from lightning_modules.networks.mlp import MLP
from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.rules import RULES
from lightning_modules.rules.classical_backpropagation import ClassicalBackpropagation
from lightning_modules.rules.perceptron_rule import PerceptronRule
from tests.test_rules import AND, BITS, XOR, digits, logistic, weights


def test_a_perceptron_settles_on_and_and_then_rests() -> None:
    torch.manual_seed(0)
    unit, rule = Perceptron(2), PerceptronRule(epoch=4)
    rule.learn(unit, BITS.repeat(50, 1), AND.repeat(50, 1))
    assert rule.settled_at is not None
    assert rule.settled_at % 4 == 0
    assert rule.settled_at == 4 * rule.epochs < 200
    assert torch.equal(unit(BITS), AND)
    before = weights(unit)
    assert rule.learn(unit, BITS, 1 - AND).examples == 0
    torch.testing.assert_close(weights(unit), before, rtol=0, atol=0)


def test_a_perceptron_never_settles_on_xor_and_says_so() -> None:
    unit, rule = Perceptron(2), PerceptronRule(epoch=4)
    seen = rule.learn(unit, BITS.repeat(200, 1), XOR.repeat(200, 1))
    assert seen.examples == 800
    assert rule.epochs == 200
    assert rule.settled_at is None


def test_a_rate_decays_from_epoch_to_epoch() -> None:
    x_NI, t_NO = digits(1)
    rule, network = ClassicalBackpropagation(rate=0.6, decay=0.5, enough=None), logistic(4)
    for epoch in range(4):
        assert rule.rate_now == pytest.approx(0.6 / (1 + 0.5 * epoch))
        rule.learn(network, x_NI, t_NO)


def test_still_weights_settle_where_an_epoch_moves_them_less() -> None:
    x_NI, t_NO = digits(4)
    network, moves = logistic(4), []
    rule = ClassicalBackpropagation(rate=2.0, enough=None, still=0.2)
    for _ in itertools.repeat(None, 500):
        before = weights(network)
        if not rule.learn(network, x_NI, t_NO).examples:
            break
        now = weights(network)
        parts = [(a - b).norm() for a, b in zip(now, before, strict=True)]
        moves.append(float(torch.stack(parts).norm()))
    assert rule.settled_at == 4 * len(moves)
    assert moves[-1] < 0.2 <= min(moves[:-1])


def test_enough_right_answers_settle_it() -> None:
    x_NI, t_NO = digits(8, outputs=1)
    network, rights = logistic(6, outputs=1), []
    rule = ClassicalBackpropagation(rate=1.0, enough=0.75)
    for _ in range(500):
        seen = rule.learn(network, x_NI, t_NO)
        if not seen.examples:
            break
        rights.append(seen.right)
    assert rule.settled_at == 8 * len(rights)
    assert rights[-1] >= 6 > max(rights[:-1], default=0)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rate": 0.0}, "rate is 0.0: it must be finite and above 0"),
        ({"decay": -1.0}, "decay is -1.0"),
        ({"enough": 0.0}, "enough is 0.0: it must be finite and above 0, at most 1"),
        ({"still": 0.0}, "still is 0.0"),
        ({"epoch": 0}, "epoch is 0"),
    ],
)
@pytest.mark.parametrize("name", RULES)
def test_settings_that_cannot_be_are_refused(
    name: str, settings: dict[str, Any], says: str
) -> None:
    RULES[name]()
    with pytest.raises(ValueError, match=says):
        RULES[name](**settings)


def test_a_network_that_is_not_for_the_rule_is_refused() -> None:
    x_NI, t_NO = digits()
    with pytest.raises(TypeError, match="takes a Perceptron, not MLP"):
        PerceptronRule().learn(logistic(4), x_NI, t_NO)
    with pytest.raises(TypeError, match="logistic units, not Linear, ReLU, Linear"):
        ClassicalBackpropagation().learn(MLP(3, 2, [4]), x_NI.float(), t_NO.float())
