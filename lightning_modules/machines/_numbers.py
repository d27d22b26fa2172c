"""The types of number that a machine can run in: rationals, which are exact, and four floats.

A float keeps ``digits`` binary digits of a number, counted from its first 1; its least positive
number is 2^-least. Sums and products are rounded to the nearest number, ties to even.

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
    """Converts a rational that this type can represent; the result has + - * < >."""
    digits: int | None
    """How many binary digits are kept; None where all are."""
    least: int | None
    """The least positive number is 2^-least; None where there is none."""

    def fits(self, value: Fraction) -> bool:
        """Return whether this type represents a number from 0 to 1 exactly."""
        if self.digits is None or self.least is None:
            return True
        digits, exponent = value.numerator.bit_length(), value.denominator.bit_length() - 1
        whole_power = value.denominator == 1 << exponent
        return whole_power and digits <= self.digits and exponent <= self.least


def exactly(value: Any) -> Fraction:
    """Return the rational equal to a number of any of the types."""
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
