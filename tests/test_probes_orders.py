"""Curvature, noise, agreement and spectrum against automatic differentiation, on every cell."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor
from torch.func import grad, jacrev

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells.diagonal import Diagonal
from lightning_modules.interfaces import Batch
from lightning_modules.probes import PROBES, spectrum
from tests.cases import CELL_BUILDS
from tests.probing import B, Scene, T, near, scene, told, value


@pytest.fixture(params=CELL_BUILDS)
def p(request: pytest.FixtureRequest) -> Scene:
    torch.manual_seed(0)
    return scene(CELL_BUILDS[request.param]())


@pytest.mark.parametrize(("loss", "samples"), [("cross_entropy", B), ("squared_error", 2)])
def test_curvature_is_that_of_a_hessian_vector_product(p: Scene, loss: str, samples: int) -> None:
    p = scene(p.cell, loss)
    passage = p.passage()
    rows = told(PROBES["curvature"](samples=samples), [passage])
    assert passage.gradient_P is not None
    parts = passage.gradient_P.split([w.numel() for w in p.weights.values()])
    g = {k: part.view_as(w) for part, (k, w) in zip(parts, p.weights.items(), strict=True)}
    slopes = grad(lambda weights: p.mean_loss(weights, samples))
    bends = grad(lambda weights: sum((g[k] * s).sum() for k, s in slopes(weights).items()))
    expected = sum((g[k] * b).sum() for k, b in bends(p.weights).items())
    expected = expected / passage.gradient_P.square().sum()
    assert value(rows, quantity="along_gradient") == near(expected)


def test_noise_is_that_of_gradients_sample_by_sample(p: Scene) -> None:
    rows = told(PROBES["noise"](), [p.passage()])
    counted_B = p.batch.mask_TB.sum(0)
    g_BP = torch.stack([_sample_gradient(p, b) * counted_B[b] for b in range(B)])
    g_BP *= B / float(counted_B.sum())
    signal, spread = g_BP.mean(0).norm(), g_BP.var(0).sum().sqrt()
    assert value(rows, quantity="signal") == near(signal)
    assert value(rows, quantity="spread") == near(spread)
    assert value(rows, quantity="ratio") == near(signal / spread)


def _sample_gradient(p: Scene, b: int) -> Tensor:
    """Return the gradient of one sample's mean loss, by the cell's weights."""
    found = p.alone(b).gradient()
    return torch.cat([g.flatten() for k, g in found.items() if k.startswith("cell.")])


def test_one_sample_has_no_spread() -> None:
    rows = told(PROBES["noise"](), [scene(CELL_BUILDS["srn"]()).alone(0).passage()])
    assert {row["quantity"]: row["value"] is None for row in rows} == {
        "signal": False,
        "spread": True,
        "ratio": True,
    }


@pytest.mark.parametrize("name", ["rtrl", "snap1", "uoro"])
def test_agreement_compares_with_the_exact_gradient(name: str) -> None:
    p = scene(CELL_BUILDS["gru"]())
    torch.manual_seed(1)
    passage = p.passage(ALGORITHMS[name]())
    before = torch.get_rng_state()
    rows = told(PROBES["agreement"](), [passage]) + told(PROBES["agreement"](1, "uoro"), [passage])
    assert torch.equal(before, torch.get_rng_state()), "training's own noise would be another"
    exact = torch.cat([g.flatten() for k, g in p.gradient().items() if k.startswith("cell.")])
    own_P = passage.run.gradient_P / passage.counted
    cosine = own_P @ exact / own_P.norm() / exact.norm()
    assert value(rows, algorithm="bptt", quantity="cosine") == near(cosine)
    ratio = own_P.norm() / exact.norm()
    assert value(rows, algorithm="bptt", quantity="norm_ratio") == near(ratio)


def test_singular_values_are_those_of_the_whole_map_from_state_to_state(p: Scene) -> None:
    p = scene(p.cell, resets=False)
    H, lags = p.cell.hidden_size, (1, 4, T - 1)
    rows = told(PROBES["spectrum"](lags=(*lags, T), samples=B), [p.passage()])
    s_TBS = p.passage().run.path.states_TBS

    def later(h_BH: Tensor, lag: int) -> Tensor:
        s_BS = torch.cat([h_BH, s_TBS[0, :, H:]], dim=-1)
        for x_BI in p.batch.x_TBI[1 : lag + 1]:
            s_BS = p.cell(x_BI, s_BS)
        return s_BS[:, :H]

    for lag in lags:
        j_BHBH = jacrev(later)(s_TBS[0, :, :H], lag).detach()
        j_BHH = torch.stack([j_BHBH[b, :, b] for b in range(B)])
        for rank, expected in enumerate(torch.linalg.svdvals(j_BHH).mean(0)):
            assert value(rows, quantity="singular_value", lag=lag, rank=rank) == near(expected)
    assert not [row for row in rows if row.get("lag") == T], "it does not fit"


def test_a_map_that_overflowed_has_no_singular_values_and_others_keep_theirs() -> None:
    j_BHH = torch.tensor([[[math.inf, 0.0], [0.0, 1.0]], [[0.0, 3.0], [1.0, 0.0]]])
    overflowed_H, other_H = spectrum._singular(j_BHH)
    assert overflowed_H.isnan().all()
    assert other_H.tolist() == pytest.approx([3.0, 1.0])


def _diagonal(moduli: list[float]) -> Scene:
    """Return a diagonal recurrence over many steps, a reset in its middle."""
    cell = Diagonal(3, len(moduli), form="real").double()
    with torch.no_grad():
        cell.b.view(-1, len(moduli))[1] = (-torch.tensor(moduli, dtype=torch.float64).log()).log()
    p = scene(cell)
    return dataclasses.replace(p, batch=Batch(*(torch.cat([part] * 6) for part in p.batch)))


def test_the_exponents_of_a_diagonal_recurrence_are_the_logarithms_of_its_moduli() -> None:
    moduli = [0.9, 0.2, 0.04]
    rows = told(PROBES["spectrum"](count=2, samples=B), [_diagonal(moduli).passage()])
    for rank, modulus in enumerate(moduli[:2]):
        assert value(rows, quantity="exponent", rank=rank) == near(math.log(modulus))


def test_all_exponents_together_are_the_logarithm_of_the_determinant(
    p: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectrum, "APART", 1)  # the smallest would be lost among the largest
    p = scene(p.cell, resets=False)
    S, first = p.cell.state_size, T // 4
    rows = told(PROBES["spectrum"](count=S, samples=B), [p.passage()])
    j_TBSS = torch.empty(T, B, S, S).double()
    p.passage().run.path.jacobians(0, j_TBSS)
    expected = torch.linalg.slogdet(j_TBSS[first:]).logabsdet.mean()
    if (torch.linalg.matrix_rank(j_TBSS[first:]) < S).any():
        pytest.skip("a Jacobian is singular: its determinant is what rounding leaves")
    assert sum(value(rows, rank=rank, lag=None) for rank in range(S)) == near(expected)
