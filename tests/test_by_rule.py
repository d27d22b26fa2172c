"""Learning by a rule under a Trainer: it is the rule alone, it resumes, and probes see it."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Batch, Task
from lightning_modules.probes import PROBES
from lightning_modules.rules import RULES
from lightning_modules.training.by_rule import RuleLearner
from lightning_modules.training.fit import fit
from tests.probing import value
from tests.rule_cases import network_for
from tests.test_training_runs import RUN, killed


def learner(name: str = "classical_backpropagation", loss: str = "cross_entropy", **settings: Any):
    network = network_for(name, 2 if loss == "cross_entropy" else 3)
    given = {"rate": 0.5, "decay": 0.2, "enough": None, "epoch": 30} | settings
    return RuleLearner(network, RULES[name](**given), loss).double()


def examples(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return a batch's counted inputs and their classes as targets."""
    t_NO = torch.eye(2)[batch.y_TB[batch.mask_TB]].double()
    return batch.x_TBI[batch.mask_TB].double(), t_NO


@pytest.mark.parametrize("name", RULES)
def test_a_run_is_the_rule_going_through_the_counted_examples(name: str) -> None:
    task, one = Recall(), learner(name)
    network, rule = copy.deepcopy(one.network), copy.deepcopy(one.rule)
    rows = fit(one, task, steps=4, evaluate_every=1, seed=0)
    for index in range(4):
        seen = rule.learn(network, *examples(task.batch(index)))
        assert rows[index + 1]["train_loss"] == pytest.approx(seen.loss / seen.examples)
    for ours, theirs in zip(one.network.parameters(), network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    held = [examples(batch) for batch in task.held_out()]
    x_NI, t_NO = (torch.cat(parts) for parts in zip(*held, strict=True))
    with torch.no_grad():
        z_NO = rule.outputs(network, x_NI)
    right = (z_NO.argmax(1) == t_NO.argmax(1)).double().mean()
    assert rows[-1]["held_out_accuracy"] == pytest.approx(float(right))
    assert rows[-1]["held_out_loss"] == pytest.approx(float(rule.loss(z_NO, t_NO)) / len(z_NO))


def test_values_are_targets_as_they_are() -> None:
    one = learner(loss="squared_error")
    rows = fit(one, Recall("squared_error"), steps=2, evaluate_every=1, seed=0)
    assert rows[-1]["held_out_accuracy"] is None
    assert rows[-1]["held_out_loss"] > 0


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("still", [None, 1e-9])
def test_a_run_that_was_killed_goes_on_bit_for_bit(name: str, still: Any, tmp_path: Any) -> None:
    seen = ["updates", "activations"] + (["error_flow"] if RULES[name].has_errors else [])

    def run(task: Task, **saving: Any) -> tuple[Any, list[Tensor], Any]:
        one = learner(name, still=still)
        rows = fit(one, task, **RUN, **saving, probes=[PROBES[probe]() for probe in seen])
        return rows, [w.detach() for w in one.parameters()], one.rule.epochs

    expected = run(Recall())
    with killed():
        run(Recall(), scratch=tmp_path, checkpoint_every_seconds=0)
    rows, weights, epochs = run(Recall(), scratch=tmp_path)
    assert rows == expected[0]
    assert epochs == expected[2] > 0
    assert all(map(torch.equal, weights, expected[1]))


class Easy(Recall):
    """The sign of the first entry of the present step."""

    def batch(self, index: int) -> Batch:
        x_TBI, mask_TB, resets_TB = self._draw(0 if index < 1000 else index)
        return Batch(x_TBI, (x_TBI[..., 0] > 0).long(), mask_TB, resets_TB)


def test_once_settled_nothing_moves_and_the_learner_says_since_when() -> None:
    size = int(Easy().batch(0).mask_TB.sum())
    one = learner("perceptron_rule", decay=0.0, enough=1.0, epoch=size)
    rows = fit(one, Easy(), steps=60, evaluate_every=1, seed=0)
    at = one.rule.settled_at
    assert at is not None
    assert at < 60 * size
    batches = at // size
    losses = [row["held_out_loss"] for row in rows]
    assert losses[batches:] == [losses[-1]] * (61 - batches)
    assert rows[batches + 1]["train_loss"] is None  # nothing was learned from
    never = learner("perceptron_rule", enough=1.0)
    fit(never, Recall(), steps=3, evaluate_every=3, seed=0)
    assert never.rule.settled_at is None


def test_probes_see_a_batch_as_one_update_with_its_errors() -> None:
    task, one = Recall(), learner(decay=0.0, rate=1e-6)  # next to no move, so all at once
    network = copy.deepcopy(one.network)
    probes = [PROBES[name]() for name in ("updates", "error_flow", "clipping", "activations")]
    rows = fit(one, task, steps=1, evaluate_every=1, seed=0, probes=probes)
    made: dict[str, Tensor] = {}
    for name, module in network.named_children():
        module.register_forward_hook(lambda _, __, h, name=name: made.update({name: h}))
    x_NI, t_NO = examples(task.batch(0))
    loss = (network(x_NI) - t_NO).square().sum() / 2 / len(x_NI)
    gradients = torch.autograd.grad(loss, [*made.values(), *network.parameters()])
    for name, g in zip(made, gradients, strict=False):
        assert value(rows, probe="error_flow", module=name) == pytest.approx(
            float(g.norm()), rel=1e-4
        )
    norm = torch.stack([g.norm() for g in gradients[len(made) :]]).norm()
    assert value(rows, probe="clipping", quantity="norm") == pytest.approx(float(norm), rel=1e-4)
    for (name, w), g in zip(network.named_parameters(), gradients[len(made) :], strict=True):
        ratio = 1e-6 * len(x_NI) * g.norm() / w.detach().norm()
        told = value(rows, probe="updates", parameter=f"network.{name}")
        assert told == pytest.approx(float(ratio), rel=1e-4)
    assert value(rows, probe="activations", module="hidden1", quantity="spread") > 0


def test_a_rule_without_errors_refuses_a_probe_of_them() -> None:
    with pytest.raises(ValueError, match="error_flow sees errors, but PerceptronRule has none"):
        fit(learner("perceptron_rule"), Recall(), **RUN, probes=[PROBES["error_flow"]()])


def test_a_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="the task streams, but a network keeps no state"):
        fit(learner(), Recall(streams=True), **RUN)


class Empty(Recall):
    """Nothing counts in the first batch."""

    def batch(self, index: int) -> Batch:
        batch = super().batch(index)
        return batch if index else batch._replace(mask_TB=torch.zeros_like(batch.mask_TB))

    def held_out(self) -> Iterator[Batch]:
        yield from ()


def test_a_batch_that_counts_nothing_moves_nothing() -> None:
    rows = fit(learner(), Empty(), steps=2, evaluate_every=1, seed=0)
    assert rows[1]["train_loss"] is None
    assert rows[2]["train_loss"] > 0
    assert rows[2]["held_out_loss"] is None
