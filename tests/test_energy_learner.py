"""Symmetric networks under a Trainer: their own gradient, resumed bit for bit, seen by probes."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.contracts._recall import Recall
from lightning_modules.energies.estimators import ESTIMATORS
from lightning_modules.energies.estimators.centred import Centred
from lightning_modules.energies.estimators.persistent import Persistent
from lightning_modules.energies.rbm import RBM
from lightning_modules.instruments import InstrumentWarning
from lightning_modules.interfaces import Batch, Task
from lightning_modules.probes import PROBES
from lightning_modules.training.decay import Decay
from lightning_modules.training.energy import EnergyLearner
from lightning_modules.training.fit import fit
from tests.energy_cases import states_of
from tests.probing import value
from tests.test_training_runs import RUN, killed


class Stripes(Task):
    """Pictures of 2×2 that are rows of one value, or which of the rows are on; odd last batches."""

    input_size = 4

    def __init__(self, classes: bool = False):
        self.loss = "cross_entropy" if classes else "squared_error"
        self.output_size = 4
        self.x_NI = states_of(2).repeat_interleave(2, dim=1).float()

    def batch(self, index: int) -> Batch:
        generator = torch.Generator().manual_seed(index)
        size = 3 if index % 4 == 3 else 8
        return self._of(torch.randint(4, (size,), generator=generator))

    def held_out(self) -> Iterator[Batch]:
        yield self._of(torch.arange(4))

    def _of(self, y_B: Tensor) -> Batch:
        x_1BI = self.x_NI[y_B][None]
        flags_1B = torch.ones(1, len(y_B), dtype=torch.bool)
        y_TB = y_B[None] if self.loss == "cross_entropy" else x_1BI
        return Batch(x_1BI, y_TB, flags_1B, flags_1B)


def learner(name: str = "persistent", classes: bool = False, **settings: Any) -> EnergyLearner:
    torch.manual_seed(0)
    estimator = Centred(Persistent()) if name == "centred" else ESTIMATORS[name]()
    net = RBM(4, 6, estimator, classes=4 if classes else 0, spread=1.0)
    task = Stripes(classes)
    given = {"optimizer": "sgd", "learning_rate": 0.3} | settings
    return EnergyLearner(net, task.loss, **given)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "annealed"])
def test_a_run_that_was_killed_goes_on_bit_for_bit(name: str, tmp_path: Any) -> None:
    def run(**saving: Any) -> tuple[Any, list[Tensor]]:
        one = learner(name, anneal=True)
        rows = fit(one, Stripes(), **RUN, **saving, probes=[PROBES["updates"]()])
        return rows, [w.detach() for w in one.parameters()]

    expected = run()
    with killed(of=Stripes):
        run(scratch=tmp_path, checkpoint_every_seconds=0)
    rows, weights = run(scratch=tmp_path)
    assert rows == expected[0]
    assert all(map(torch.equal, weights, expected[1]))


def test_a_run_is_descent_along_what_the_network_learned() -> None:
    one, task = learner(), Stripes()
    net = learner().energy
    fit(one, task, steps=5, evaluate_every=5, seed=4)
    torch.manual_seed(4)
    memory = None
    for index in range(5):
        x_BI = task.batch(index).x_TBI[0]
        learned = net.learn(x_BI, x_BI, memory)
        memory = learned.memory
        with torch.no_grad():
            for w, g in zip(net.parameters(), learned.gradient, strict=True):
                w -= 0.3 * g
    for ours, theirs in zip(one.energy.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(one.memory, memory)


def test_the_exact_gradient_learns_the_distribution() -> None:
    one, task = learner("exact", learning_rate=0.5, anneal=True), Stripes()
    assert isinstance(one.energy, RBM)
    fit(one, task, steps=400, evaluate_every=400, seed=0)
    with torch.no_grad():
        kl = -torch.tensor(4.0).log() - one.energy.log_probability(task.x_NI).mean()
    assert float(kl) < 0.3  # of ln 4 = 1.39 with every state as likely


def test_classes_are_learned_with_what_they_are_of() -> None:
    one = learner("persistent", classes=True, learning_rate=0.1)
    first, *_, last = fit(one, Stripes(classes=True), steps=200, evaluate_every=100, seed=0)
    assert last["held_out_accuracy"] == 1 > first["held_out_accuracy"]
    assert last["held_out_loss"] < 0.7


def test_a_rate_that_is_annealed_ends_at_nothing_and_updates_are_seen() -> None:
    one = learner(anneal=True)
    rows = fit(one, Stripes(), steps=4, evaluate_every=1, seed=0, probes=[PROBES["updates"]()])
    assert one.lr_schedulers().get_last_lr() == [0.0]  # pyright: ignore
    assert value(rows[1:], probe="updates", step=1, parameter="energy.W") > 0
    assert rows[1]["train_loss"] is None


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="the task has 3 inputs and 3 outputs, the network 4"):
        fit(learner(), Recall("squared_error"), **RUN)
    with pytest.raises(ValueError, match="anneal and decay were both given"):
        learner(anneal=True, decay=Decay("l2", 0.1))
    with pytest.raises(ValueError, match="the task streams"):
        fit(learner(), Recall("squared_error", streams=True), **RUN)


def _probed(rate: float, *probes: Any, name: str = "persistent") -> list[Any]:
    one = learner(name, learning_rate=rate)
    return fit(one, Stripes(), steps=100, evaluate_every=50, seed=0, probes=list(probes))


def test_a_probe_shows_an_estimate_beside_the_exact_gradient() -> None:
    exactly = _probed(0.1, PROBES["exactness"](), name="exact")
    assert value(exactly, step=50, quantity="cosine") == pytest.approx(1)
    assert value(exactly, step=50, quantity="norm_ratio") == pytest.approx(1)
    assert value(exactly, step=50, quantity="wrong_sign") == 0
    rows = _probed(0.1, PROBES["exactness"]())
    assert 0 < value(rows, step=50, quantity="cosine") < 1
    assert 0 < value(rows, step=50, quantity="wrong_sign") < 0.5


def test_where_the_exact_gradient_cannot_be_had_the_probe_says_so_and_stands_aside() -> None:
    torch.manual_seed(0)
    net = RBM(4, 21, Persistent(), "gaussian")
    wide = EnergyLearner(net, "squared_error", "sgd", 0.1)
    with pytest.warns(InstrumentWarning, match="stands aside: ValueError: 21 units have too many"):
        fit(wide, Stripes(), **RUN, probes=[PROBES["exactness"]()])


def test_chains_that_are_outrun_raise_an_alarm_and_others_do_not() -> None:
    rows = _probed(0.1, PROBES["chains"]())
    assert 0 < value(rows, step=100, quantity="opened") < 1
    with pytest.warns(InstrumentWarning, match="finds chains outrun: an update opens"):
        _probed(20.0, PROBES["chains"]())
    with pytest.warns(InstrumentWarning, match="sees no chains"):
        assert "chains" not in str(_probed(0.1, PROBES["chains"](), name="exact"))


@pytest.mark.parametrize("probe", ["chains", "exactness", "likelihood"])
def test_probes_of_estimates_change_nothing_and_resume(probe: str, tmp_path: Any) -> None:
    def run(probes: list[Any], **saving: Any) -> tuple[list[Any], list[Tensor]]:
        one = learner()
        rows = fit(one, Stripes(), **RUN, **saving, probes=probes)
        return rows, [w.detach() for w in one.parameters()]

    plain, weights = run([])
    expected, same = run([PROBES[probe](every=3)])
    assert [row for row in expected if "probe" not in row] == plain
    assert all(map(torch.equal, weights, same))
    with killed(of=Stripes):
        run([PROBES[probe](every=3)], scratch=tmp_path, checkpoint_every_seconds=0)
    assert run([PROBES[probe](every=3)], scratch=tmp_path)[0] == expected


def test_a_probe_tells_the_exact_likelihood_of_a_batch() -> None:
    one, task = learner(), Stripes()
    with torch.no_grad():
        assert isinstance(one.energy, RBM)
        expected = float(one.energy.log_probability(task.batch(0).x_TBI[0]).mean())
    rows = fit(one, task, steps=1, evaluate_every=1, seed=0, probes=[PROBES["likelihood"]()])
    assert value(rows, probe="likelihood", quantity="log_p") == pytest.approx(expected)
