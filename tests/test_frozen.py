"""Weights that are frozen, unused or shared: whoever writes weights heeds it, at any time."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.reservoir import Reservoir
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.cells.srn import SRN
from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Algorithm, Batch
from lightning_modules.probes import PROBES
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import OPTIMIZERS, Learner
from lightning_modules.training.sequence import SequenceLearner
from tests.probing_learners import OF_SEQUENCES, Spy
from tests.test_training import chunk_loss, sequence_learner

STEPS = 8
CURES: dict[str, dict[str, Any]] = {
    "alone": {},
    "cured": {"clip": Clip("norm", 0.02), "decay": Decay("l2", 0.3)},
}
Schedule = dict[int, tuple[str, bool]]
"""Before which batch which parameter is set to train or not."""


class Told(Recall):
    """A task at whose batches someone freezes or frees a learner's parameters."""

    def __init__(self, learner: Learner, schedule: Schedule, **settings: Any):
        super().__init__(**settings)
        self.told = learner, schedule

    def batch(self, index: int) -> Batch:
        set_by(self.told[1], index, dict(self.told[0].named_parameters()))
        return super().batch(index)


def set_by(schedule: Schedule, index: int, weights: dict[str, nn.Parameter]) -> None:
    if index in schedule:
        name, trains = schedule[index]
        weights[name].requires_grad_(trains)


def bare(learner: SequenceLearner, schedule: Schedule, cured: bool) -> dict[str, Tensor]:
    """Train copies by autograd, each parameter on its own; torch leaves frozen ones alone."""
    cell, readout, task = copy.deepcopy(learner.cell), copy.deepcopy(learner.readout), Recall()
    both = nn.ModuleDict({"cell": cell, "readout": readout})
    named, kind = dict(both.named_parameters()), OPTIMIZERS[learner.optimizer]
    optimizer = kind(list(named.values()), lr=learner.learning_rate)  # pyright: ignore[reportCallIssue]
    for i in range(STEPS):
        set_by(schedule, i, named)
        batch = task.batch(i)
        loss, _ = chunk_loss(cell, readout, task, list(batch), torch.zeros(4, 8).double())
        optimizer.zero_grad()
        (loss / int(batch.mask_TB.sum())).backward()
        train = [w for w in named.values() if w.grad is not None]
        if cured:
            norm = torch.cat([w.grad.flatten() for w in train if w.grad is not None]).norm()
            for w in train:
                assert w.grad is not None
                w.grad *= min(1.0, 0.02 / (norm + 1e-6 * 0.02))
                w.data *= 1 - learner.learning_rate * 0.3
        optimizer.step()
    return {name: w.detach() for name, w in named.items()}


@pytest.mark.parametrize(
    ("schedule", "algorithm", "optimizer", "cures"),
    [
        ({0: ("cell.W", False)}, BPTT, "sgd", "cured"),
        ({0: ("cell.U", False)}, RTRL, "adam", "alone"),
        ({0: ("cell.b", False)}, BPTT, "adam", "cured"),
        ({0: ("readout.weight", False)}, RTRL, "sgd", "alone"),
        ({0: ("readout.bias", False), 5: ("readout.bias", True)}, BPTT, "adam", "cured"),
        ({3: ("cell.W", False), 6: ("cell.W", True)}, BPTT, "adam", "cured"),
        ({3: ("cell.W", False), 6: ("cell.W", True)}, RTRL, "sgd", "cured"),
        ({4: ("cell.U", False)}, BPTT, "adam", "alone"),
    ],
)
def test_a_frozen_weight_stays_and_the_others_go_as_torch_moves_them(
    schedule: Schedule, algorithm: type[Algorithm], optimizer: str, cures: str
) -> None:
    learner = sequence_learner(Recall(), algorithm, optimizer=optimizer, **CURES[cures])
    expected, weights = bare(learner, schedule, bool(CURES[cures])), {}
    before = copy.deepcopy(learner.state_dict())
    for index, change in schedule.items():
        set_by({index: change} if index == 0 else {}, 0, dict(learner.named_parameters()))
    fit(learner, Told(learner, schedule), steps=STEPS, evaluate_every=STEPS, seed=0)
    weights = dict(learner.named_parameters())
    for name, w in weights.items():
        torch.testing.assert_close(w.detach(), expected[name], rtol=1e-10, atol=1e-12)
    always = {name for name, _ in schedule.values()} if len(schedule) == 1 and 0 in schedule else ()
    for name in always:
        assert torch.equal(weights[name], before[name])


