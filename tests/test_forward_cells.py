"""Cells that give ``forward`` alone: algorithms keep their claims; what is no cell is refused.

Above 300 lines because one stream of each cell serves every algorithm, and takes long to make.
"""

import copy
import io
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.uoro import UORO
from lightning_modules.cells._forward import ForwardCell
from lightning_modules.cells.layer_norm_lstm import LayerNormLSTM
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import (
    Problem,
    bptt_reference,
    flat_weights,
    problem,
    rtrl_reference,
    tbptt_reference,
)
from lightning_modules.interfaces import Cell, Claim
from lightning_modules.training.checkpoints import loaded, records_of
from tests.cases import CELL_BUILDS, CELL_CASES
from tests.rules import BY_UNIT, RANDOM, applies

ROOT = Path(__file__).parents[1]
RUNS = (1, 1, 3, 2)


class Attention(ForwardCell):
    """Heads that look over the rows of their own state, with one weight of two names."""

    def __init__(self):
        super().__init__(2, 2, state_size=6)
        self.of_x, self.of_s = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
        self.to_s = nn.Linear(2, 2, bias=False)
        self.to_s.weight = self.of_s.weight
        self.register_buffer("scale", torch.tensor(0.5))

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        rows = s_BS.unflatten(-1, (3, 2))
        looks = (self.of_s(rows) @ self.of_x(x_BI).unsqueeze(-1) * self.scale).softmax(-2)
        seen = (looks * rows).sum(-2)
        return torch.cat([(self.to_s(seen) + x_BI).tanh(), s_BS[:, :-2]], dim=-1)


