"""The probe of activations: its values by hand, and that it is no more than a look."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.contracts._recall import Recall
from lightning_modules.networks.mlp import MLP
from lightning_modules.probes.activations import Activations
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit
from tests.probing import value
from tests.test_training import sequence_learner
from tests.test_training_runs import RUN, killed


def learner(activation: str = "tanh", gain: float = 3.0) -> BackpropLearner:
    torch.manual_seed(0)
    network = MLP(3, 2, [6, 5], activation).double()
    with torch.no_grad():
        for w in network.parameters():
            w *= gain
    return BackpropLearner(network, "cross_entropy", "sgd", 0.5).double()


def _outputs(network: nn.Module, x_TBI: Tensor) -> dict[str, list[Tensor]]:
    """Return what every call of every module without children put out."""
    made: dict[str, list[Tensor]] = {}
    network = copy.deepcopy(network)
    for name, module in network.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda _, __, h, name=name: made.setdefault(name, []).append(h)
            )
    with torch.no_grad():
        network(x_TBI.double())
    return made


ENDS: dict[str, Any] = {
    "tanh": lambda h: (h < -0.95) | (h > 0.95),
    "softsign": lambda h: (h < -0.95) | (h > 0.95),
    "logistic": lambda h: (h < 0.025) | (h > 0.975),
    "relu": lambda h: h == 0,
}


@pytest.mark.parametrize("activation", ENDS)
def test_mean_spread_and_saturation_are_those_of_a_layer_s_outputs(activation: str) -> None:
    gain = {"softsign": 20.0, "logistic": 9.0}.get(activation, 3.0)
    one, task = learner(activation, gain), Recall()
    expected = _outputs(one.network, task.batch(0).x_TBI)
    rows = fit(one, task, steps=1, evaluate_every=1, seed=0, probes=[Activations()])
    for layer, (name, (h,)) in enumerate(expected.items()):
        at = {"module": name, "layer": layer, "t": 0}
        assert value(rows, quantity="mean", **at) == pytest.approx(float(h.mean()), rel=1e-10)
        spread = (h - h.mean()).square().mean().sqrt()
        assert value(rows, quantity="spread", **at) == pytest.approx(float(spread), rel=1e-10)
        shares = [row["value"] for row in rows if row.get("module") == name][2:]
        if name.startswith(activation):
            share = float(ENDS[activation](h).double().mean())
            assert 0 < share < 1
            assert shares == [pytest.approx(share, rel=1e-12)]
        else:
            assert shares == []  # an affine map has no ends


def test_each_call_of_a_layer_has_its_rows() -> None:
    one, task = BackpropLearner(_Steps(), "cross_entropy", "sgd", 0.1).double(), Recall()
    calls = _outputs(one.network, task.batch(0).x_TBI)["affine"]
    rows = fit(one, task, steps=1, evaluate_every=1, seed=0, probes=[Activations()])
    assert len(calls) == task.length
    for t, h in enumerate(calls):
        assert value(rows, quantity="mean", t=t) == pytest.approx(float(h.mean()), rel=1e-10)


class _Steps(nn.Module):
    """One affine map, called once a step."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.affine = nn.Linear(3, 2)

    def forward(self, x_TBI: Tensor) -> Tensor:
        return torch.stack([self.affine(x_BI) for x_BI in x_TBI])


def test_it_changes_nothing_looks_as_often_as_told_and_leaves_no_hook() -> None:
    plain, task = learner(), Recall()
    bare = fit(plain, task, **RUN)
    one, probe = learner(), Activations(every=5)
    rows = fit(one, task, **RUN, probes=[probe])
    assert [row for row in rows if "probe" not in row] == bare
    assert not any(m._forward_hooks for m in one.modules())
    again, each = learner(), Activations()
    everywhere = fit(again, task, **RUN, probes=[each])
    of = {"module": "tanh1", "quantity": "mean"}
    assert value(rows, step=5, **of) != value(everywhere, step=5, **of)
    first = fit(learner(), task, steps=1, evaluate_every=1, seed=3, probes=[Activations()])
    assert value(rows, step=5, **of) == value(first, step=1, **of)  # batch 0, of batches 0 to 4


@pytest.mark.parametrize("every", [1, 7])  # 7: between resuming and the next rows it looks at none
def test_it_resumes_bit_for_bit(every: int, tmp_path: Any) -> None:
    expected = fit(learner(), Recall(), **RUN, probes=[Activations(every)])
    saving = {"scratch": tmp_path, "checkpoint_every_seconds": 0}
    with killed():
        fit(learner(), Recall(), **RUN, **saving, probes=[Activations(every)])
    resumed = fit(learner(), Recall(), **RUN, scratch=tmp_path, probes=[Activations(every)])
    assert resumed == expected


def test_a_cell_that_calls_no_modules_is_refused() -> None:
    with pytest.raises(ValueError, match="activations sees modules, but SequenceLear"):
        fit(sequence_learner(Recall()), Recall(), **RUN, probes=[Activations()])
