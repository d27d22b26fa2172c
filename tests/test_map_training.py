"""Learning by a map under a Trainer: it is the map alone, it resumes, and probes see it."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Batch, Task
from lightning_modules.maps import MAPS
from lightning_modules.maps._coding import Coded
from lightning_modules.maps._map import Map
from lightning_modules.probes import PROBES
from lightning_modules.training.fit import fit
from lightning_modules.training.map import MapLearner
from tests.map_cases import MAP_CASES
from tests.probing import value
from tests.test_training_runs import RUN, killed

SEEN = "maps", "updates"


class Bits(Recall):
    """The same, of zeros and ones, for who takes nothing else."""

    input_size = 4

    def batch(self, index: int) -> Batch:
        batch = super().batch(index)
        x_TBI = (batch.x_TBI[..., :2] > 0).float()
        return batch._replace(x_TBI=torch.cat([x_TBI, 1 - x_TBI], dim=-1))


class Numbers(Recall):
    """The same, of numbers that are as they come."""

    input_size = 2

    def batch(self, index: int) -> Batch:
        batch = super().batch(index)
        return batch._replace(x_TBI=batch.x_TBI[..., :2])


def task(name: str) -> Recall:
    return Bits() if name == "art1" else Numbers() if "art" in name else Recall()


def learner(name: str) -> MapLearner:
    torch.manual_seed(0)
    taught: Map = MAP_CASES[name].build()
    if "som" in name:
        taught = MAPS[name](3, 2, 3, passes=4, pass_size=50)
    elif name != "art1":
        bound_I = torch.full((2,), 4.0)
        taught = Coded(taught, -bound_I, bound_I)
    return MapLearner(taught.double(), "cross_entropy").double()


def examples(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return a batch's counted inputs and classes."""
    return batch.x_TBI[batch.mask_TB].double(), batch.y_TB[batch.mask_TB]


@pytest.mark.parametrize("name", MAPS)
def test_a_run_is_the_map_going_through_the_counted_examples(name: str) -> None:
    of, one = task(name), learner(name)
    taught = copy.deepcopy(one.map)
    rows = fit(one, of, steps=4, evaluate_every=1, seed=0)
    for index in range(4):
        seen = taught.learn(*examples(of.batch(index)))
        assert rows[index + 1]["train_loss"] == pytest.approx(seen.loss / seen.examples)
    for ours, theirs in zip(
        one.map.state_dict().values(), taught.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)
    held = [examples(batch) for batch in of.held_out()]
    x_NI, y_N = (torch.cat(parts) for parts in zip(*held, strict=True))
    assert rows[-1]["held_out_loss"] == pytest.approx(float(taught.loss(x_NI).mean()))
    classes_N = taught.classes(x_NI)
    right = None if classes_N is None else float((classes_N == y_N).double().mean())
    assert rows[-1]["held_out_accuracy"] == right


@pytest.mark.parametrize("name", MAPS)
def test_a_run_that_was_killed_goes_on_bit_for_bit(name: str, tmp_path: Any) -> None:
    def run(of: Task, **saving: Any) -> tuple[Any, list[Tensor]]:
        one = learner(name)
        rows = fit(one, of, **RUN, **saving, probes=[PROBES[probe]() for probe in SEEN])
        return rows, [*one.map.state_dict().values()]

    expected = run(task(name))
    with killed():
        run(task(name), scratch=tmp_path, checkpoint_every_seconds=0)
    of = task(name)
    rows, weights = run(of, scratch=tmp_path)
    assert rows == expected[0]
    assert all(map(torch.equal, weights, expected[1]))
    assert 0 not in of.served  # it did not start anew


@pytest.mark.parametrize("name", MAPS)
def test_probes_see_what_a_map_tells_and_the_move_of_a_batch(name: str) -> None:
    of, one = task(name), learner(name)
    taught = copy.deepcopy(one.map)
    rows = fit(one, of, steps=1, evaluate_every=1, seed=0, probes=[PROBES[p]() for p in SEEN])
    before_MI, (x_NI, y_N) = taught.w_MI.clone(), examples(of.batch(0))
    seen = taught.learn(x_NI, y_N)
    facts = {key: float(fact) for key, fact in taught.facts(x_NI).items()}
    rise = float((taught.w_MI - before_MI).max())
    for quantity, told in {**facts, "changes": float(seen.changes), "rise": rise}.items():
        assert value(rows, probe="maps", quantity=quantity) == pytest.approx(told)
    moved = float((taught.w_MI - before_MI).norm() / before_MI.norm())
    (told,) = [row["value"] for row in rows if row.get("probe") == "updates"]
    assert told == pytest.approx(moved)


def test_a_probe_of_gradients_is_refused_and_so_is_a_probe_of_maps_elsewhere() -> None:
    from tests.probing_learners import perceptron

    with pytest.raises(ValueError, match=r"error_flow sees .* but MapLearner shows maps, updates"):
        fit(learner("som"), Recall(), **RUN, probes=[PROBES["error_flow"]()])
    with pytest.raises(ValueError, match="maps sees maps, but BackpropLearner"):
        fit(perceptron(), Recall(), **RUN, probes=[PROBES["maps"]()])


def test_a_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="the task streams, but a map keeps no state"):
        fit(learner("som"), Recall(streams=True), **RUN)


class Empty(Recall):
    """Nothing counts in the first batch."""

    def batch(self, index: int) -> Batch:
        batch = super().batch(index)
        return batch if index else batch._replace(mask_TB=torch.zeros_like(batch.mask_TB))


@pytest.mark.parametrize("name", ["som", "batch_som"])
def test_a_batch_that_counts_nothing_moves_nothing(name: str) -> None:
    rows = fit(learner(name), Empty(), steps=2, evaluate_every=1, seed=0, probes=[PROBES["maps"]()])
    rows = [row for row in rows if "probe" not in row]
    assert rows[1]["train_loss"] is None
    assert rows[1]["held_out_loss"] == rows[0]["held_out_loss"]
    assert rows[2]["train_loss"] > 0


def test_outputs_are_the_winners() -> None:
    one = learner("som")
    fit(one, Recall(), **RUN)
    here = (one.transfer_batch_to_device(b, one.device) for b in Recall().held_out())
    for batch, c_TB1 in one.outputs(here):
        expected = one.map.winner(batch.x_TBI.flatten(0, 1)).view(c_TB1.shape)
        assert torch.equal(c_TB1, expected)
