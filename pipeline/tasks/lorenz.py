"""Forecast the Lorenz system, of which x alone is seen.

    dx/dt = sigma (y - x)      dy/dt = x (rho - z) - y      dz/dt = x y - beta z

with sigma = 10, rho = 28, beta = 8/3. Euler steps of 0.01, every second one seen. A lane starts at
(1, 1, 1) plus a tenth of standard normal numbers; its first 100 Euler steps are left out as well.

References:
    Lorenz (1963), Deterministic nonperiodic flow, Journal of the Atmospheric Sciences 20(2).
"""

import numpy as np

from pipeline.tasks._forecast import Simulated

SIGMA, RHO, BETA = 10.0, 28.0, 8 / 3
STEP, EVERY, TRANSIENT = 0.01, 2, 100


class Lorenz(Simulated):
    """The next x of the system."""

    def _simulate(self, random: np.random.Generator, lanes: int, points: int) -> np.ndarray:
        """Return every second Euler step."""
        x_NB = np.empty((TRANSIENT + EVERY * points, lanes))
        x_B, y_B, z_B = 1 + 0.1 * random.standard_normal((3, lanes))
        for n in range(len(x_NB)):
            x_B, y_B, z_B = (
                x_B + STEP * SIGMA * (y_B - x_B),
                y_B + STEP * (x_B * (RHO - z_B) - y_B),
                z_B + STEP * (x_B * y_B - BETA * z_B),
            )
            x_NB[n] = x_B
        return x_NB[TRANSIENT::EVERY]
