"""What the machines that tell a^n b^n from other words share."""

from collections.abc import Iterator, Mapping
from typing import Any


def asked(n: int) -> Iterator[tuple[list[str], int]]:
    """Iterate over what may follow a^n, and whether the whole is a^n b^n."""
    yield ["b"] * n + ["end"], 1
    yield ["b"] * (n + 1) + ["end"], 0
    yield ["b"] * (n - 1) + ["end"], 0
    if n > 1:
        yield ["b"] * (n - 1) + ["a", "b", "b", "end"], 0


def accepts(states: Mapping[str, Any]) -> int:
    """Return 1 where the unit that accepts is on, else 0."""
    return int(states["accept"] == 1)
