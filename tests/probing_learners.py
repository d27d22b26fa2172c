"""Learners that probes are attached to, and a probe that keeps what it is shown."""

from typing import Any

import torch
from torch import nn

from lightning_modules.instruments import Update
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import Probe
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.sequence import SequenceLearner

OF_SEQUENCES = [
    name
    for name, kind in PROBES.items()
    if kind.sees & SequenceLearner.shows and kind.needs <= SequenceLearner.shows
]
"""The probes that see something of a cell that learns sequences."""


def every(**others: int) -> list[Probe]:
    """Return all of these, at every batch or as said."""
    return [PROBES[name](every=others.get(name, 1)) for name in OF_SEQUENCES]


def perceptron(**settings: Any) -> BackpropLearner:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    return BackpropLearner(network, "cross_entropy", "sgd", 0.1, **settings).double()


class Spy(Probe):
    """A probe that keeps the updates themselves."""

    sees = frozenset({"updates"})

    def __init__(self):
        super().__init__()
        self.seen: list[Update] = []

    def updated(self, seen: Update) -> None:
        after = [w.clone() for w in seen.after]
        clipped = [g.clone() for g in seen.clipped]
        self.seen.append(seen._replace(after=after, clipped=clipped))

    def tell(self, means: Any) -> Any:
        yield from ()
