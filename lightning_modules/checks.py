"""Checks of numbers given by a caller: a mistake is a one-line ValueError before any work."""

import math
import numbers
from collections.abc import Sequence
from typing import Any


def whole(least: int, otherwise: str = "", **given: Any) -> None:
    """Raise ValueError for the first argument that is no whole number, or is below ``least``.

    2.0 and True are refused as well. ``otherwise`` is added to the message, to name what else is
    allowed: "or None".
    """
    otherwise = otherwise and f", {otherwise}"
    for name, value in given.items():
        if not _is(numbers.Integral, value):
            raise ValueError(f"{name} is {value!r}: it must be a whole number{otherwise}")
        if value < least:
            raise ValueError(f"{name} is {value}: it must be at least {least}{otherwise}")


def wholes(least: int, **given: Any) -> None:
    """Raise ValueError for the first argument that is no list of what ``whole`` accepts."""
    for name, values in given.items():
        listed = isinstance(values, Sequence) and not isinstance(values, str)
        if not listed:
            raise ValueError(f"{name} is {values!r}: it must be a list of whole numbers")
        for place, value in enumerate(values):
            whole(least, **{f"{name}[{place}]": value})


def above(least: float, *, or_equal: bool = False, most: float = math.inf, **given: Any) -> None:
    """Raise ValueError for the first argument that is no finite number above ``least``.

    ``or_equal`` allows ``least`` itself; nothing above ``most`` is allowed.
    """
    for name, value in given.items():
        if not _is(numbers.Real, value):
            raise ValueError(f"{name} is {value!r}: it must be a number")
        enough = value > least or (or_equal and value == least)
        if not (math.isfinite(value) and enough and value <= most):
            words = f"{'at least' if or_equal else 'above'} {least:g}"
            words += f", at most {most:g}" if math.isfinite(most) else ""
            raise ValueError(f"{name} is {value}: it must be finite and {words}")


def _is(kind: type, value: Any) -> bool:
    """Tell whether a value is a number of a kind; True and False are not."""
    return isinstance(value, kind) and not isinstance(value, bool)
