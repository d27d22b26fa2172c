"""Error flow, horizon and gates against automatic differentiation, on every cell."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import grad

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells.srn import SRN
from lightning_modules.probes import PROBES
from lightning_modules.probes.horizon import _crossing
from tests.cases import CELL_BUILDS
from tests.probing import Scene, T, near, scene, told, value


@pytest.fixture(params=CELL_BUILDS)
def p(request: pytest.FixtureRequest) -> Scene:
    torch.manual_seed(0)
    return scene(CELL_BUILDS[request.param]())


def _assert_flow(p: Scene, rows: list[Any]) -> None:
    totals = p.totals()
    assert len(rows) == len(totals) * T
    for layer, v_TBH in enumerate(totals):
        for t, v_BH in enumerate(v_TBH):
            assert value(rows, quantity="norm", layer=layer, t=t) == near(v_BH.norm())


def test_error_flow_is_the_norm_of_the_total_derivative_by_every_h(p: Scene) -> None:
    _assert_flow(p, told(PROBES["error_flow"](), [p.passage()]))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_error_flow_does_not_depend_on_the_algorithm_that_learns(name: str) -> None:
    cell = CELL_BUILDS["diagonal" if name == "diagonal_rtrl" else "lstm"]()
    p = scene(cell, "squared_error")
    _assert_flow(p, told(PROBES["error_flow"](), [p.passage(ALGORITHMS[name]())]))


def _log_ratios(p: Scene) -> list[list[float]]:
    """Return log r_t of each layer, the last step's first, from totals and direct derivatives."""
    readout, resets_TB = p.readout, p.batch.resets_TB
    totals, direct_TBH = p.totals(), torch.zeros_like(p.totals()[-1])
    states_TBS = p.passage().run.path.states_TBS
    for t, s_BS in enumerate(states_TBS):

        def loss(h_BH: Tensor, t: int = t) -> Tensor:
            mask_B = p.batch.mask_TB[t]
            z_BO, y_B = readout(h_BH)[mask_B], p.batch.y_TB[t][mask_B]
            summed = nn.functional.cross_entropy(z_BO, y_B, reduction="sum")
            return summed / p.batch.mask_TB.sum()

        direct_TBH[t] = grad(loss)(s_BS[:, : p.cell.hidden_size]).detach()
    found = []
    for layer, v_TBH in enumerate(totals):
        top, logs = layer == len(totals) - 1, []
        for t in range(T - 1, 0, -1):
            back = v_TBH[t - 1] - (direct_TBH[t - 1] if top else 0)
            there = v_TBH[t] * ~resets_TB[t, :, None]
            logs.append(float(back.norm().log() - there.norm().log()))
        found.append(logs)
    return found


@pytest.mark.parametrize("name", ["srn", "lstm", "gru", "peephole_lstm", "stack"])
def test_the_horizon_sums_what_is_left_of_error_after_each_step_back(name: str) -> None:
    p = scene(CELL_BUILDS[name]())
    rows = told(PROBES["horizon"](), [p.passage()])
    for layer, logs in enumerate(_log_ratios(p)):
        sums = torch.tensor(logs, dtype=torch.float64).cumsum(0)
        k = int((sums <= -1).nonzero()[0])
        before = float(sums[k - 1]) if k else 0.0
        expected = k + (-1 - before) / (float(sums[k]) - before)
        assert value(rows, quantity="steps", layer=layer) == near(expected)


@pytest.mark.parametrize("sigma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("losses", ["last", "some"])
def test_a_linear_recurrence_has_the_horizon_of_its_factor(sigma: float, losses: str) -> None:
    cell = SRN(3, 4, activation="linear").double()
    with torch.no_grad():
        cell.W.copy_(sigma * nn.init.orthogonal_(torch.empty(4, 4).double()))
    p = scene(cell)
    if losses == "last":
        p.batch.mask_TB[:-1] = False
    rows = told(PROBES["horizon"](), [p.passage()])
    assert value(rows, quantity="steps") == near(-1 / math.log(sigma))


def test_error_that_does_not_fall_has_no_horizon() -> None:
    for seed in range(5):
        p = scene(CELL_BUILDS["residual"](), resets=False, seed=seed)
        (row,) = told(PROBES["horizon"](), [p.passage()])
        assert row["value"] is None, seed
    assert _crossing(torch.full((5,), -0.1)) == pytest.approx(10)


def test_gates_are_counted_one_by_one(p: Scene) -> None:
    passage = p.passage()
    rows = told(PROBES["gates"](times=None), [passage])
    path = passage.run.path
    known = {key.rpartition(".")[2]: g for key, g in path.gates().items()}
    seen = {"h"} | {str(row["gate"]) for row in rows}
    assert seen == {"h", *known}
    for row in rows:
        if row["gate"] in known and len(known) == len(path.gates()):
            _assert_share(row, known[row["gate"]])
        elif row["gate"] == "h" and row["layer"] == rows[-1]["layer"]:
            _assert_share(row, path.states_TBS[..., : p.cell.hidden_size].abs())


def _assert_share(row: Any, g_TBH: Tensor) -> None:
    share = {"mean": g_TBH, "below": (g_TBH < 0.1).double(), "above": (g_TBH > 0.9).double()}
    assert row["value"] == near(share[row["quantity"]].mean())


def test_gates_looks_at_evenly_spaced_steps() -> None:
    passage = scene(CELL_BUILDS["gru"]()).passage()
    rows = told(PROBES["gates"](times=4), [passage])
    for name, g_TBH in passage.run.path.gates().items():
        assert value(rows, gate=name, quantity="mean") == near(g_TBH[[0, 3, 6, 9]].mean())
