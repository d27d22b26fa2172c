"""What machines that recognise a^n b^n share: the words they are asked about, and the answer."""

from collections.abc import Iterator, Mapping
from typing import Any


def asked(n: int) -> Iterator[tuple[list[str], int]]:
    """Iterate over symbols that may follow a^n, with 1 if they make it a^n b^n, else 0."""
    yield ["b"] * n + ["end"], 1
    yield ["b"] * (n + 1) + ["end"], 0
    yield ["b"] * (n - 1) + ["end"], 0
    if n > 1:
        yield ["b"] * (n - 1) + ["a", "b", "b", "end"], 0


def accepts(states: Mapping[str, Any]) -> int:
    """Return 1 if the unit "accept" is on, else 0."""
    return int(states["accept"] == 1)
