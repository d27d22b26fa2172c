"""How many digits of a Cantor stack, all 1 or 3 in base 4, a float can hold."""

from collections.abc import Sequence

from lightning_modules.machines._numbers import Number


def digits_kept(bits: Sequence[int], number: Number) -> int | None:
    """Return how many bits, pushed one by one, a number holds exactly; None where it holds all.

    A stack of n digits needs the binary digits from its first 1, which has the value 1/2 if the top
    digit is a 3 and 1/4 if it is a 1, down to 4^-n, where the last 1 is.
    """
    if number.digits is None:
        return None
    wide = (2 * n - (bit == 0) > number.digits for n, bit in enumerate(bits, start=1))
    return next((n for n, too_wide in enumerate(wide) if too_wide), None)
