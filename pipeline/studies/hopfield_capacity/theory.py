"""What is known of Hebb's rule beforehand: overlap, its limit, and how often a bit is wrong.

    y = erf(y) / (√(2α) + (2/√π) exp(-y²))        m = erf(y)        at temperature 0

The largest solution is recall; beyond α_c = .1379 there is none but y = 0.

References:
    Amit, Gutfreund & Sompolinsky (1985), Storing infinite numbers of patterns in a spin-glass model
        of neural networks, Physical Review Letters 55.
"""

import math

LIMIT, LEAST = 0.137906, 0.96753
"""α_c and the overlap there."""


def overlap(load: float) -> float:
    """Return m at a load of M / S patterns a unit; NaN beyond the limit."""
    from scipy.optimize import brentq

    def off(y: float) -> float:
        return math.erf(y) - y * (math.sqrt(2 * load) + 2 / math.sqrt(math.pi) * math.exp(-y * y))

    # From far above down, where ``off`` is negative, to where it first is not.
    grid = [y / 500 for y in range(5000, 500, -1)]
    low = next((y for y in grid if off(y) >= 0), None)
    if low is None:
        return math.nan
    return math.erf(float(brentq(off, low, low + 1 / 500)))  # pyright: ignore[reportArgumentType]


def wrong_bits(load: float) -> float:
    """Return ½ erfc(1 / √(2α)): the share of a pattern's bits that one step turns over."""
    return math.erfc(1 / math.sqrt(2 * load)) / 2
