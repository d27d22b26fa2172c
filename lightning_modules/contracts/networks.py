"""Checks of every network: from x_TBI to outputs, (T, B, O), each sample by itself.

Networks are given in float64 and in evaluation mode; ``x_TBI`` is an input that they accept.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lightning_modules.contracts._contract import Check, Contract, check

T, B, I = 4, 3, 3  # noqa: E741


def shapes(network: nn.Module, x_TBI: Tensor) -> None:
    """Outputs have a step, a sample, and the type of the weights."""
    assert network(x_TBI).shape[:2] == x_TBI.shape[:2]
    assert network(x_TBI).ndim == 3
    assert network(x_TBI).dtype == torch.float64
    assert network.float()(x_TBI.float()).dtype == torch.float32


def samples_apart(network: nn.Module, x_TBI: Tensor) -> None:
    """Samples of a batch do not see each other."""
    one = network(x_TBI[:, 1:2])
    torch.testing.assert_close(network(x_TBI)[:, 1:2], one, rtol=1e-12, atol=1e-12)


def finite_differences(network: nn.Module, x_TBI: Tensor) -> None:
    """Derivatives are those of finite differences."""
    names = [name for name, _ in network.named_parameters()]

    def outputs(x_TBI: Tensor, *weights: Tensor) -> Tensor:
        return functional_call(network, dict(zip(names, weights, strict=True)), (x_TBI,))

    assert torch.autograd.gradcheck(outputs, (x_TBI, *network.parameters()), fast_mode=True)


def steps_alone(network: nn.Module, x_TBI: Tensor) -> None:
    """A feed-forward network sees each step alone."""
    steps = torch.stack([network(x_1BI)[0] for x_1BI in x_TBI.unsqueeze(1)])
    torch.testing.assert_close(network(x_TBI), steps, rtol=1e-12, atol=1e-12)


CHECKS: tuple[Callable[[nn.Module, Tensor], None], ...] = (
    shapes,
    samples_apart,
    finite_differences,
)


def _checks(build: Callable[[], nn.Module]) -> Iterator[Check]:
    """Iterate over the checks of a network whose inputs are numbers.

    ``steps_alone`` is no part of them: whether the network is feed-forward is not known.
    """

    def made() -> nn.Module:
        return build().double().eval()

    def inputs() -> Tensor:
        size = getattr(build(), "input_size", I)
        return torch.randn(T, B, size, dtype=torch.float64)

    yield from (check(each, made, inputs) for each in CHECKS)


CONTRACT = Contract(nn.Module, {"input_size": I, "output_size": 2, "hidden_size": 4}, _checks)
