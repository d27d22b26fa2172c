"""Checkpoints: of one run alone, whole or set aside, and never code."""

import hashlib
import os
import pathlib
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.cells.diagonal import Diagonal
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Algorithm, Cell, Claim, Run
from lightning_modules.probes import PROBES
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.checkpoints import MAGIC, Checkpoints
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from tests.test_training import sequence_learner
from tests.test_training_runs import RUN, killed

SAVING: dict[str, Any] = {"checkpoint_every_seconds": 0}
UNIT: dict[str, Callable[[], Cell]] = {
    "srn": lambda: SRN(3, 4),
    "stack": lambda: Stack([SRN(3, 4), LSTM(4, 4)]),
    "diagonal": lambda: Diagonal(3, 4),
}


def of(algorithm: Algorithm, cell: str = "srn") -> SequenceLearner:
    torch.manual_seed(0)
    settings: dict[str, Any] = {"update_every": 2, "optimizer": "adam", "learning_rate": 0.01}
    learner = SequenceLearner(UNIT[cell]().double(), 2, "cross_entropy", algorithm, **settings)
    return learner.double()


def on(name: str) -> str:
    return {"diagonal_rtrl": "diagonal", "tbptt": "stack", "blocked_rtrl": "stack"}.get(name, "srn")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_memory_of_every_algorithm_is_gone_on_from_bit_for_bit(
    name: str, tmp_path: Any
) -> None:
    def run(**saving: Any) -> Any:
        task = Recall(streams=True)
        learner = of(ALGORITHMS[name](), on(name))
        rows = fit(learner, task, steps=6, evaluate_every=3, seed=0, scratch=tmp_path, **saving)
        return rows, learner.state_dict(), task.served

    rows, weights, _ = run()
    with killed(at=4):
        run(**SAVING)
    (saved,) = tmp_path.glob("*.ckpt")
    held = Checkpoints(of(ALGORITHMS[name](), on(name)).records()).load_checkpoint(saved)
    assert (held["stream"][1] is None) == (name in ("bptt", "reservoir"))
    again, resumed, served = run()
    assert min(served) == 4
    assert again == rows
    torch.testing.assert_close(resumed, weights, rtol=0, atol=0)


def begun(folder: pathlib.Path) -> pathlib.Path:
    """Leave the checkpoint of a run that was killed in a folder."""
    with killed():
        fit(sequence_learner(Recall()), Recall(), **RUN, scratch=folder, **SAVING)
    (path,) = folder.glob("*.ckpt")
    return path


class Planted:
    """What runs a command when it is unpickled the usual way."""

    def __init__(self, marker: pathlib.Path):
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def whole(content: bytes) -> bytes:
    return MAGIC + hashlib.sha256(content).digest() + content


@pytest.mark.parametrize("kind", ["bare pickle", "torch", "in the stream"])
def test_a_planted_checkpoint_runs_no_code_and_is_set_aside(kind: Any, tmp_path: Any) -> None:
    path, marker = begun(tmp_path), tmp_path / "marker"
    if kind == "bare pickle":
        path.write_bytes(whole(pickle.dumps(Planted(marker))))
    else:
        held = Checkpoints([slice]).load_checkpoint(path)
        held["stream" if kind == "in the stream" else "more"] = (Planted(marker), None)
        torch.save(held, path)
        path.write_bytes(whole(path.read_bytes()))
    expected = fit(sequence_learner(Recall()), Recall(), **RUN)
    with pytest.warns(UserWarning, match="set aside as .*the run starts anew") as warned:
        rows = fit(sequence_learner(Recall()), Recall(), **RUN, scratch=tmp_path)
    assert rows == expected
    assert not marker.exists()
    assert all("\n" not in str(one.message) for one in warned)
    assert list(tmp_path.glob("*.damaged"))


