"""Every learning algorithm in several forms, and what its gradient must be."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import pytest
import torch

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.diagonal_rtrl import DiagonalRTRL
from lightning_modules.algorithms.eprop import EProp
from lightning_modules.algorithms.kf_rtrl import KFRTRL
from lightning_modules.algorithms.reservoir import Reservoir
from lightning_modules.algorithms.rflo import RFLO
from lightning_modules.algorithms.rflo_fixed import FixedRFLO
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.snap1 import SnAp1
from lightning_modules.algorithms.snap_n import SnApN
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.algorithms.uoro import UORO
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import bptt_reference, rtrl_reference, tbptt_reference
from lightning_modules.interfaces import Algorithm
from tests.approximations import fixed_leak_reference, leak_reference, snap_reference
from tests.cases import UNITS, CellCase

STREAMING: dict[str, tuple[Callable[[], Algorithm], checks.Reference]] = {
    "rtrl": (RTRL, rtrl_reference),
    "blocked_rtrl": (BlockedRTRL, rtrl_reference),
    "blocked_rtrl, one step": (lambda: BlockedRTRL(1), rtrl_reference),
    "blocked_rtrl, five steps": (lambda: BlockedRTRL(5), rtrl_reference),
    "blocked_rtrl, twenty steps": (lambda: BlockedRTRL(20), rtrl_reference),
    "diagonal_rtrl": (DiagonalRTRL, rtrl_reference),
    "tbptt": (TBPTT, partial(tbptt_reference, horizon=9)),
    "tbptt, one step": (lambda: TBPTT(1), partial(tbptt_reference, horizon=1)),
    "tbptt, three steps": (lambda: TBPTT(3), partial(tbptt_reference, horizon=3)),
    "tbptt, all steps": (lambda: TBPTT(checks.LENGTH), bptt_reference),
    "snap1": (SnAp1, partial(snap_reference, steps=1)),
    "snap_n": (SnApN, partial(snap_reference, steps=2)),
    "snap_n, one step": (lambda: SnApN(1), partial(snap_reference, steps=1)),
    "snap_n, all steps": (lambda: SnApN(UNITS), rtrl_reference),
    "rflo": (RFLO, partial(leak_reference, observed=False)),
    "rflo_fixed": (FixedRFLO, partial(fixed_leak_reference, rate=0.9)),
    "rflo_fixed, no leak": (lambda: FixedRFLO(0), partial(fixed_leak_reference, rate=0)),
    "eprop": (EProp, partial(leak_reference, observed=True)),
}
"""Algorithms that carry a memory, in several forms, each with what its gradient must be."""

RANDOM: dict[str, Callable[[], Algorithm]] = {"uoro": UORO, "kf_rtrl": KFRTRL}
"""Algorithms whose gradient is a random estimate."""

WHOLE: dict[str, tuple[Callable[[], Algorithm], checks.Reference]] = {
    "bptt": (BPTT, bptt_reference),
    "reservoir": (Reservoir, lambda p, weights_TP: torch.zeros_like(weights_TP)),
    **STREAMING,
}
"""Those and the ones without a memory."""
BY_UNIT = ("snap1", "snap_n", "rflo", "rflo_fixed", "eprop", "kf_rtrl")
"""What keeps the influence of each unit's own parameters, and so needs units."""
EVERY = [
    checks.every_step,
    checks.carried_memory,
    checks.moving_weights,
    checks.pickled_memory,
]


def applies(name: str, case: CellCase) -> AbstractContextManager[object]:
    """Expect an algorithm to refuse a cell that it is not made for, and otherwise nothing."""
    if name.split(",")[0] in BY_UNIT and not case.by_unit:
        return pytest.raises(ValueError, match=r"^\w+ has parameters that do not belong to [^\n]+$")
    if name != "diagonal_rtrl" or case.diagonal:
        return nullcontext()
    return pytest.raises(ValueError, match=r"^\w+ mixes its units, which diagonal_rtrl [^\n]+$")
