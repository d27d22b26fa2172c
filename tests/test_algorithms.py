"""Every learning algorithm on every cell, held to the claim it makes of itself."""

from collections.abc import Callable

import pytest
import torch

from lightning_modules.algorithms import ALGORITHMS, _panels
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.snap_n import SnApN
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts import algorithms as contract
from lightning_modules.contracts._streams import (
    bptt_reference,
    flat_weights,
    problem,
    rtrl_reference,
    tbptt_reference,
)
from lightning_modules.interfaces import Algorithm, Cell, Claim
from tests.cases import CELL_BUILDS, CellCase
from tests.rules import EVERY, RANDOM, STREAMING, WHOLE, applies


def test_every_algorithm_is_tested() -> None:
    assert {name.split(",")[0] for name in WHOLE} | set(RANDOM) == set(ALGORITHMS)


def test_only_what_neither_truncates_nor_draws_claims_to_be_exact() -> None:
    claims = {claim: {n for n in ALGORITHMS if ALGORITHMS[n].claim is claim} for claim in Claim}
    assert claims[Claim.EXACT] == {"bptt", "rtrl", "blocked_rtrl", "diagonal_rtrl"}
    assert claims[Claim.UNBIASED] == set(RANDOM)
    assert claims[Claim.ZERO] == {"reservoir"}


def test_the_references_agree_with_each_other(cell: Cell) -> None:
    p = problem(cell, checks.LENGTH, checks.BATCH)
    weights_TP = flat_weights(cell) + 0.1 * torch.randn(checks.LENGTH, len(flat_weights(cell)))
    of_rtrl_TP = rtrl_reference(p, weights_TP)
    for other_TP in (bptt_reference(p, weights_TP), tbptt_reference(p, weights_TP, checks.LENGTH)):
        torch.testing.assert_close(of_rtrl_TP, other_TP, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", WHOLE)
def test_the_gradient_of_a_whole_sequence_is_what_was_claimed(
    name: str, cell: Cell, case: CellCase
) -> None:
    build, reference = WHOLE[name]
    with applies(name, case):
        checks.whole_sequence(build(), cell, reference)


@pytest.mark.parametrize("check", EVERY, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", STREAMING)
def test_the_gradients_along_a_stream_are_what_was_claimed(
    name: str, check: checks.Check, cell: Cell, case: CellCase
) -> None:
    build, reference = STREAMING[name]
    with applies(name, case):
        check(build(), cell, reference)


@pytest.mark.parametrize("rule", [RTRL(), BlockedRTRL(8)])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_influence_may_lie_in_many_panels(
    rule: Algorithm, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = problem(CELL_BUILDS["lstm"](), checks.LENGTH, batch)
    w_P = flat_weights(p.cell)
    weights_TP = w_P + 0.01 * torch.randn(checks.LENGTH, len(w_P), dtype=torch.float64)
    exact_TP = rtrl_reference(p, weights_TP)
    monkeypatch.setattr(_panels, "WIDTH", 7)
    along = checks.run_in_chunks(rule, p, [1] * checks.LENGTH, weights_TP)
    for g_P, exact_P in zip(along, exact_TP, strict=True):
        checks.assert_near(p.cell, g_P, exact_P)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_credit_for_all_steps_at_once_gives_the_same(
    name: str, cell: Cell, case: CellCase
) -> None:
    with applies(name, case):
        contract.all_at_once(ALGORITHMS[name](), cell)


def test_the_truncated_gradient_turns_towards_the_exact_one(cell: Cell, case: CellCase) -> None:
    p = problem(cell, checks.LENGTH, checks.BATCH)
    exact_P, *truncated = (
        rule.gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
        for rule in (BPTT(), TBPTT(1), TBPTT(4), TBPTT(12))
    )
    cosines = [float(torch.cosine_similarity(exact_P, g_P, dim=0)) for g_P in truncated]
    assert cosines == sorted(cosines)
    assert cosines[0] > 0
    assert (cosines[0] < 0.999999) == case.remembers
    assert cosines[-1] > case.short


@pytest.mark.parametrize("build", [lambda: TBPTT(0), lambda: BlockedRTRL(0), lambda: SnApN(0)])
def test_a_window_of_no_step_is_refused(build: Callable[[], Algorithm]) -> None:
    with pytest.raises(ValueError, match=r"is 0: it must be at least 1"):
        build()


@pytest.mark.parametrize("name", [*STREAMING, *RANDOM])
def test_a_memory_does_not_grow_along_the_stream(name: str) -> None:
    build = RANDOM[name] if name in RANDOM else STREAMING[name][0]
    contract.bounded(build(), CELL_BUILDS["elstm" if name == "diagonal_rtrl" else "lstm"]())
