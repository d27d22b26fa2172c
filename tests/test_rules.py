"""Learning rules: moves by hand and by automatic differentiation, and when they settle."""

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.networks.mlp import MLP
from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.rules import RULES
from lightning_modules.rules.classical_backpropagation import ClassicalBackpropagation
from lightning_modules.rules.perceptron_rule import AHEAD, PerceptronRule
from tests.rule_cases import RULE_CASES, network_for

BITS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
AND, XOR = (torch.tensor(t).unsqueeze(1) for t in ([0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]))


def weights(network: nn.Module) -> list[Tensor]:
    return [w.detach().clone() for w in network.parameters()]


def logistic(*hidden: int, inputs: int = 3, outputs: int = 2) -> MLP:
    torch.manual_seed(0)
    return MLP(inputs, outputs, list(hidden), "logistic", "logistic").double()


def digits(N: int = 7, inputs: int = 3, outputs: int = 2) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(N, inputs).double(), torch.randint(2, (N, outputs)).double()


BY_HAND = (
    (1, [1, 1, 1]),
    (3, [2, 1, 0]),
    (3, [2, 1, -1]),
    (2, [2, 2, -1]),
    (1, [2, 1, -2]),
    (0, [2, 1, -2]),
)
"""Mistakes of each epoch of AND from zero, worked out with pencil and paper, and w, b after it."""


def test_a_perceptron_makes_the_mistakes_that_it_makes_by_hand() -> None:
    unit, rule = Perceptron(2, spread=0.0), PerceptronRule(rate=1.0)
    for mistakes, expected in BY_HAND:
        seen = rule.learn(unit, BITS, AND)
        assert (seen.examples, seen.mistakes, seen.loss) == (4, mistakes, mistakes / 2)
        assert torch.cat([w.flatten() for w in weights(unit)]).tolist() == expected
    assert rule.settled_at == 4 * len(BY_HAND)


@pytest.mark.parametrize("examples", [1, AHEAD, 3 * AHEAD + 5])
def test_looking_ahead_changes_nothing_and_each_unit_learns_alone(examples: int) -> None:
    x_NI, t_NO = digits(examples, 4, 3)
    torch.manual_seed(2)
    units = Perceptron(4, 3).double()
    W_OI, b_O = weights(units)
    mistakes, moved = 0, 0.0
    for x_I, t_O in zip(x_NI, t_NO, strict=True):
        e_O = t_O - (W_OI @ x_I + b_O > 0).double()
        W_OI, b_O = W_OI + 0.3 * torch.outer(e_O, x_I), b_O + 0.3 * e_O
        mistakes += int(e_O.abs().sum())
        if e_O.any():
            moved = 0.3 * float(e_O.norm() * torch.cat([x_I, torch.ones(1).double()]).norm())
    seen = PerceptronRule(rate=0.3, enough=None).learn(units, x_NI, t_NO)
    assert seen.mistakes == mistakes
    assert seen.moved == pytest.approx(moved, rel=1e-12)
    torch.testing.assert_close(weights(units), [W_OI, b_O], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 6)])
def test_classical_moves_are_automatic_differentiation_s_one_example_at_a_time(
    hidden: tuple[int, ...],
) -> None:
    x_NI, t_NO = digits()
    ours, theirs = logistic(*hidden), logistic(*hidden)
    rule = ClassicalBackpropagation(rate=0.7, enough=None)
    for x_1I, t_1O in zip(x_NI.split(1), t_NO.split(1), strict=True):
        loss = (theirs(x_1I) - t_1O).square().sum() / 2
        gradients = torch.autograd.grad(loss, list(theirs.parameters()))
        before = weights(ours)
        seen = rule.learn(ours, x_1I, t_1O)
        assert seen.loss == pytest.approx(float(loss.detach()), rel=1e-12)
        assert seen.moved == pytest.approx(
            0.7 * float(torch.stack([g.norm() for g in gradients]).norm()), rel=1e-12
        )
        for w, b, g in zip(ours.parameters(), before, gradients, strict=True):
            torch.testing.assert_close((b - w) / 0.7, g, rtol=1e-12, atol=1e-12)
        with torch.no_grad():
            for w, g in zip(theirs.parameters(), gradients, strict=True):
                w -= 0.7 * g


def test_every_rule_has_a_network_in_the_table() -> None:
    assert set(RULES) == set(RULE_CASES)


@pytest.mark.parametrize("name", RULES)
def test_examples_may_come_in_any_portions(name: str) -> None:
    x_NI, t_NO = digits(24)
    found = []
    for portion in (24, 5):
        network, rule = network_for(name), RULES[name](rate=0.3, decay=1.0, enough=None, epoch=8)
        for x, t in zip(x_NI.split(portion), t_NO.split(portion), strict=True):
            rule.learn(network, x, t)
        assert rule.epochs == 3
        found.append(weights(network))
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)


def test_errors_are_the_derivatives_of_each_example_s_loss() -> None:
    x_NI, t_NO = digits(5)
    network = logistic(4)
    tiny = ClassicalBackpropagation(rate=1e-300, enough=None)  # weights rest, so all at once
    errors = tiny.learn(network, x_NI, t_NO, watched=True).errors
    made: dict[str, Tensor] = {}
    for name, module in network.named_children():
        module.register_forward_hook(lambda _, __, h, name=name: made.update({name: h}))
    loss = (network(x_NI) - t_NO).square().sum() / 2
    gradients = torch.autograd.grad(loss, list(made.values()))
    assert errors is not None
    assert list(errors) == list(made)
    for e, g in zip(errors.values(), gradients, strict=True):
        torch.testing.assert_close(e, g.norm(), rtol=1e-12, atol=1e-12)
