"""Forecast the Mackey-Glass equation, a feedback with a delay of 17.

    dx/dt = beta x(t - delay) / (1 + x(t - delay)^10) - gamma x      beta = 0.2, gamma = 0.1

Euler steps of 1, all of them seen. What came before a lane is drawn between 1.2 and 1.4.

References:
    Mackey & Glass (1977), Oscillation and chaos in physiological control systems, Science 197.
"""

import numpy as np

from lightning_modules.checks import whole
from pipeline.tasks._forecast import Simulated

BETA, GAMMA = 0.2, 0.1


class MackeyGlass(Simulated):
    """The next x of the equation."""

    def __init__(
        self,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        reset_every: int | None = 200,
        delay: int = 17,
    ):
        """``delay`` counts steps; the public repository's code looks back 16 of them."""
        whole(1, delay=delay)
        self._delay = delay
        super().__init__(seed, batch_size, length, held_out_size, reset_every)

    def _simulate(self, random: np.random.Generator, lanes: int, points: int) -> np.ndarray:
        """Return Euler's steps; the history is x(-delay) to x(0)."""
        past = self._delay + 1
        x_NB = np.empty((past + points, lanes))
        x_NB[:past] = 1.2 + 0.2 * random.random((past, lanes))
        for n in range(past, past + points):
            delayed_B = x_NB[n - past]
            square_B = delayed_B * delayed_B
            eighth_B = square_B * square_B * (square_B * square_B)
            feedback_B = BETA * delayed_B / (1 + eighth_B * square_B)
            x_NB[n] = x_NB[n - 1] + feedback_B - GAMMA * x_NB[n - 1]
        return x_NB[past:]
