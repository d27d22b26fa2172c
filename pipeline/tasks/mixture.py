"""Samples, each one step, of a mixture of equally likely Gaussians of one spread, at given places.

    origin    one place, 0, in one dimension
    shifted   one place, 3, in one dimension
    ring      8 places on the circle of radius 2
    square    25 places, 5×5, two apart, around 0

A sample's class is the number of its place. With a spread of 0 all samples lie at the places.

References:
    Metz, Poole, Pfau & Sohl-Dickstein (2017), Unrolled generative adversarial networks, ICLR,
        arXiv:1611.02163: the ring.
    Srivastava, Valkov, Russell, Gutmann & Sutton (2017), VEEGAN: reducing mode collapse in GANs
        using implicit variational learning, NeurIPS, arXiv:1705.07761: the square.
    Mescheder, Geiger & Nowozin (2018), ICML, arXiv:1801.04406: the origin, with a spread of 0.
"""

import itertools
import math

import numpy as np
import torch

from lightning_modules.checks import above
from lightning_modules.interfaces import Batch
from lightning_modules.registry import nearest
from pipeline.tasks._common import Generated, first_step

EIGHTHS = [math.tau * k / 8 for k in range(8)]
PLACES: dict[str, list[tuple[float, ...]]] = {
    "origin": [(0.0,)],
    "shifted": [(3.0,)],
    "ring": [(2 * math.cos(a), 2 * math.sin(a)) for a in EIGHTHS],
    "square": list(itertools.product([-4.0, -2.0, 0.0, 2.0, 4.0], repeat=2)),
}
"""The places of each arrangement."""


class Mixture(Generated):
    """Gaussians around the places of an arrangement.

    Attributes:
        places_KI: where they are.
    """

    loss = "cross_entropy"

    def __init__(
        self, seed: int, batch_size: int, held_out_size: int, arrangement: str, spread: float
    ):
        """``held_out_size`` counts samples; ValueError for an arrangement that is none."""
        super().__init__(seed, batch_size, held_out_size)
        if arrangement not in PLACES:
            raise ValueError(
                f"arrangement {arrangement!r} is unknown: {nearest(arrangement, PLACES)}"
            )
        above(0, or_equal=True, spread=spread)
        self.places_KI, self.spread = np.array(PLACES[arrangement]), spread
        self.output_size, self.input_size = self.places_KI.shape

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Return samples as one step."""
        y_B = random.integers(self.output_size, size=size)
        noise_BI = random.standard_normal((size, self.input_size))
        x_BI = torch.from_numpy(self.places_KI[y_B] + self.spread * noise_BI).float()
        start_TB = first_step(1, size)
        y_TB = torch.from_numpy(y_B).unsqueeze(0)
        return Batch(x_BI.unsqueeze(0), y_TB, torch.ones_like(start_TB), start_TB)