def test_a_weight_frozen_between_batches_stays_bit_for_bit_and_resumes_so(tmp_path: Any) -> None:
    schedule: Schedule = {3: ("cell.W", False), 9: ("cell.W", True)}

    def build() -> SequenceLearner:
        return sequence_learner(Recall(), optimizer="adam", update_every=2)

    run: dict[str, Any] = {"steps": 12, "evaluate_every": 1, "seed": 0}
    whole, first, second, seen = build(), build(), build(), []

    class Kept(Told):
        def batch(self, index: int) -> Batch:
            seen.append((index, self.told[0].get_parameter("cell.W").detach().clone()))
            if index == self.fails:
                raise RuntimeError("killed")
            return super().batch(index)

        fails = -1

    expected = fit(whole, Kept(whole, schedule), **run)
    frozen = [w for index, w in seen if 3 <= index <= 9]
    assert all(torch.equal(w, frozen[0]) for w in frozen)
    assert not torch.equal(frozen[0], whole.get_parameter("cell.W"))
    Kept.fails = 7
    with pytest.raises(RuntimeError, match="killed"):
        fit(first, Kept(first, schedule), **run, scratch=tmp_path, checkpoint_every_seconds=0)
    Kept.fails = -1
    task = Kept(second, schedule)
    assert fit(second, task, **run, scratch=tmp_path) == expected
    assert min(task.served) == 7
    torch.testing.assert_close(second.state_dict(), whole.state_dict(), rtol=0, atol=0)


class Partly(nn.Module):
    """A layer that is used, one that is frozen, and one that is never called."""

    def __init__(self):
        super().__init__()
        self.frozen, self.used, self.unused = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(3, 3)
        self.frozen.requires_grad_(False)

    def forward(self, x_TBI: Tensor) -> Tensor:
        return self.used(torch.tanh(self.frozen(x_TBI)))


@pytest.mark.parametrize("kind", ["l1", "l2"])
@pytest.mark.parametrize("clip", ["norm", "value", "adaptive"])
def test_decay_and_clip_leave_frozen_and_unused_layers_alone(kind: Any, clip: Any) -> None:
    torch.manual_seed(0)
    network, spy = Partly().double(), Spy()
    before = copy.deepcopy(network.state_dict())
    cures: dict[str, Any] = {"clip": Clip(clip, 1e-3), "decay": Decay(kind, 0.3)}
    learner = BackpropLearner(network, "cross_entropy", "sgd", 0.1, **cures).double()
    fit(learner, Recall(), steps=5, evaluate_every=5, seed=0, probes=[spy])
    for name, w in network.state_dict().items():
        assert torch.equal(w, before[name]) == (not name.startswith("used")), name
    names = ["network.used.weight", "network.used.bias"]
    for update in spy.seen:  # what probes are shown is what trains
        assert list(update.names) == names
        assert len(update.before) == len(update.raw) == len(update.clipped) == 2
        if clip == "norm":
            norm = torch.cat([g.flatten() for g in update.clipped]).norm()
            assert norm == pytest.approx(1e-3, rel=1e-5)


def test_a_gradient_left_over_from_before_a_weight_was_frozen_is_not_counted() -> None:
    w, v = (nn.Parameter(torch.ones(2)) for _ in range(2))
    w.grad, v.grad = torch.tensor([3.0, 4.0]), torch.tensor([300.0, 400.0])
    v.requires_grad_(False)
    Clip("norm", 5.0)([w, v])
    Decay("l2", 0.5)([w, v], 0.1)
    torch.testing.assert_close(w.grad, torch.tensor([3.0, 4.0]))
    assert torch.equal(v.grad, torch.tensor([300.0, 400.0]))
    assert torch.equal(v, torch.ones(2))


