"""Every network, held to what the contract says of it, and where its weights start."""

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.contracts import networks as contract
from lightning_modules.contracts.networks import B, T
from lightning_modules.networks import NETWORKS
from lightning_modules.networks._starts import STARTS, start
from lightning_modules.networks.mlp import MLP
from lightning_modules.networks.mp_neuron import GATES, MPNeuron
from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.registry import UnknownNameError
from tests.network_cases import NETWORK_CASES, NetworkCase

CASES = pytest.mark.parametrize("case", NETWORK_CASES.values(), ids=NETWORK_CASES)


def _made(case: NetworkCase) -> tuple[nn.Module, Tensor]:
    """Return a network in float64 and random inputs; of ids, some padding at the end."""
    torch.manual_seed(0)
    network = case.build().double().eval()
    if case.x_TBI is not None:
        return network, case.x_TBI.double()
    if not case.ids:
        return network, torch.randn(T, B, case.inputs).double()
    x_TBI = torch.randint(1, case.ids, (T, B, case.inputs))
    x_TBI[-1, 1] = 0
    return network, x_TBI.double()


def test_every_network_has_a_case() -> None:
    assert set(NETWORKS) == set(NETWORK_CASES)


@pytest.mark.parametrize("name", NETWORK_CASES)
def test_a_network_has_the_number_of_parameters_known_beforehand(name: str) -> None:
    network = NETWORK_CASES[name].build()
    assert isinstance(network, NETWORKS[name])
    assert sum(w.numel() for w in network.parameters()) == NETWORK_CASES[name].parameters


@CASES
def test_outputs_have_a_step_a_sample_and_the_type_of_the_weights(case: NetworkCase) -> None:
    network, x_TBI = _made(case)
    assert network(x_TBI).shape == (T, B, case.outputs)
    contract.shapes(network, x_TBI)


@CASES
def test_samples_of_a_batch_do_not_see_each_other(case: NetworkCase) -> None:
    contract.samples_apart(*_made(case))


@pytest.mark.parametrize("name", [name for name, c in NETWORK_CASES.items() if c.alone])
def test_a_feed_forward_network_sees_each_step_alone(name: str) -> None:
    contract.steps_alone(*_made(NETWORK_CASES[name]))


@pytest.mark.parametrize("name", [name for name, c in NETWORK_CASES.items() if c.differentiable])
def test_derivatives_are_those_of_finite_differences(name: str) -> None:
    network, x_TBI = _made(NETWORK_CASES[name])
    x_TBI = x_TBI if NETWORK_CASES[name].ids else x_TBI[:1].requires_grad_()
    contract.finite_differences(network, x_TBI)


REFUSED = [(name, i) for name, case in NETWORK_CASES.items() for i in range(len(case.refused))]


@pytest.mark.parametrize(("name", "which"), REFUSED)
def test_what_cannot_be_built_is_refused_in_a_line(name: str, which: int) -> None:
    build, says = NETWORK_CASES[name].refused[which]
    with pytest.raises((ValueError, UnknownNameError), match=says) as caught:
        build()
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("activation", "by_hand"),
    [
        ("relu", lambda z: z.clamp(min=0)),
        ("tanh", lambda z: (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())),
        ("logistic", lambda z: 1 / (1 + (-z).exp())),
        ("softsign", lambda z: z / (1 + z.abs())),
        ("linear", lambda z: z),
    ],
)
def test_an_mlp_is_its_equation(activation: str, by_hand) -> None:
    torch.manual_seed(0)
    network, x_BI = MLP(3, 2, [5], activation, activation).double(), torch.randn(B, 3).double()
    W1, b1, W2, b2 = network.parameters()
    expected = by_hand(by_hand(x_BI @ W1.t() + b1) @ W2.t() + b2)
    torch.testing.assert_close(network(x_BI), expected, rtol=1e-12, atol=1e-12)


def test_the_layers_of_an_mlp_have_names_that_read_well() -> None:
    names = [name for name, _ in MLP(3, 2, [5, 5], "tanh", "logistic").named_children()]
    assert names == ["hidden1", "tanh1", "hidden2", "tanh2", "output", "output_logistic"]
    assert [name for name, _ in MLP(3, 2, []).named_children()] == ["output"]


@pytest.mark.parametrize("gate", GATES)
def test_weights_by_hand_are_the_gate(gate: str) -> None:
    truth = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "not": [1, 0]}[gate]
    bits = torch.tensor([0.0, 1.0])
    x_NI = bits.unsqueeze(1) if gate == "not" else torch.cartesian_prod(bits, bits)
    assert MPNeuron.gate(gate)(x_NI).flatten().tolist() == truth


def test_threshold_units_fire_above_zero_alone() -> None:
    units = Perceptron(1, spread=0.0)
    assert units(torch.ones(1, 1)).item() == 0
    with torch.no_grad():
        units.affine.bias.fill_(1e-6)
    assert units(torch.ones(1, 1)).item() == 1


DEVIATIONS = {
    "uniform": 0.3 / 3**0.5,
    "fan_in": 0.3 * (3 * 400) ** -0.5,
    "normalised": 0.3 * (2 / (400 + 200)) ** 0.5,
    "gaussian": 0.3 * 400**-0.5,
    "orthogonal": 0.3 * 400**-0.5,
}
"""Of 200 units with 400 inputs, at a scale of 0.3."""


@pytest.mark.parametrize("name", STARTS)
def test_a_start_draws_weights_of_the_size_that_its_equation_says(name: str) -> None:
    torch.manual_seed(0)
    network = MLP(400, 2, [200])
    start(network, name, 0.3)
    W_OI, b_O = (w.detach() for w in network[0].parameters())
    assert float(W_OI.mean()) == pytest.approx(0, abs=1e-3)
    assert float(W_OI.std()) == pytest.approx(DEVIATIONS[name], rel=0.02)
    assert float(b_O.abs().max()) == (pytest.approx(0.3, rel=0.05) if name == "uniform" else 0)


def test_an_orthogonal_start_keeps_lengths() -> None:
    network = MLP(8, 3, [8]).double()
    start(network, "orthogonal", 2.0)
    for layer in (network[0], network[2]):
        W_OI = next(layer.parameters()).detach()
        torch.testing.assert_close(W_OI @ W_OI.t(), 4 * torch.eye(len(W_OI)).double())


def test_a_start_that_cannot_be_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'uniform'"):
        start(MLP(1, 1, []), "unifrom")
    with pytest.raises(ValueError, match=r"scale is 0: it must be finite and above 0"):
        start(MLP(1, 1, []), "uniform", 0)
    with pytest.raises(ValueError, match="MPNeuron has no affine layer"):
        start(MPNeuron.gate("and"), "uniform")
