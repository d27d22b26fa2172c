"""What probes say of errors and gradients that are near the ends of what a type holds."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.srn import SRN
from lightning_modules.instruments import Reading, Row, Update
from lightning_modules.interfaces import Batch
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import HELD, Probe
from tests.cases import CELL_BUILDS
from tests.probing import Scene, scene, told, value

STEPS = 110
OF_CREDIT = {"passages", "outputs", "updates", "losses"}
"""What a probe sees where errors go back along steps; others see games, maps, estimates."""


def _relu(sigma: float, dtype: torch.dtype) -> Scene:
    """Return units that each multiply error by σ a step, with a loss at the last step alone."""
    torch.manual_seed(0)
    cell, readout = SRN(1, 4, activation="relu"), nn.Linear(4, 2)
    with torch.no_grad():
        cell.W.copy_(sigma * torch.eye(4))
        cell.U.fill_(1.0)
        cell.b.fill_(2.0**-110)  # all units are on, and stay within the type
    mask_TB = torch.zeros(STEPS, 2, dtype=torch.bool)
    mask_TB[-1] = True
    batch = Batch(
        torch.zeros(STEPS, 2, 1, dtype=dtype),
        torch.zeros(STEPS, 2, dtype=torch.long),
        mask_TB,
        torch.zeros_like(mask_TB),
    )
    s_BS = torch.zeros(2, 4, dtype=dtype)
    return Scene(cell.to(dtype), readout.to(dtype), batch, s_BS, "cross_entropy")


@pytest.mark.parametrize("sigma", [0.5, 2.0])
def test_float32_says_of_vanished_and_exploded_error_what_float64_says(sigma: float) -> None:
    rows = {}
    for dtype in (torch.float32, torch.float64):
        passage = _relu(sigma, dtype).passage()
        probes = [PROBES[name]() for name in ("error_flow", "horizon", "noise", "agreement")]
        rows[dtype] = [row for probe in probes for row in told(probe, [passage])]
    for row, exact in zip(rows[torch.float32], rows[torch.float64], strict=True):
        if exact["value"] is None:
            assert row["value"] is None, row
        else:
            assert row["value"] == pytest.approx(exact["value"], rel=1e-5, abs=0), row
    flow = value(rows[torch.float32], quantity="norm", t=0)
    last = value(rows[torch.float32], quantity="norm", t=STEPS - 1)
    assert flow == pytest.approx(last * sigma ** (STEPS - 1), rel=1e-5, abs=0)
    horizon = [row["value"] for row in rows[torch.float32] if row["quantity"] == "steps"]
    assert horizon == ([pytest.approx(1 / math.log(2), rel=1e-6)] if sigma < 1 else [None])


class _Given(Probe):
    """A probe that is given its measurements."""

    sees = frozenset({"updates"})

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        yield {"quantity": "poisoned", "value": float(means["x"])}
        for row in self.defined_of("x"):
            yield {"quantity": "x", **row}


@pytest.mark.parametrize("largest", [1e-320, 1e-3, 1.7e308])
def test_the_mean_of_finite_numbers_is_finite(largest: float) -> None:
    probe, count = _Given(), 3 * HELD + 1
    for _ in range(count):
        probe.keep(x=torch.tensor(largest, dtype=torch.float64))
    assert value(probe.rows(0), quantity="x") == pytest.approx(largest, rel=1e-12, abs=0)


def test_what_is_undefined_is_left_out_and_the_row_says_how_many_were_not() -> None:
    probe, nan = _Given(), math.nan
    for x in (1.0, nan, 3.0):
        probe.keep(x=torch.tensor(x))
    resumed = _Given()
    resumed.load_state_dict(probe.state_dict())
    for held in (probe, resumed):
        poisoned, row = held.rows(0)
        assert poisoned["value"] is None
        assert row == {"probe": row["probe"], "step": 0, "quantity": "x", "value": 2, "defined": 2}
    probe.keep(x=torch.tensor(nan))
    assert [row.get("value") for row in probe.rows(0)] == [None, None]


def _update(before: Tensor, after: Tensor, gradient: Tensor) -> Update:
    clipped = gradient.clone()
    return Update(["w"], [before], [after], [gradient], [clipped], 1.0)


def test_an_update_without_a_direction_or_a_size_leaves_that_of_the_others() -> None:
    w, still = torch.tensor([3.0, 4.0]), torch.zeros(2)
    updates = [_update(w, w, still), _update(still, w, -w), _update(w, 2 * w, -w)]
    told = {}
    for name in ("direction", "updates", "clipping"):
        probe = PROBES[name]()
        for update in updates:
            probe.updated(update)
        told[name] = probe.rows(0)
    (direction,), (ratio,) = told["direction"], told["updates"]
    assert (direction["value"], direction["defined"]) == (pytest.approx(1), 2)
    assert (ratio["value"], ratio["defined"]) == (pytest.approx(0.5), 2)
    assert value(told["clipping"], quantity="kept") == 1
    assert value(told["clipping"], quantity="threshold_over_norm") == pytest.approx(0.3)


def test_a_parameter_that_some_updates_leave_out_keeps_its_own_rows() -> None:
    probe, a, b = PROBES["updates"](), torch.ones(2), torch.ones(3)
    probe.updated(Update(["b"], [b], [3 * b], [b], [b], None))
    probe.updated(Update(["a", "b"], [a, b], [2 * a, 5 * b], [a, b], [a, b], None))
    rows = probe.rows(0)
    assert value(rows, parameter="a") == pytest.approx(1)
    assert value(rows, parameter="b") == pytest.approx(3)


def test_of_gradients_that_were_all_zero_no_threshold_is_told() -> None:
    probe = PROBES["clipping"]()
    probe.updated(_update(torch.ones(2), torch.ones(2), torch.zeros(2)))
    (over,) = [r for r in probe.rows(0) if r["quantity"] == "threshold_over_norm"]
    assert over["value"] is None


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("name", ["direction", "updates", "clipping"])
def test_what_is_told_of_an_update_holds_wherever_float32_does(name: str, scale: float) -> None:
    torch.manual_seed(0)
    w, moved = torch.randn(2, 5)
    update = _update(w * scale, (w + 0.1 * moved) * scale, -moved * scale)
    rows = {}
    for dtype in (torch.float32, torch.float64):
        before, after, raw, clipped = ([part.to(dtype) for part in of] for of in update[1:5])
        probe = PROBES[name]()
        probe.updated(Update(update.names, before, after, raw, clipped, 1.0))
        rows[dtype] = [row["value"] for row in probe.rows(0)]
    assert rows[torch.float32] == pytest.approx(rows[torch.float64], rel=1e-5, abs=0)


def test_errors_that_one_batch_did_not_show_leave_the_mean_of_the_others() -> None:
    probe = PROBES["error_flow"]()
    for size in (1.0, math.nan, 3.0):
        probe.gone_back({"layer": [torch.tensor(size)]})
    (row,) = probe.rows(0)
    assert (row["value"], row["defined"]) == (2, 2)


@pytest.mark.parametrize("scale", [2.0**-90, 2.0**100])
def test_the_spread_of_outputs_holds_wherever_float32_does(scale: float) -> None:
    rows = []
    for by in (1.0, scale):
        probe, layer = PROBES["activations"](), nn.Identity()
        probe._called("layer", layer, (), (torch.arange(4.0, requires_grad=True) * by))
        probe._modules, probe._calls, calls = ["layer"], {}, probe._calls
        probe.keep(layer=torch.stack(calls["layer"]))
        rows.append([row["value"] for row in probe.rows(0)])
    assert rows[1] == [value * scale for value in rows[0]]
    assert rows[0] == [1.5, pytest.approx(1.25**0.5)]


class _Louder:
    """A passage's losses, all times a number."""

    def __init__(self, reading: Reading, scale: float):
        self._reading, self._scale = reading, scale
        self.counted = reading.counted

    def direct(self, samples: slice, states_TBS: Tensor) -> Tensor:
        return self._reading.direct(samples, states_TBS) * self._scale

    def loss(self, samples: slice, h_TBH: Tensor, shift_P: Tensor) -> Tensor:
        return self._reading.loss(samples, h_TBH, shift_P) * self._scale

    def credit(self, samples: slice) -> Any:
        inner = self._reading.credit(samples)
        return lambda t, s_BS: inner(t, s_BS) * self._scale