def test_probes_run_on_a_learner_that_is_partly_frozen() -> None:
    learner, spy = sequence_learner(Recall()), Spy()
    learner.cell.get_parameter("W").requires_grad_(False)
    probes = [PROBES[name](every=1) for name in OF_SEQUENCES]
    rows = fit(learner, Recall(), steps=3, evaluate_every=3, seed=0, probes=[*probes, spy])
    assert {row["probe"] for row in rows if "probe" in row} == set(OF_SEQUENCES)
    told = {row["parameter"] for row in rows if row.get("probe") == "updates"}
    assert told == {"cell.U", "cell.b", "readout.weight", "readout.bias"}
    for update in spy.seen:
        pairs = zip(update.after, update.before, update.clipped, strict=True)
        for after, before, gradient in pairs:
            torch.testing.assert_close(after - before, -0.1 * gradient)


def test_a_learner_of_which_nothing_trains_stays_as_it_is() -> None:
    learner = sequence_learner(Recall(), optimizer="adam", **CURES["cured"])
    learner.requires_grad_(False)
    before = copy.deepcopy(learner.state_dict())
    probes = [PROBES[name](every=1) for name in ("updates", "direction", "clipping")]
    fit(learner, Recall(), steps=3, evaluate_every=3, seed=0, probes=probes)
    torch.testing.assert_close(learner.state_dict(), before, rtol=0, atol=0)
    network = BackpropLearner(nn.Linear(3, 2).requires_grad_(False), "cross_entropy", "sgd", 0.1)
    with pytest.raises(ValueError, match="no weight of the network trains"):
        fit(network, Recall(), steps=3, evaluate_every=3, seed=0)


def test_what_keeps_the_cells_weights_keeps_them_from_decay_too() -> None:
    learner = sequence_learner(Recall(), Reservoir, decay=Decay("l2", 0.5))
    before = copy.deepcopy(learner.state_dict())
    fit(learner, Recall(), steps=3, evaluate_every=3, seed=0)
    for name, w in learner.state_dict().items():
        assert torch.equal(w, before[name]) == name.startswith("cell."), name


@pytest.mark.parametrize("frozen", [False, True])
def test_a_weight_shared_by_cell_and_readout_is_updated_once_with_both_gradients(
    frozen: bool,
) -> None:
    class Square(Recall):
        output_size = 3

        def __init__(self):
            super().__init__("squared_error")

    torch.manual_seed(0)
    cell = SRN(3, 3).double()
    settings: dict[str, Any] = {"update_every": None, "optimizer": "sgd", "learning_rate": 0.1}
    learner = SequenceLearner(cell, 3, "squared_error", BPTT(), decay=Decay("l2", 0.2), **settings)
    learner.readout.weight = cell.W  # pyright: ignore[reportAttributeAccessIssue]
    cell.W.requires_grad_(not frozen)
    task, ours = Square(), copy.deepcopy((cell, learner.readout))
    weights = list(dict.fromkeys([*ours[0].parameters(), *ours[1].parameters()]))
    for i in range(4):
        batch = task.batch(i)
        loss, _ = chunk_loss(*ours, task, list(batch), torch.zeros(4, 3).double())
        train = [w for w in weights if w.requires_grad]
        gradients = torch.autograd.grad(loss / int(batch.mask_TB.sum()), train)
        for w, g in zip(train, gradients, strict=True):
            w.data -= 0.1 * (g + 0.2 * w.data)
    fit(learner, task, steps=4, evaluate_every=4, seed=0, probes=[PROBES["smoothness"](every=1)])
    assert learner.readout.weight is cell.W
    for w, expected in zip(learner.parameters(), weights, strict=True):
        torch.testing.assert_close(w.detach(), expected.detach(), rtol=1e-10, atol=1e-12)
