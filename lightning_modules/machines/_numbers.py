"""The types of number that a machine can run in: rationals, which are exact, and four floats.

A float keeps ``digits`` binary digits of a number, the first of which is a 1, and no number but 0
below 2^-least. Sums and products are rounded to the nearest, to even between two.

References:
    IEEE 754 (2019), Standard for floating-point arithmetic; bfloat16 is its binary32 with the last
        16 bits left out.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np


class Number(NamedTuple):
    """A type of number."""

    of: Callable[[Fraction], Any]
    """A rational that is one of this type's numbers -> that number, with + - * < >."""
    digits: int | None
    """Binary digits that are kept; None where all are."""
    least: int | None
    """The least positive number is 2^-least; None where there is none."""

    def fits(self, value: Fraction) -> bool:
        """Return whether a number from 0 to 1 is one of this type's."""
        if self.digits is None or self.least is None:
            return True
        digits, exponent = value.numerator.bit_length(), value.denominator.bit_length() - 1
        whole_power = value.denominator == 1 << exponent
        return whole_power and digits <= self.digits and exponent <= self.least


def exactly(value: Any) -> Fraction:
    """Return the rational that a number of any of the types is."""
    return value if isinstance(value, Fraction) else Fraction(float(value))


def _bfloat16(value: Fraction) -> Any:
    import torch

    return torch.tensor(float(value), dtype=torch.bfloat16)


NUMBERS = {
    "rational": Number(Fraction, None, None),
    "float64": Number(lambda value: np.float64(float(value)), 53, 1074),
    "float32": Number(lambda value: np.float32(float(value)), 24, 149),
    "float16": Number(lambda value: np.float16(float(value)), 11, 24),
    "bfloat16": Number(_bfloat16, 8, 133),
}