def _rows_of(name: str, scale: float) -> list[Row]:
    """Return what a probe tells of a passage, and of the update that follows, in float32."""
    torch.manual_seed(0)
    p = scene(CELL_BUILDS["lstm"](), resets=False)
    p = dataclasses.replace(
        p,
        cell=p.cell.float(),
        readout=p.readout.float(),
        batch=p.batch._replace(x_TBI=p.batch.x_TBI.float()),
        s_BS=p.s_BS.float(),
    )
    plain, probe = p.passage(), PROBES[name]()
    everyone, loud = slice(None), _Louder(plain.reading, scale)
    run = BPTT().run(p.cell, plain.x_TBI, plain.s_BS, loud.credit(everyone))
    assert plain.gradient_P is not None
    passage = dataclasses.replace(
        plain, run=run, reading=loud, gradient_P=plain.gradient_P * scale, given_TBS=None
    )
    weights = [*p.cell.parameters(), *p.readout.parameters()]
    with torch.no_grad():
        before = [w.clone() for w in weights]
        probe.passed(passage)
        for w in weights:
            w += 0.01 * torch.randn_like(w)
        gradient = [w * scale for w in weights]
        probe.updated(
            Update([str(i) for i in range(len(weights))], before, weights, gradient, gradient, None)
        )
    return probe.rows(0)


@pytest.mark.parametrize("name", [n for n in PROBES if PROBES[n].sees <= OF_CREDIT])
def test_of_errors_times_two_to_the_k_a_probe_tells_the_same_or_two_to_the_k_times_as_much(
    name: str,
) -> None:
    plain = _rows_of(name, 1.0)
    assert plain
    for scale in (2.0**-90, 2.0**100):
        for row, before in zip(_rows_of(name, scale), plain, strict=True):
            was = before["value"]
            if not isinstance(was, float):
                assert row["value"] is None, row
                continue
            # To rounding: a logarithm of the norm, as horizon takes it, is not a power of two.
            allowed = [pytest.approx(was * by, rel=1e-5, abs=0) for by in (1, scale)]
            assert row["value"] in allowed, (row, before)
