"""A figure of each architecture, drawn from a model that is built and run.

Boxes and arrows come from what the model does, never from a description of it, so they cannot
contradict the code. May import all methods of lightning_modules. It imports torch, so other modules
import it only where they use it.
"""

from typing import NamedTuple

import torch
from markupsafe import Markup
from torch import nn

from docs.drawing import Drawing, svg
from docs.members import Member
from docs.outlines import energies, examples, machines, maps
from docs.outlines.cells import levels
from docs.outlines.layered import layered
from docs.outlines.networks import Flow, Part, traced
from docs.outlines.unrolled import unrolled
from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Cell
from lightning_modules.machines import MACHINES
from lightning_modules.maps._kohonen import Kohonen

INPUTS, UNITS = 3, 4
"""The sizes of a cell that is drawn."""
FLOW = (
    "Drawn from {}, run on {}: modules in the order of their calls, with the size "
    "of what each puts out and how many weights it has. An arrow stands where numbers go from one "
    "to the other."
)


class Outline(NamedTuple):
    """A drawing, and a caption that says what it was drawn from and how."""

    drawing: Drawing
    caption: str

    @property
    def svg(self) -> Markup:
        """The drawing as SVG."""
        return svg(self.drawing)


def outlined(member: Member) -> Outline | None:
    """Return the figure of a member, the same at each call; None in rooms without figures."""
    if member.room not in DRAWN:
        return None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DRAWN[member.room](member.name)


def cell(name: str) -> Cell:
    """Return the instance of a cell to draw."""
    build = examples.CELLS.get(name)
    return build() if build else CELLS[name](INPUTS, UNITS)


def network_parts(network: nn.Module, example: examples.Example) -> list[Part]:
    """Return the parts of a network, found by running it on its example."""
    weights = next(network.parameters(), torch.zeros(()))

    def run(flow: Flow, samples: int) -> None:
        x_TBI = flow.enters("input x", example.shown(samples).to(weights.device))
        flow.leaves("output z", network(x_TBI))

    return traced(network, run)


def adversary_parts(adversary: Adversary) -> list[Part]:
    """Return the parts of two players, found by generating a sample and scoring it."""

    def run(flow: Flow, samples: int) -> None:
        z_BZ = flow.enters("latent z", torch.randn(samples, adversary.latent_size))
        y_B = flow.enters("class y", torch.zeros(samples, dtype=torch.int64))
        x_BI = flow.leaves("sample x", adversary.generate(z_BZ, y_B))
        flow.leaves("log odds", adversary.discriminate(x_BI, y_B))

    return traced(adversary, run)


def _cell(name: str) -> Outline:
    found = levels(cell(name))
    units = " and ".join(str(level.state[0].size) for level in found)
    caption = (
        f"Drawn from the cell itself, of {found[0].inputs} inputs and {units} units, unrolled over "
        "three steps. An arrow stands where changing what it comes from changed, within the step "
        "and all else held, what it points at."
    )
    return Outline(unrolled(found, f"The cell {name} over three steps."), caption)


def _network(name: str) -> Outline:
    example = examples.NETWORKS[name]
    parts = network_parts(example.build(), example)
    caption = FLOW.format("the network itself", example.says)
    return Outline(layered(parts, f"The network {name}."), caption)


def _adversary(name: str) -> Outline:
    parts = adversary_parts(examples.ADVERSARIES[name]())
    return Outline(
        layered(parts, f"The players of {name}."),
        FLOW.format("the players themselves", "one latent vector"),
    )


def _energy(name: str) -> Outline:
    energy = examples.ENERGIES[name]()
    caption = (
        f"Drawn from the network itself, of {energy.state_size} units. A line joins two where the "
        "energy of both changed is not what each changes alone."
    )
    return Outline(energies.drawn(energy, f"The units of {name}."), caption)


def _map(name: str) -> Outline:
    shown = examples.MAPS[name]
    caption = (
        "Drawn from the map itself. Lines join neighbours; a unit says how much it learns, at the "
        "first radius, when the one that is marked wins."
        if isinstance(shown.build(), Kohonen)
        else f"Drawn from the map itself, after it went through {len(shown.x_NI())} examples once. "
        "A category says how many are its own; an arrow stands where its weight is not zero."
    )
    return Outline(maps.drawn(shown, f"The map {name}."), caption)


def _machine(name: str) -> Outline:
    caption = (
        "Drawn from the machine itself: a row for each unit, in a column for each symbol and each "
        "unit the weight that it has there, none where it is zero, and its bias b."
    )
    return Outline(machines.drawn(MACHINES[name](), f"The machine {name}."), caption)


DRAWN = {
    "cells": _cell,
    "networks": _network,
    "adversaries": _adversary,
    "energies": _energy,
    "maps": _map,
    "machines": _machine,
}
"""Functions that draw a member, by its room."""
