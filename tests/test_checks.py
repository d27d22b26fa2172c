"""Numbers that a caller gives: ranges and types are checked, in one line."""

from typing import Any

import numpy as np
import pytest

from lightning_modules.checks import above, whole, wholes
from lightning_modules.rules import RULES
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay


@pytest.mark.parametrize("value", [2.5, 2.0, True, "2", None, float("nan"), float("inf")])
def test_what_counts_is_a_whole_number(value: Any) -> None:
    with pytest.raises(ValueError, match=r"steps is .*: it must be a whole number"):
        whole(1, steps=value)
    whole(1, steps=np.int64(2))


@pytest.mark.parametrize("values", [2, "22", None, {2}, [2, 2.5], [True], [2, 0]])
def test_what_counts_several_things_is_a_list_of_whole_numbers(values: Any) -> None:
    with pytest.raises(ValueError, match=r"sizes.* is .*: it must be (a list|a whole|at least 1)"):
        wholes(1, sizes=values)
    wholes(1, sizes=[])
    wholes(1, sizes=(2, np.int64(3)))


@pytest.mark.parametrize("value", [True, "2", None, float("nan"), float("inf"), -0.5])
def test_what_measures_is_a_finite_number(value: Any) -> None:
    with pytest.raises(ValueError, match=r"rate is .*: it must be"):
        above(0, rate=value)
    above(0, rate=np.float32(0.5))


@pytest.mark.parametrize("value", ["1", True, None, float("nan"), 0])
def test_clips_decays_and_rules_take_numbers_alone(value: Any) -> None:
    for build in (
        lambda: Clip("norm", value),
        lambda: Decay("l2", value),
        *(lambda rule=rule: RULES[rule](rate=value) for rule in RULES),
        *(lambda rule=rule: RULES[rule](epoch=2.5) for rule in RULES),
    ):
        with pytest.raises(ValueError, match="it must be") as error:
            build()
        assert "\n" not in str(error.value)
