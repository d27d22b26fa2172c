"""What is known of LeNet-5 beforehand: its counts, who sees whom, and its criterion."""

import math

import torch
from torch.nn.functional import cross_entropy

from lightning_modules.networks._connections import connections
from lightning_modules.networks.lenet5 import TABLE, LeNet5
from tests.network_cases import count_parameters, layer_of


def test_lenet5_has_the_papers_parameters_and_connections_layer_by_layer():
    network = LeNet5()
    of_layers = {
        k: count_parameters(m) for k, m in network.layers.named_children() if count_parameters(m)
    }
    counted = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164}
    assert of_layers == counted
    assert count_parameters(network) == 60_000
    made = connections(network, torch.zeros(1, 3, 784))
    assert {k.removeprefix("layers."): n for k, n in made.items()} == {
        **{"C1": 122_304, "S2": 5_880, "C3": 151_600, "S4": 2_000, "C5": 48_120, "F6": 10_164},
        "output": 840,
    }
    assert sum(made.values()) == 340_908


def test_a_map_of_c3_sees_the_maps_of_its_table_and_no_other():
    assert [len(seen) for seen in TABLE] == [3] * 6 + [4] * 9 + [6]
    layer, x_NCYX = layer_of(LeNet5(), "C3"), torch.randn(1, 6, 14, 14)
    before = layer(x_NCYX)
    for below in range(6):
        other = x_NCYX.clone()
        other[:, below] += 1
        changed = (layer(other) != before).flatten(2).any(-1)[0]
        assert changed.tolist() == [below in seen for seen in TABLE]


def test_sub_sampling_is_the_sum_of_four_pixels_times_a_coefficient_plus_a_bias():
    layer, x_NCYX = layer_of(LeNet5().double(), "S2"), torch.randn(2, 6, 4, 4).double()
    a, b = (weights[:, None, None] for weights in layer.parameters())
    four = [x_NCYX[..., y::2, x::2] for y in (0, 1) for x in (0, 1)]
    torch.testing.assert_close(layer(x_NCYX), a * sum(four) + b)


def test_lenet5_answers_with_the_character_that_its_last_hidden_layer_shows():
    layer = layer_of(LeNet5(), "output")
    z_NO = layer(layer.get_buffer("w_OH"))
    assert z_NO.diagonal().tolist() == [0.0] * 10
    assert z_NO.argmax(1).tolist() == list(range(10))
    apart = -(z_NO / 4)[~torch.eye(10, dtype=torch.bool)]
    assert apart.min() >= 8, "characters differ in too few pixels"


def test_lenet5_is_trained_by_the_papers_criterion_with_its_constant():
    torch.manual_seed(0)
    j, x_1BI, y_B = 7.0, torch.rand(1, 5, 784).double(), torch.randint(10, (5,))
    network = LeNet5(rubbish=j).double()
    d_BO = -network.see(x_1BI.reshape(5, 1, 28, 28))
    criterion = d_BO[range(5), y_B] + ((-d_BO).exp().sum(1) + math.exp(-j)).log()
    found = cross_entropy(network(x_1BI)[0], y_B, reduction="none")
    torch.testing.assert_close(found, criterion)
    torch.testing.assert_close(network.eval()(x_1BI)[0], -d_BO)
