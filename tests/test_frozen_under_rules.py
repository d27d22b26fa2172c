"""Weights that are frozen or shared under a rule that moves them itself."""

import copy

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.contracts._recall import Recall
from lightning_modules.rules import RULES
from lightning_modules.training.by_rule import RuleLearner
from lightning_modules.training.fit import fit
from tests.probing_learners import Spy
from tests.rule_cases import network_for

WEIGHTS = [(rule, name) for rule in RULES for name, _ in network_for(rule).named_parameters()]


@pytest.mark.parametrize(("rule", "name"), WEIGHTS)
def test_a_rule_leaves_frozen_weights_alone_and_moves_the_others_by_their_own_errors(
    rule: str, name: str
) -> None:
    x_NI, t_NO = torch.randn(6, 3).double(), (torch.rand(6, 2) > 0.5).double()
    networks: list[dict[str, Tensor]] = []
    for by_hand in (False, True):
        network, method = network_for(rule), RULES[rule](rate=0.5, enough=None)
        before = copy.deepcopy(network.get_parameter(name).detach())
        if not by_hand:
            network.get_parameter(name).requires_grad_(False)
            seen = method.learn(network, x_NI, t_NO)
            assert seen.moved > 0
        for n in range(len(x_NI)) if by_hand else ():  # put back after every example
            method.learn(network, x_NI[n : n + 1], t_NO[n : n + 1])
            network.get_parameter(name).data.copy_(before)
        assert torch.equal(network.get_parameter(name), before)
        networks.append(dict(network.state_dict()))
    for key, w in networks[0].items():
        torch.testing.assert_close(w, networks[1][key], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_under_a_trainer_shows_the_weights_that_train(rule: str) -> None:
    network, spy = network_for(rule), Spy()
    name = next(iter(dict(network.named_parameters())))
    network.get_parameter(name).requires_grad_(False)
    learner = RuleLearner(network, RULES[rule](rate=0.5, enough=None), "cross_entropy").double()
    before = copy.deepcopy(network.state_dict())
    fit(learner, Recall(), steps=3, evaluate_every=3, seed=0, probes=[spy])
    for key, w in network.state_dict().items():
        assert torch.equal(w, before[key]) == (key == name), key
    assert f"network.{name}" not in spy.seen[0].names
    assert len(spy.seen[0].names) == len(before) - 1


def test_a_layer_that_a_rules_network_uses_twice_moves_by_both_uses() -> None:
    torch.manual_seed(0)
    layer, units = nn.Linear(3, 3).double(), nn.Sigmoid()
    network = nn.Sequential(layer, units, layer, units)
    x_NI, t_NO = torch.randn(1, 3).double(), torch.rand(1, 3).double().round()
    loss = (network(x_NI) - t_NO).square().sum() / 2
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    pairs = zip(network.parameters(), gradients, strict=True)
    expected = [w.detach() - 0.5 * g for w, g in pairs]
    RULES["classical_backpropagation"](rate=0.5, enough=None).learn(network, x_NI, t_NO)
    for w, moved in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(w.detach(), moved, rtol=1e-12, atol=1e-14)
