"""What the approximate algorithms reduce to, and what they refuse."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms import _traces, _units
from lightning_modules.algorithms.eprop import EProp
from lightning_modules.algorithms.kf_rtrl import KFRTRL
from lightning_modules.algorithms.rflo import RFLO
from lightning_modules.algorithms.rflo_fixed import FixedRFLO
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.snap1 import SnAp1
from lightning_modules.algorithms.snap_n import SnApN
from lightning_modules.algorithms.uoro import UORO
from lightning_modules.cells._trajectory import UnitwiseTrajectory
from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.cells.leaky import Leaky
from lightning_modules.cells.srn import SRN
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import Problem, flat_weights, problem
from lightning_modules.interfaces import Algorithm, Cell
from tests.approximations import owners, snap_reference
from tests.cases import CELL_BUILDS, INPUTS, UNITS, UNITWISE, case_of

Build = Callable[[], Algorithm]


@pytest.fixture(params=[name for name in UNITWISE if not case_of(name).diagonal])
def cell(request: pytest.FixtureRequest) -> UnitwiseCell:
    torch.manual_seed(0)
    cell = CELL_BUILDS[request.param]().double()
    assert isinstance(cell, UnitwiseCell)
    return cell


def gradient(algorithm: Algorithm, cell: Cell, of_h: bool = False) -> Tensor:
    """Return the gradient of a stream, of a loss on h alone if so asked."""
    p = problem(cell, checks.LENGTH, checks.BATCH)

    def credit(t: int, s_BS: Tensor) -> Tensor:
        c_BS = p.credit(t, s_BS)
        c_BS[:, cell.hidden_size if of_h else cell.state_size :] = 0
        return c_BS

    return algorithm.gradient(cell, p.x_TBI, p.s_BS, credit, p.resets_TB)


@torch.no_grad()
def connect(cell: UnitwiseCell, links_HH: Tensor) -> None:
    """Let unit j act on unit i where ``links_HH[i, j]``, and nowhere else."""
    cell.W.mul_(links_HH.repeat(len(cell.W) // len(links_HH), 1))


def ring() -> Tensor:
    """Each unit acts on itself and on the next."""
    one_HH = torch.eye(UNITS)
    return one_HH + one_HH.roll(1, dims=0)


@pytest.mark.parametrize("build", [SnAp1, lambda: SnApN(1), lambda: SnApN(3)])
def test_snap_is_exact_where_units_do_not_meet(build: Build, cell: UnitwiseCell) -> None:
    connect(cell, torch.eye(UNITS))
    checks.assert_near(cell, gradient(build(), cell), gradient(RTRL(), cell))


def test_snap1_is_not_exact_where_units_meet(cell: UnitwiseCell) -> None:
    cosine = torch.cosine_similarity(gradient(SnAp1(), cell), gradient(RTRL(), cell), dim=0)
    assert 0 < float(cosine) < 0.9999


def test_snap_n_of_one_step_is_snap1(cell: UnitwiseCell) -> None:
    checks.assert_near(cell, gradient(SnApN(1), cell), gradient(SnAp1(), cell))


def test_snap_n_reaches_one_weight_further_with_every_step(cell: UnitwiseCell) -> None:
    connect(cell, ring())
    exact_P, errors = gradient(RTRL(), cell), []
    p = problem(cell, checks.LENGTH, checks.BATCH)
    weights_TP = flat_weights(cell).expand(checks.LENGTH, -1)
    for steps in range(1, UNITS + 1):
        g_P = gradient(SnApN(steps), cell)
        checks.assert_near(cell, g_P, snap_reference(p, weights_TP, steps).sum(0))
        errors.append(float((g_P - exact_P).norm() / exact_P.norm()))
    assert min(errors[:-1]) > 1e-9
    assert errors[-1] < checks.TOLERANCE
    checks.assert_near(cell, gradient(SnApN(1000), cell), exact_P)


def test_rflo_is_snap1_without_what_recurrent_weights_contribute(cell: UnitwiseCell) -> None:
    # No unit acts on itself through z: what SnAp-1 keeps is the leak alone.
    connect(cell, 1 - torch.eye(UNITS))
    checks.assert_near(cell, gradient(RFLO(), cell), gradient(SnAp1(), cell))


def test_rflo_is_not_snap1_where_units_act_on_themselves(cell: UnitwiseCell) -> None:
    assert not torch.allclose(gradient(RFLO(), cell), gradient(SnAp1(), cell), rtol=1e-6)


def test_rflo_is_exact_without_recurrent_weights(cell: UnitwiseCell) -> None:
    connect(cell, torch.zeros(UNITS, UNITS))
    checks.assert_near(cell, gradient(RFLO(), cell), gradient(RTRL(), cell))


def test_a_fixed_leak_that_is_the_cells_own_makes_rflo() -> None:
    cell = Leaky(INPUTS, UNITS).double()
    fixed = FixedRFLO(1 - cell.leak)
    checks.assert_near(cell, gradient(fixed, cell), gradient(RFLO(), cell))


def filtered(cell: SRN, p: Problem, alpha: float) -> Tensor:
    """Return RFLO's gradient as vanilla-rtrl has it: B = (1 - α) B + α φ'(h) â, then q B."""
    h_BH, B_BHA, total_HA = p.s_BS, 0.0, 0.0
    for t, x_BI in enumerate(p.x_TBI):
        kept_B1 = ~p.resets_TB[t, :, None]
        a_BA = torch.cat([x_BI, h_BH * kept_B1, torch.ones_like(x_BI[:, :1])], dim=-1)
        h_BH = cell(x_BI, h_BH * kept_B1).detach()
        fresh_BHA = (1 - h_BH.square()).unsqueeze(-1) * a_BA.unsqueeze(1)
        B_BHA = (1 - alpha) * B_BHA * kept_B1.unsqueeze(-1) + alpha * fresh_BHA
        total_HA = total_HA + (p.credit(t, h_BH).unsqueeze(-1) * B_BHA).sum(0)
    assert isinstance(total_HA, Tensor)
    return torch.cat([part.flatten() for part in total_HA.split([INPUTS, UNITS, 1], dim=-1)])


@pytest.mark.parametrize("alpha", [0.1, 0.3])
def test_a_fixed_leak_takes_in_the_whole_step_and_a_filter_alpha_of_it(alpha: float) -> None:
    p = problem(SRN(INPUTS, UNITS), checks.LENGTH, checks.BATCH)
    assert isinstance(p.cell, SRN)
    theirs_P = filtered(p.cell, p, alpha)
    checks.assert_near(p.cell, gradient(FixedRFLO(1 - alpha), p.cell) * alpha, theirs_P)


def test_adam_moves_alike_whether_the_step_is_taken_in_whole_or_filtered() -> None:
    steps_TP, moved = torch.randn(50, 9, dtype=torch.float64), []
    for alpha in (1.0, 0.1):
        w = torch.zeros(9, dtype=torch.float64, requires_grad=True)
        adam = torch.optim.Adam([w], lr=1e-3)
        for g_P in steps_TP:
            w.grad = alpha * g_P
            adam.step()
        moved.append(w.detach())
    torch.testing.assert_close(moved[0], moved[1], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_leak_that_would_grow_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"^leak is \S+: it must be from 0 to 1$"):
        FixedRFLO(rate)


def test_eprop_is_rflo_for_a_loss_on_h(cell: UnitwiseCell) -> None:
    eprop, rflo = (gradient(rule, cell, of_h=True) for rule in (EProp(), RFLO()))
    checks.assert_near(cell, eprop, rflo)


def test_eprop_does_not_see_a_loss_on_hidden_blocks() -> None:
    cell = CELL_BUILDS["lstm"]().double()
    checks.assert_near(cell, gradient(EProp(), cell), gradient(EProp(), cell, of_h=True))
    assert not torch.allclose(gradient(RFLO(), cell), gradient(EProp(), cell), rtol=1e-3)


@pytest.mark.parametrize("build", [SnAp1, RFLO, FixedRFLO, EProp])
def test_traces_are_the_same_however_many_steps_go_back_at_once(
    build: Build, cell: UnitwiseCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_P = gradient(build(), cell)
    monkeypatch.setattr(_traces, "TOGETHER", 5)
    checks.assert_near(cell, gradient(build(), cell), whole_P)


def test_every_parameter_is_found_at_its_place(cell: UnitwiseCell) -> None:
    units = _units.units_of(cell, torch.ones(1, dtype=torch.float64))
    numbers = torch.arange(UNITS)
    assert torch.equal(units.owner_P, owners(cell))
    for weights, first in ((cell.U, 0), (cell.W, INPUTS)):
        of_cell = units.column_P.split([w.numel() for w in cell.parameters()])
        columns = of_cell[0 if weights is cell.U else 1].view_as(weights)
        assert torch.equal(columns[0], torch.arange(weights.shape[1]) + first)
    assert torch.equal(units.recurrent(cell)[cell.recurrent_rows], cell.W.detach())
    assert torch.equal(units.owner_P[-UNITS:], numbers)


def units_mixed(self: UnitwiseTrajectory, v_TBRS: Tensor, *rest: Any) -> Tensor:
    """Each z acts on every unit, as in a cell of several layers."""
    return v_TBRS.sum(-1, keepdim=True).expand(*v_TBRS.shape[:-1], self.pre_activations)


def parameters_shared(self: UnitwiseTrajectory, u_TBZ: Tensor) -> Tensor:
    """Every parameter enters every row."""
    return u_TBZ.sum().expand(self.parameters)


@pytest.mark.parametrize(
    ("name", "other"), [("immediate", units_mixed), ("gradient", parameters_shared)]
)
@pytest.mark.parametrize("build", [SnAp1, SnApN, RFLO, FixedRFLO, EProp, KFRTRL])
def test_parameters_of_no_unit_are_refused(
    build: Build, name: str, other: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UnitwiseTrajectory, name, other)
    with pytest.raises(ValueError, match="GRU has parameters that do not belong to one unit"):
        gradient(build(), CELL_BUILDS["gru"]().double())


@pytest.mark.parametrize("build", [UORO, KFRTRL])
def test_random_estimates_are_exact_for_the_first_step(build: Build, cell: UnitwiseCell) -> None:
    p = problem(cell, 9, 3).chunk(0, 1)
    one, exact = (
        rule.gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB) for rule in (build(), RTRL())
    )
    checks.assert_near(cell, one, exact)