def contributed() -> type[Cell]:
    """Return the cell that CONTRIBUTING shows, word for word."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"cells/mogrifier\.py`:\n\n```python\n(.*?)```", text, re.DOTALL)
    module = ModuleType("mogrifier")
    exec(source, module.__dict__)
    sys.modules["mogrifier"] = module  # where pickle looks for it
    return module.Mogrifier


CELLS = {
    "layer_norm_lstm": lambda: LayerNormLSTM(2, 2),
    "attention": Attention,
    "contributed": lambda: contributed()(2, 3),
    "attention stacked": lambda: Stack([SRN(2, 2), Attention()]),
    **{name: build for name, build in CELL_BUILDS.items() if "forward" in name},
}
"""Every such cell, and stacks of them above and below those of one map."""


@pytest.fixture(scope="module", params=CELLS)
def stream(request: pytest.FixtureRequest) -> tuple[Problem, Tensor]:
    """Return a stream with resets and masks, and weights that move before every run, (T, P)."""
    torch.manual_seed(0)
    cell = CELLS[request.param]().double()
    p, w_P = problem(cell, sum(RUNS), 2), flat_weights(cell)
    moved_RP = w_P + 0.1 * torch.randn(len(RUNS), len(w_P), dtype=torch.float64)
    return p, moved_RP.repeat_interleave(torch.tensor(RUNS), dim=0)


@pytest.fixture(scope="module")
def exact_TP(stream: tuple[Problem, Tensor]) -> Tensor:  # noqa: N802
    return rtrl_reference(*stream)


def _runs(name: str, stream: tuple[Problem, Tensor], pickled: bool = False) -> list[Tensor]:
    p, weights_TP = stream
    starts = torch.tensor(RUNS).cumsum(0) - torch.tensor(RUNS)
    torch.manual_seed(1)
    return checks.run_in_chunks(ALGORITHMS[name](), p, RUNS, weights_TP[starts], pickled)


def _near(p: Problem, found: list[Tensor], exact_TP: Tensor) -> None:
    for g_P, steps_TP in zip(found, exact_TP.split(RUNS), strict=True):
        checks.assert_near(p.cell, g_P, steps_TP.sum(0))


@pytest.mark.parametrize("name", ["rtrl", "blocked_rtrl"])
def test_exact_gradients_are_exact_though_weights_move(
    name: str, stream: tuple[Problem, Tensor], exact_TP: Tensor
) -> None:
    _near(stream[0], _runs(name, stream), exact_TP)
    _near(stream[0], _runs(name, stream, pickled=True), exact_TP)


@pytest.mark.parametrize("of", ["layer_norm_lstm", "stack-forward_above"])
@pytest.mark.parametrize("name", ["rtrl", "blocked_rtrl", "tbptt", "uoro"])
def test_a_memory_goes_on_from_a_checkpoint_which_holds_no_code(name: str, of: str) -> None:
    cell, rule = CELLS[of]().double(), ALGORITHMS[name]()
    p, found = problem(cell, 6, 2), []
    for restored in (False, True):
        torch.manual_seed(1)
        one, two = p.chunk(0, 3), p.chunk(3, 6)
        run = rule.run(cell, one.x_TBI, p.s_BS, one.credit, None, one.resets_TB)
        memory, file = run.memory, io.BytesIO()
        if restored:
            torch.save(memory, file)
            memory = loaded(file.getbuffer(), "cpu", records_of(cell, rule))
        then = rule.run(cell, two.x_TBI, run.state_BS, two.credit, memory, two.resets_TB)
        found.append(then.gradient_P)
    assert torch.equal(*found)


def test_back_propagation_is_that_of_automatic_differentiation(
    stream: tuple[Problem, Tensor],
) -> None:
    p, _ = stream
    g_P = BPTT().gradient(p.cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
    weights_TP = flat_weights(p.cell).expand(len(p.x_TBI), -1)
    checks.assert_near(p.cell, g_P, bptt_reference(p, weights_TP).sum(0))


def test_truncated_gradients_are_exact_within_their_horizon(
    stream: tuple[Problem, Tensor],
) -> None:
    _near(stream[0], _runs("tbptt", stream), tbptt_reference(*stream, horizon=9))


def test_a_random_estimate_is_exact_for_the_first_step_and_on_average() -> None:
    torch.manual_seed(0)
    p, copies = problem(CELLS["contributed"](), 3, 1), 4000
    exact_P = RTRL().gradient(p.cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
    many = Problem(
        p.cell,
        *(part.repeat_interleave(copies, dim=-2) for part in (p.x_TBI, p.s_BS, p.target_TBS)),
        *(part.repeat_interleave(copies, dim=-1) for part in (p.mask_TB, p.resets_TB)),
    )
    g_P = UORO().gradient(p.cell, many.x_TBI, many.s_BS, many.credit, many.resets_TB) / copies
    assert 1e-9 < float((g_P - exact_P).norm() / exact_P.norm()) < 0.1
    one = p.chunk(0, 1)
    first, exact = (
        rule.gradient(p.cell, one.x_TBI, p.s_BS, one.credit, one.resets_TB)
        for rule in (UORO(), RTRL())
    )
    checks.assert_near(p.cell, first, exact)


@pytest.mark.parametrize("name", [*BY_UNIT, "diagonal_rtrl"])
def test_what_needs_units_refuses_in_one_line(name: str, stream: tuple[Problem, Tensor]) -> None:
    p, _ = stream
    with applies(name, CELL_CASES["layer_norm_lstm"]):
        ALGORITHMS[name]().gradient(p.cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)


def test_every_algorithm_is_held_to_something_here() -> None:
    exact = {n for n in ALGORITHMS if ALGORITHMS[n].claim is Claim.EXACT}
    held = {
        "rtrl",
        "blocked_rtrl",
        "bptt",
        "diagonal_rtrl",
        "tbptt",
        "reservoir",
        *BY_UNIT,
        *RANDOM,
    }
    assert exact <= held
    assert set(ALGORITHMS) == held


def test_a_record_outlives_the_weights_it_was_made_with() -> None:
    p = problem(CELLS["contributed"](), 4, 2)
    path = p.cell.follow(p.x_TBI, p.s_BS)
    record = path.part(0, 0).followed_by(path.part(0, 2)).followed_by(path.part(2, 4))
    c_TBS = torch.randn_like(path.states_TBS)
    expected = path.gradient(path.sweep(c_TBS)[0])
    with torch.no_grad():
        for w in p.cell.parameters():
            w.fill_(torch.nan)
    checks.assert_near(p.cell, record.gradient(record.sweep(c_TBS)[0]), expected)


def test_a_module_of_two_names_is_as_one_of_one_and_stays_itself() -> None:
    torch.manual_seed(0)
    p = problem(Attention(), 4, 2)
    twice = copy.deepcopy(p.cell)
    twice.to_s = twice.of_s
    found = [
        RTRL().gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB) for cell in (p.cell, twice)
    ]
    assert torch.equal(*found)
    assert all(w.is_leaf for w in twice.parameters())


class _Refused(ForwardCell):
    """A cell that does one thing that it must not."""

    def __init__(self, does: str):
        super().__init__(2, 3)
        self.map, self.does = nn.Linear(2, 3), does
        self.dropout, self.norm, self.seen = nn.Dropout(0.5), nn.BatchNorm1d(3), 0

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        z = self.map(x_BI)
        if self.does == "dropout":
            return self.dropout(z)
        if self.does == "remembers":
            self.seen += 1
            return z + self.seen
        if self.does == "normalises":
            return self.norm(z)
        if self.does == "mixes":
            return z - z.mean(0)
        if self.does == "writes":
            return s_BS.add_(z)
        if self.does == "writes unseen":
            self.map.weight.data.clamp_(-0.1, 0.1)
            return self.map(x_BI)
        return z[:, :2]


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("dropout", "gives two next states for one x and s"),
        ("remembers", "gives two next states for one x and s"),
        ("normalises", "writes into x, s, a weight or a buffer"),
        ("mixes", "another next state beside others than alone"),
        ("writes", "writes into x, s, a weight or a buffer"),
        ("writes unseen", "writes into x, s, a weight or a buffer"),
        ("cut", r"gives \(3, 2\) of torch.float32: the next state is \(3, 3\) of torch.float32"),
    ],
)
def test_what_is_no_function_of_a_sample_s_x_and_s_is_refused(does: str, says: str) -> None:
    cell = _Refused(does)
    with pytest.raises(ValueError, match=rf"^_Refused\.forward [^\n]*{says}[^\n]*$"):
        cell.follow(torch.randn(2, 3, 2), torch.randn(3, 3))


def test_dropout_and_running_statistics_that_are_at_rest_are_taken() -> None:
    x_TBI, s_BS = torch.randn(2, 3, 2), torch.randn(3, 3)
    for does in ("dropout", "normalises"):
        cell = _Refused(does).eval()
        assert cell.follow(x_TBI, s_BS).states_TBS.shape == (2, 3, 3)


class _Sized(ForwardCell):
    """A cell that keeps its state."""

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        return s_BS


def test_a_state_smaller_than_what_is_seen_is_refused() -> None:
    with pytest.raises(ValueError, match="state_size is 2: the state begins with h"):
        _Sized(2, 3, state_size=2)


class _Branches(ForwardCell):
    """A cell whose next state depends on a value in Python."""

    def __init__(self):
        super().__init__(2, 3)
        self.W = torch.nn.Parameter(torch.ones(3, 2))

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        return s_BS + x_BI @ self.W.T if float(x_BI.sum()) > -1e9 else s_BS


class _Bare(ForwardCell):
    """A cell that has nothing to learn."""

    def __init__(self):
        super().__init__(3, 3)

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        return s_BS + x_BI


def test_what_torch_func_cannot_follow_is_said_in_one_line():
    x_TBI, s_BS = torch.randn(4, 2, 2), torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"_Branches\.forward cannot be followed by torch\.func"):
        ALGORITHMS["bptt"]().gradient(_Branches(), x_TBI, s_BS, lambda t, s: torch.ones_like(s))
    with pytest.raises(ValueError, match="_Bare has no parameters"):
        _Bare().follow(torch.randn(4, 2, 3), s_BS)
