"""What makes a run another one: code as well as numbers."""

from collections.abc import Callable
from typing import Any

from lightning_modules.training.identity import identity


def _times(k: int) -> Callable[[int], int]:
    return lambda b: k * b


class _Scaled:
    """What a task may hold: a function of its own."""

    def __init__(self, function: Callable[[int], int]):
        self.function = function


def test_functions_are_told_apart_by_what_they_do():
    twice, thrice = (lambda b: b * 2), (lambda b: b * 3)
    assert identity(_Scaled(twice)) != identity(_Scaled(thrice))
    assert identity(_Scaled(_times(5))) != identity(_Scaled(_times(7)))
    assert identity(_Scaled(_times(5))) == identity(_Scaled(_times(5)))


def test_methods_and_defaults_count():
    def with_default(step: int) -> Any:
        def function(b: int, step: int = step) -> int:
            return b + step

        return function

    assert identity(with_default(1)) != identity(with_default(2))
    assert identity(with_default(1)) == identity(with_default(1))
    assert identity(_Scaled(abs).function) == identity(abs)


def test_a_name_that_is_not_bound_yet_stops_nothing():
    def outer() -> Any:
        def inner() -> int:
            return later

        known = identity(inner)
        later = 1
        return known, identity(inner)

    before, after = outer()
    assert before != after
