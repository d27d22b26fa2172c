"""How many digits a float keeps of a Cantor stack, whose digits in base 4 are 1 and 3."""

from collections.abc import Sequence

from lightning_modules.machines._numbers import Number


def digits_kept(bits: Sequence[int], number: Number) -> int | None:
    """Return how many bits, pushed one by one, a number keeps; None for all.

    n digits take the binary digits from the first 1 of that on top, 1/2 for a 3 and 1/4 for a 1,
    down to 4^-n, which is always a 1.
    """
    if number.digits is None:
        return None
    wide = (2 * n - (bit == 0) > number.digits for n, bit in enumerate(bits, start=1))
    return next((n for n, too_wide in enumerate(wide) if too_wide), None)
