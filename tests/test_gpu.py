"""What a GPU gives, held to what the processor gives in float64; skipped where there is none.

Resumption on a GPU is tested in test_training_runs, whose runs use one where it is.
"""

from copy import deepcopy
from dataclasses import fields, replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.snap1 import SnAp1
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._recall import Recall
from lightning_modules.contracts._streams import Problem, problem
from lightning_modules.interfaces import Algorithm, Cell
from lightning_modules.training.fit import fit
from tests.cases import CellCase
from tests.network_cases import NETWORK_CASES
from tests.probing_learners import every, perceptron
from tests.rules import RANDOM, WHOLE, applies
from tests.test_training import sequence_learner

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
NEAR: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-11}


def on_gpu(p: Problem) -> Problem:
    """Return the problem with a copy of its cell and all tensors there."""
    parts = {f.name: getattr(p, f.name) for f in fields(p)} | {"cell": deepcopy(p.cell)}
    return replace(p, **{name: part.to("cuda") for name, part in parts.items()})


@pytest.mark.parametrize("name", WHOLE)
def test_gradients_along_a_stream_are_the_processors(name: str, cell: Cell, case: CellCase) -> None:
    p = problem(cell, checks.LENGTH, checks.BATCH)
    with applies(name, case):
        of_cpu, of_gpu = (
            checks.run_in_chunks(WHOLE[name][0](), on, checks.CHUNKS) for on in (p, on_gpu(p))
        )
        torch.testing.assert_close([g_P.cpu() for g_P in of_gpu], of_cpu, **NEAR)


@pytest.mark.parametrize("rule", [BPTT(), BlockedRTRL(5)], ids=["bptt", "blocked_rtrl"])
def test_a_gradient_is_the_same_from_a_graph(rule: Algorithm, cell: Cell) -> None:
    p = on_gpu(problem(cell, checks.LENGTH, checks.BATCH))
    x_TBI = torch.zeros_like(p.x_TBI)
    graph, beside = torch.cuda.CUDAGraph(), torch.cuda.Stream()
    with torch.cuda.stream(beside):
        rule.gradient(p.cell, x_TBI, p.s_BS, p.credit)
    torch.cuda.current_stream().wait_stream(beside)
    with torch.cuda.graph(graph):
        g_P = rule.gradient(p.cell, x_TBI, p.s_BS, p.credit)
    x_TBI.copy_(p.x_TBI)
    graph.replay()
    torch.testing.assert_close(g_P, rule.gradient(p.cell, x_TBI, p.s_BS, p.credit), **NEAR)


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_estimate_goes_on_alike_from_a_memory_that_was_stored(
    name: str, cell: Cell, case: CellCase
) -> None:
    p, runs = on_gpu(problem(cell, checks.LENGTH, checks.BATCH)), []
    with applies(name, case):
        for pickled in (False, True):
            torch.manual_seed(0)
            runs.append(checks.run_in_chunks(RANDOM[name](), p, checks.CHUNKS, pickled=pickled))
        torch.testing.assert_close(*runs, rtol=0, atol=0)
        assert all(g_P.is_cuda for g_P in runs[0])
        assert max(g_P.abs().max() for g_P in runs[0]) > 0


@pytest.mark.parametrize("algorithm", [BPTT, BlockedRTRL, SnAp1])
@pytest.mark.parametrize("streams", [False, True])
def test_training_under_every_probe_gives_the_processors_rows(
    algorithm: type[Algorithm], streams: bool
) -> None:
    task = Recall(streams=streams)
    build = partial(sequence_learner, task, algorithm)
    _assert_same_rows(build, task, every if algorithm is BPTT else list)


def test_a_network_gives_the_processors_rows() -> None:
    _assert_same_rows(perceptron, Recall(), list)


def _assert_same_rows(build: Any, task: Recall, probes: Any) -> None:
    run: dict[str, Any] = {"steps": 12, "evaluate_every": 5, "seed": 3}
    rows = {at: fit(build(), task, accelerator=at, probes=probes(), **run) for at in ("cpu", "gpu")}
    assert len(rows["gpu"]) == len(rows["cpu"])
    for found, expected in zip(rows["gpu"], rows["cpu"], strict=True):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            near = pytest.approx(value, rel=1e-7, abs=1e-9) if type(value) is float else value
            assert found[key] == near, key


@pytest.mark.parametrize("name", NETWORK_CASES)
def test_a_networks_outputs_and_gradients_are_the_processors(name: str) -> None:
    case = NETWORK_CASES[name]
    torch.manual_seed(0)
    network = case.build().double().eval()
    x_TBI = torch.rand(3, 2, case.inputs, dtype=torch.float64)
    expected = _through(network, x_TBI, case.differentiable)
    found = _through(network.to("cuda"), x_TBI.to("cuda"), case.differentiable)
    torch.testing.assert_close(found, expected, **NEAR)


def _through(network: nn.Module, x_TBI: Tensor, differentiable: bool) -> list[Tensor]:
    """Return the outputs and the weights' gradients of their squares."""
    z_TBO = network(x_TBI)
    if not differentiable:
        return [z_TBO.cpu()]
    weights = [w for w in network.parameters() if w.requires_grad]
    return [g.cpu() for g in (z_TBO.detach(), *torch.autograd.grad(z_TBO.square().mean(), weights))]