@pytest.mark.parametrize("damage", ["cut", "one bit", "empty", "another format"])
def test_a_damaged_checkpoint_is_set_aside_and_the_run_starts_anew(
    damage: Any, tmp_path: Any
) -> None:
    path = begun(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = {
        "cut": path.read_bytes()[:-100],
        "one bit": bytes(content),
        "empty": b"",
        "another format": path.read_bytes()[len(MAGIC) + 32 :],
    }[damage]
    path.write_bytes(damaged)
    expected, task = fit(sequence_learner(Recall()), Recall(), **RUN), Recall()
    with pytest.warns(UserWarning, match="cannot be read and was set aside"):
        assert fit(sequence_learner(Recall()), task, **RUN, scratch=tmp_path) == expected
    assert 0 in task.served


CHANGES: dict[str, dict[str, Any]] = {
    "the learning rate": {"learning_rate": 0.2},
    "the optimizer": {"optimizer": "adam"},
    "the clip": {"clip": Clip("norm", 0.1)},
    "the decay": {"decay": Decay("l2", 0.1)},
    "how often it updates": {"update_every": 3},
    "the algorithm": {"algorithm": TBPTT},
    "an option of the algorithm": {"algorithm": lambda: TBPTT(3)},
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_run_in_the_same_folder_starts_anew(what: str, tmp_path: Any) -> None:
    if what == "an option of the algorithm":
        with killed():
            fit(sequence_learner(Recall(), TBPTT), Recall(), **RUN, scratch=tmp_path, **SAVING)
    else:
        begun(tmp_path)
    task = Recall()
    rows = fit(sequence_learner(Recall(), **CHANGES[what]), task, **RUN, scratch=tmp_path)
    assert rows == fit(sequence_learner(Recall(), **CHANGES[what]), Recall(), **RUN)
    assert 0 in task.served


def test_another_start_task_probe_or_frozen_weight_is_another_run(tmp_path: Any) -> None:
    begun(tmp_path)
    started, frozen = sequence_learner(Recall()), sequence_learner(Recall())
    nn.init.zeros_(started.cell.get_parameter("W"))
    frozen.cell.get_parameter("W").requires_grad_(False)
    short, plain = Recall(length=5), sequence_learner(Recall())
    probe = [PROBES["updates"](every=2)]
    for learner, task, probes in (
        (started, Recall(), []),
        (frozen, Recall(), []),
        (sequence_learner(Recall()), short, []),
        (plain, Recall(), probe),
    ):
        fit(learner, task, **RUN, scratch=tmp_path, probes=probes)
        assert 0 in task.served
    same = Recall()
    fit(sequence_learner(Recall()), same, **RUN, scratch=tmp_path)
    assert min(same.served) == 8


def test_a_network_with_another_option_is_another_run(tmp_path: Any) -> None:
    def of_drop(p: float) -> BackpropLearner:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.Dropout(p), nn.Linear(4, 2))
        return BackpropLearner(network, "cross_entropy", "sgd", 0.1)

    with killed():
        fit(of_drop(0.1), Recall(), **RUN, scratch=tmp_path, **SAVING)
    other, same = Recall(), Recall()
    fit(of_drop(0.2), other, **RUN, scratch=tmp_path)
    fit(of_drop(0.1), same, **RUN, scratch=tmp_path)
    assert 0 in other.served
    assert min(same.served) == 8


class Holding(Algorithm):
    """An algorithm whose memory holds code."""

    claim = Claim.EXACT

    def run(self, cell, x_TBI, s_BS, credit, memory=None, resets_TB=None) -> Run:
        run = BPTT().run(cell, x_TBI, s_BS, credit, None, resets_TB)
        return run._replace(memory=print)


def test_a_memory_that_could_not_be_read_again_is_refused_when_it_is_written(
    tmp_path: Any,
) -> None:
    learner = sequence_learner(Recall(), Holding)
    with pytest.raises(TypeError, match=r"would hold builtins\.print: let"):
        fit(learner, Recall(), **RUN, scratch=tmp_path, **SAVING)
    assert not list(tmp_path.iterdir())


def test_a_run_leaves_generators_and_torchs_settings_as_it_found_them(monkeypatch: Any) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    torch.use_deterministic_algorithms(True, warn_only=True)

    def found() -> list[Any]:
        numbers = np.random.get_state()
        return [
            torch.get_rng_state().tolist(),
            random.getstate(),
            [part.tolist() if isinstance(part, np.ndarray) else part for part in numbers],
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
        ]

    try:
        for learner, broken in ((sequence_learner(Recall()), False), (of(BPTT()), True)):
            torch.manual_seed(7)
            before = found()
            if broken:
                with killed(at=2):
                    fit(learner, Recall(), **RUN)
            else:
                fit(learner, Recall(), **RUN)
            assert found() == before
    finally:
        torch.use_deterministic_algorithms(False)


def test_training_that_ends_early_is_an_error_whoever_raised_stop_iteration() -> None:
    class Stops(Recall):
        def batch(self, index: int) -> Any:
            if index == 5:
                next(iter(()))
            return super().batch(index)

    with pytest.raises(RuntimeError, match="StopIteration"):
        fit(sequence_learner(Recall()), Stops(), **RUN)

    class Quits(Algorithm):
        claim, runs = Claim.EXACT, 0

        def run(self, cell, x_TBI, s_BS, credit, memory=None, resets_TB=None) -> Run:
            self.runs += 1
            if self.runs == 4:
                next(iter(()))
            return BPTT().run(cell, x_TBI, s_BS, credit, None, resets_TB)

    with pytest.raises(RuntimeError, match=r"went through \d+ of 12 batches"):
        fit(sequence_learner(Recall(), Quits), Recall(), **RUN)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"steps": 2.5}, "steps is 2.5: it must be a whole number"),
        ({"steps": True}, "steps is True: it must be a whole number"),
        ({"steps": "12"}, "steps is '12': it must be a whole number"),
        ({"evaluate_every": 0}, "evaluate_every is 0: it must be at least 1"),
        ({"evaluate_every": 2.0}, "evaluate_every is 2.0: it must be a whole number"),
        ({"seed": 1.5}, "seed is 1.5: it must be a whole number"),
        ({"seed": -1}, "seed is -1: it must be at least 0"),
        ({"checkpoint_every_seconds": -1}, "checkpoint_every_seconds is -1: it must be finite"),
    ],
)
def test_numbers_that_cannot_be_are_refused_before_anything_is_done(change: Any, says: str) -> None:
    learner, task = sequence_learner(Recall()), Recall()
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match=says) as error:
        fit(learner, task, **(RUN | change))
    assert "\n" not in str(error.value)
    assert torch.equal(torch.get_rng_state(), state)
    assert not task.served


@pytest.mark.parametrize("name", ["update_every", "learning_rate"])
@pytest.mark.parametrize("value", [2.5, "2", True, float("nan")])
def test_a_learners_numbers_are_numbers(name: str, value: Any) -> None:
    if name == "learning_rate" and value == 2.5:
        return
    with pytest.raises(ValueError, match=f"{name} is"):
        sequence_learner(Recall(), **{name: value})
