"""One entry per symmetric network: a small instance and facts known beforehand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lightning_modules.energies._energy import Energy
from lightning_modules.energies.boltzmann import Boltzmann
from lightning_modules.energies.dbn import DBN
from lightning_modules.energies.equilibrium import Equilibrium
from lightning_modules.energies.estimators.annealed import Annealed
from lightning_modules.energies.estimators.contrastive_divergence import ContrastiveDivergence
from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.energies.hopfield import Hopfield
from lightning_modules.energies.linear_rbm import LinearRBM
from lightning_modules.energies.rbm import RBM
from lightning_modules.energies.storage.hebb import Hebb
from lightning_modules.energies.storage.perceptron_rule import PerceptronRule


@dataclass(frozen=True)
class EnergyCase:
    """A network, built in float32 with weights at random, and what may be asked of it."""

    build: Callable[[], Energy]
    parameters: int
    examples: Callable[[int], tuple[Tensor, Tensor]]
    """So many inputs and targets, (N, I) and (N, O), in float64."""
    refused: tuple[tuple[Callable[[], Any], str], ...] = ()
    """What cannot be built, and what the error must say."""
    visible_states: Callable[[], Tensor] | None = None
    """All states of the visible units, in float64; None where they are not counted."""
    hidden_states: bool = True
    """Whether its hidden units are 0 or 1, so that they can be summed over."""


def states_of(units: int) -> Tensor:
    """Return all states of 0 and 1, (2^units, units), in float64."""
    if not units:
        return torch.zeros(1, 0).double()
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * units).view(-1, units)


def bits(count: int, units: int) -> Tensor:
    """Return states of 0 and 1 at random, in float64."""
    return torch.randint(2, (count, units)).double()


def shaken(energy: Energy) -> Energy:
    """Return the network with weights at random, large enough to matter."""
    with torch.no_grad():
        for w in energy.parameters():
            w.copy_(torch.randn_like(w) * 0.7)
    return energy


def signs(count: int, units: int) -> Tensor:
    """Return patterns of -1 and 1 at random, in float64."""
    return 2 * bits(count, units) - 1


def _with_classes() -> Tensor:
    x_NI = states_of(4).repeat_interleave(3, dim=0)
    return torch.cat([x_NI, torch.eye(3).double().repeat(16, 1)], dim=1)


RBMS = {
    "rbm": EnergyCase(
        build=lambda: shaken(RBM(4, 3, ContrastiveDivergence(2))),
        parameters=4 * 3 + 4 + 3,
        examples=lambda count: (x := bits(count, 4), x),
        refused=(
            (lambda: RBM(0, 3, Exact()), "input_size is 0"),
            (lambda: RBM(4, 3, Exact(), "binry"), "did you mean 'binary'"),
            (lambda: RBM(4, 3, Exact(), classes=-1), "classes is -1"),
            (lambda: ContrastiveDivergence(0), "sweeps is 0"),
        ),
        visible_states=lambda: states_of(4),
    ),
    "rbm of more hidden units": EnergyCase(
        build=lambda: shaken(RBM(3, 5, ContrastiveDivergence())),
        parameters=3 * 5 + 3 + 5,
        examples=lambda count: (x := bits(count, 3), x),
        visible_states=lambda: states_of(3),
    ),
    "rbm of Gaussian units": EnergyCase(
        build=lambda: shaken(RBM(4, 3, ContrastiveDivergence(), "gaussian")),
        parameters=4 * 3 + 4 + 3,
        examples=lambda count: (x := torch.randn(count, 4).double(), x),
    ),
    "rbm of classes": EnergyCase(
        build=lambda: shaken(RBM(4, 5, ContrastiveDivergence(), classes=3)),
        parameters=7 * 5 + 7 + 5,
        examples=lambda count: (bits(count, 4), torch.eye(3).double()[torch.arange(count) % 3]),
        visible_states=_with_classes,
    ),
}
OTHERS = {
    "hopfield": EnergyCase(
        build=lambda: Hopfield(5, Hebb()),
        parameters=25,
        examples=lambda count: (x := signs(count, 5), x),
        refused=(
            (lambda: Hopfield(0, Hebb()), "input_size is 0"),
            (lambda: Hopfield(5, Hebb(), updates="synchron"), "did you mean 'synchronous'"),
            (lambda: Hopfield(2, Hebb()).store(torch.zeros(1, 2)), "other than -1 and 1"),
            (lambda: PerceptronRule(stability=-1), "stability is -1"),
        ),
    ),
    "hopfield of synchronous updates": EnergyCase(
        build=lambda: Hopfield(5, PerceptronRule(), diagonal=True, updates="synchronous"),
        parameters=25,
        examples=lambda count: (x := signs(count, 5), x),
    ),
    "boltzmann": EnergyCase(
        build=lambda: shaken(Boltzmann(4, 2, Exact(), unlinked=[([0, 1], [2, 3])])),
        parameters=6 * 6 + 6,
        examples=lambda count: (x := bits(count, 4), x),
        refused=(
            (lambda: Boltzmann(0, 2, Exact()), "input_size is 0"),
            (lambda: Boltzmann(2, -1, Exact()), "hidden_size is -1"),
            (lambda: Annealed([(0, 1.0)]), "sweeps is 0"),
            (lambda: Annealed([(1, 0.0)]), "temperature is 0"),
            (lambda: Annealed(counted=0), "counted is 0"),
        ),
        visible_states=lambda: states_of(4),
    ),
    "boltzmann without hidden units": EnergyCase(
        build=lambda: shaken(Boltzmann(4, 0, Annealed())),
        parameters=4 * 4 + 4,
        examples=lambda count: (x := bits(count, 4), x),
        visible_states=lambda: states_of(4),
    ),
}
EQUILIBRIA = {
    "equilibrium": EnergyCase(
        build=lambda: Equilibrium(3, 2, [4]),
        parameters=3 * 4 + 4 + 4 * 2 + 2,
        examples=lambda count: (torch.rand(count, 3).double(), torch.rand(count, 2).double()),
        refused=(
            (lambda: Equilibrium(3, 2, [0]), "size is 0"),
            (lambda: Equilibrium(3, 2, [4], "logisic"), "did you mean 'logistic'"),
            (lambda: Equilibrium(3, 2, [4], nudge="centered"), "did you mean 'centred'"),
            (lambda: Equilibrium(3, 2, [4], beta=0.0), "beta is 0"),
            (lambda: Equilibrium(3, 2, [4], apart=-1.0), "apart is -1"),
        ),
    ),
    "equilibrium of weights apart": EnergyCase(
        build=lambda: Equilibrium(3, 2, [4, 2], "tanh", "one_sided", apart=0.5),
        parameters=3 * 4 + 4 + 4 * 2 + 2 + 2 * 2 + 2,
        examples=lambda count: (torch.rand(count, 3).double(), torch.rand(count, 2).double()),
    ),
}


def _labelled(count: int) -> tuple[Tensor, Tensor]:
    return bits(count, 3), torch.eye(2).double()[torch.arange(count) % 2]


STACKED = {
    "linear_rbm": EnergyCase(
        build=lambda: shaken(LinearRBM(4, 3, ContrastiveDivergence(2))),
        parameters=4 * 3 + 4 + 3,
        examples=lambda count: (x := bits(count, 4), x),
        refused=((lambda: LinearRBM(4, 0, Exact()), "hidden_size is 0"),),
        visible_states=lambda: states_of(4),
        hidden_states=False,
    ),
    "dbn": EnergyCase(
        build=lambda: shaken(
            DBN([RBM(3, 2, Exact()), RBM(2, 2, ContrastiveDivergence(), classes=2)])
        ),
        parameters=2 * (3 * 2) + 2 + 3 + 4 * 2 + 4 + 2,
        examples=_labelled,
    ),
    "dbn without classes": EnergyCase(
        build=lambda: shaken(DBN([RBM(3, 2, Exact()), RBM(2, 2, ContrastiveDivergence())])),
        parameters=2 * (3 * 2) + 2 + 3 + 2 * 2 + 2 + 2,
        examples=lambda count: (x := bits(count, 3), x),
    ),
}
ENERGY_CASES = {**RBMS, **OTHERS, **EQUILIBRIA, **STACKED}
"""By the file's name, and of a form of it by that and what is other."""
