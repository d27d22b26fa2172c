"""What is known of the feed-forward networks beforehand: counts, windows, what is shared."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv1d, conv2d

from lightning_modules.cells.srn import SRN
from lightning_modules.networks._connections import connections
from lightning_modules.networks._pictures import PictureNetwork
from lightning_modules.networks.alexnet import AlexNet
from lightning_modules.networks.autoencoder import Autoencoder
from lightning_modules.networks.convolutional import Convolutional
from lightning_modules.networks.locally_connected import LocallyConnected
from lightning_modules.networks.tdnn import TDNN
from lightning_modules.networks.unrolled import Unrolled
from lightning_modules.networks.untied import Untied
from tests.network_cases import count_parameters, layer_of

DIGIT = (1, 28, 28)


@pytest.mark.parametrize("pooling", [2, 3])
@pytest.mark.parametrize(("groups", "parameters"), [(2, 60_965_224), (1, 62_378_344)])
def test_alexnet_has_the_papers_parameters(groups: int, parameters: int, pooling: int):
    with torch.device("meta"):
        network = AlexNet(groups=groups, pooling=pooling)
        assert count_parameters(network) == parameters
        assert network(torch.empty(1, 2, 3 * 224 * 224)).shape == (1, 2, 1000)


def test_a_group_of_alexnet_sees_the_maps_of_its_own_device_alone():
    layers = dict(AlexNet((1, 64, 64), 10, width=0.25).layers.named_children())
    for name, joined in (("C2", False), ("C4", False), ("C3", True)):
        layer = layers[name]
        assert isinstance(layer, nn.Conv2d)
        x_NCYX = torch.randn(1, layer.in_channels, 5, 5)
        other = x_NCYX.clone()
        other[:, : layer.in_channels // 2] += 1
        changed = (layer(other) != layer(x_NCYX)).flatten(2).any(-1)[0]
        first, second = changed.chunk(2)
        assert first.all()
        assert second.all() if joined else not second.any()


def test_alexnets_normalisation_is_the_papers():
    layer = layer_of(AlexNet((1, 64, 64), 10, width=0.25), "N1")
    a = 10 * torch.randn(1, 9, 2, 2).double()
    for i in range(9):
        around = a[:, max(0, i - 2) : i + 3].pow(2).sum(1)
        torch.testing.assert_close(layer(a)[:, i], a[:, i] / (2 + 1e-4 * around) ** 0.75)


def test_a_layer_of_local_filters_that_are_all_alike_is_a_convolution():
    shared, local = Convolutional(DIGIT, 10).double(), LocallyConnected(DIGIT, 10).double()
    local.readout.load_state_dict(shared.readout.state_dict())
    with torch.no_grad():
        local.filters.weight_PAF.copy_(shared.filters.weight.flatten(1).t())
        bias_F = shared.filters.bias
        assert bias_F is not None
        local.filters.bias_FP.copy_(bias_F[:, None])
    x_TBI = torch.rand(1, 3, 784).double()
    torch.testing.assert_close(local(x_TBI), shared(x_TBI), rtol=1e-12, atol=1e-12)
    assert count_parameters(local.filters) == 12 * 12 * count_parameters(shared.filters)
    assert connections(local, x_TBI) == connections(shared, x_TBI), "sharing costs no connection"


def test_what_a_convolution_sees_moves_with_the_picture_and_local_filters_do_not():
    x_NCYX = torch.zeros(1, 1, 28, 28).double()
    x_NCYX[..., 8:16, 8:16] = torch.randn(8, 8)
    moved = x_NCYX.roll((2, 2), dims=(2, 3))
    shared = Convolutional(DIGIT, 10).double().filters
    torch.testing.assert_close(shared(moved), shared(x_NCYX).roll((1, 1), dims=(2, 3)))
    local = LocallyConnected(DIGIT, 10).double().filters
    at, seen = local(moved).unflatten(-1, (12, 12)), local(x_NCYX).unflatten(-1, (12, 12))
    assert not torch.allclose(at, seen.roll((1, 1), dims=(2, 3)))


def test_a_tdnn_sees_exactly_its_window():
    network, x_TBI = TDNN(3, 2, [4, 5], [3, 4]).double(), torch.randn(12, 2, 3).double()
    assert network.window == 6
    last = network(x_TBI)[-1]
    for back in range(12):
        other = x_TBI.clone()
        other[-1 - back] += 1
        assert torch.equal(network(other)[-1], last) == (back >= 6)


def test_a_tdnn_is_a_convolution_over_time():
    network, x_TBI = TDNN(3, 2, [4, 5], [3, 4]).double(), torch.randn(12, 2, 3).double()
    h_BHT = x_TBI.permute(1, 2, 0)
    for layer, delay in zip(network.layers, (3, 4), strict=True):
        assert isinstance(layer, nn.Sequential)
        linear = layer[1]
        assert isinstance(linear, nn.Linear)
        kernel = linear.weight.unflatten(1, (-1, delay))
        h_BHT = conv1d(nn.functional.pad(h_BHT, (delay - 1, 0)), kernel, linear.bias).tanh()
    torch.testing.assert_close(network(x_TBI), network.readout(h_BHT.permute(2, 0, 1)))


def test_an_untied_network_whose_steps_are_alike_is_a_recurrent_one():
    cell, x_TBI = SRN(3, 5).double(), torch.randn(7, 2, 3).double()
    tied, untied = Unrolled(cell, 2), Untied(3, 2, 5, length=9).double()
    untied.readout.load_state_dict(tied.readout.state_dict())
    with torch.no_grad():
        for own, shared in zip(
            (untied.U_THI, untied.W_THH, untied.b_TH), cell.parameters(), strict=True
        ):
            own.copy_(shared)
    torch.testing.assert_close(untied(x_TBI), tied(x_TBI), rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match="a sequence of 10 steps: this network has weights for 9"):
        untied(torch.zeros(10, 2, 3).double())


def test_an_autoencoders_code_is_linear_and_as_small_as_its_last_layer():
    whole, x_TBI = Autoencoder(6, [5, 2]), torch.rand(1, 3, 6)
    assert whole.encode(x_TBI).shape == (1, 3, 2)
    with torch.no_grad():
        whole.encoder[1][0].weight.mul_(100)  # pyright: ignore[reportIndexIssue]
    assert whole.encode(x_TBI).abs().max() > 1


def test_the_worked_convolution_comes_out_digit_for_digit():
    picture = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    kernel = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    seen = conv2d(torch.tensor([[picture]]).double(), torch.tensor([[kernel]]).double())
    assert seen.long().tolist() == [[[[4, 3, 4], [2, 4, 3], [2, 3, 4]]]]


def test_a_picture_lies_row_by_row():
    class Corner(PictureNetwork):
        def see(self, x_NCYX: torch.Tensor) -> torch.Tensor:
            return x_NCYX[:, 1, 0, 1:2]

    x_TBI = torch.arange(2 * 3 * 12.0).view(2, 3, 12)
    assert torch.equal(Corner((2, 2, 3), 1)(x_TBI)[..., 0], x_TBI[..., 7])


def test_connections_of_weights_whose_use_is_not_known_are_not_left_out_in_silence():
    with pytest.raises(TypeError, match="Untied: how U_THI is used is not known"):
        connections(Untied(3, 2, 5, length=4), torch.zeros(1, 1, 3))
