"""Forecast the Hénon map, of which x alone is seen.

    x' = 1 - a x² + y      y' = b x      a = 1.4, b = 0.3

Two values of x determine the next one: x'' = 1 - a x'² + b x. A lane starts at y = 0 and an x drawn
between 0.1 and 0.18.

References:
    Hénon (1976), A two-dimensional mapping with a strange attractor, Communications in
    Mathematical Physics 50.
"""

import numpy as np

from pipeline.tasks._forecast import Simulated

A, B = 1.4, 0.3


class Henon(Simulated):
    """The next x of the map."""

    def _simulate(self, random: np.random.Generator, lanes: int, points: int) -> np.ndarray:
        """Iterate the map."""
        x_NB = np.empty((points, lanes))
        x_B, y_B = random.uniform(0.1, 0.18, lanes), np.zeros(lanes)
        for n in range(points):
            x_NB[n] = x_B
            x_B, y_B = 1 - A * (x_B * x_B) + y_B, B * x_B
        return x_NB
