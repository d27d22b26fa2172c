"""What a training run is to its caller: rows, resumption, silence, and clear refusals."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.cells.srn import SRN
from lightning_modules.contracts._recall import HELD_OUT, Recall
from lightning_modules.interfaces import Algorithm, Batch, Claim, Run, Task
from lightning_modules.networks.unrolled import Unrolled
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from tests.test_training import sequence_learner

RUN: dict[str, Any] = {"steps": 12, "evaluate_every": 5, "seed": 3}


def changed(**values: Any) -> dict[str, Any]:
    return RUN | values


class Noisy(Algorithm):
    """A gradient plus noise, so that a run depends on the random generator."""

    claim = Claim.UNBIASED

    def __init__(self, inner: type[Algorithm] = RTRL):
        self.inner = inner()

    def run(self, cell, x_TBI, s_BS, credit, memory=None, resets_TB=None) -> Run:
        run = self.inner.run(cell, x_TBI, s_BS, credit, memory, resets_TB)
        return run._replace(gradient_P=run.gradient_P + torch.randn_like(run.gradient_P))


class Dropped(nn.Module):
    """An unrolled network whose inputs are dropped at random in training."""

    def __init__(self):
        super().__init__()
        self.drop, self.network = nn.Dropout(0.3), Unrolled(SRN(3, 8), 2)

    def forward(self, x_TBI: torch.Tensor) -> torch.Tensor:
        return self.network(self.drop(x_TBI))


@contextlib.contextmanager
def killed(at: int = 8, of: type[Task] = Recall) -> Iterator[None]:
    """Have batch number 8 of a kind of task not come, once, while the block runs."""
    whole = of.batch

    def batch(self: Task, index: int) -> Batch:
        if index == at:
            raise RuntimeError("killed")
        return whole(self, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of, "batch", batch)
        with pytest.raises(RuntimeError, match="killed"):
            yield


def online(inner: type[Algorithm] = RTRL) -> SequenceLearner:
    settings = {"update_every": 2, "optimizer": "adam", "learning_rate": 0.01}
    return sequence_learner(Recall(streams=True), partial(Noisy, inner), **settings)


def dropped(**settings: Any) -> BackpropLearner:
    torch.manual_seed(0)
    return BackpropLearner(Dropped(), "cross_entropy", "adam", 0.01, **settings)


BUILDS = {inner.__name__: partial(online, inner) for inner in (BPTT, TBPTT, RTRL, BlockedRTRL)}


NETWORKS = {"back-propagation": dropped, "annealed": partial(dropped, anneal=True)}


@pytest.mark.parametrize(
    ("build", "streams"),
    [
        *((build, True) for build in BUILDS.values()),
        *((build, False) for build in NETWORKS.values()),
    ],
    ids=[*BUILDS, *NETWORKS],
)
def test_a_run_that_broke_off_and_resumed_gives_the_same_rows_bit_for_bit(build, streams, tmp_path):
    whole, resumed = build(), build()
    expected = fit(whole, Recall(streams=streams), **RUN)
    with killed():
        fit(build(), Recall(streams=streams), **RUN, scratch=tmp_path, checkpoint_every_seconds=0)
    task = Recall(streams=streams)
    assert fit(resumed, task, **RUN, scratch=tmp_path) == expected
    assert [i for i in task.served if i < HELD_OUT] == [8, 9, 10, 11], "only the rest was trained"
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict(), rtol=0, atol=0)


def test_a_killed_process_leaves_a_checkpoint_that_another_goes_on_from(tmp_path):
    script = (
        "import os, pathlib; from tests.test_training_runs import *\n"
        "whole = Recall.batch\n"
        "Recall.batch = lambda s, i: os.kill(os.getpid(), 9) if i == 8 else whole(s, i)\n"
        f"fit(online(), Recall(streams=True), **RUN, scratch=pathlib.Path({str(tmp_path)!r}),"
        " checkpoint_every_seconds=0)"
    )
    root = pathlib.Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", script], cwd=root).returncode == -signal.SIGKILL
    task = Recall(streams=True)
    assert fit(online(), task, **RUN, scratch=tmp_path) == fit(online(), task, **RUN)
    assert task.served[0] == 8


def test_a_checkpoint_half_written_is_never_taken_for_one(tmp_path, monkeypatch):
    def torn(file: int) -> None:
        os.write(file, b"half")
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", torn)
    with pytest.raises(OSError, match="disk full"):
        fit(online(), Recall(streams=True), **RUN, scratch=tmp_path, checkpoint_every_seconds=0)
    assert not list(tmp_path.glob("*.ckpt"))


def test_a_run_depends_on_its_seed_alone():
    task = Recall(streams=True)
    rows = fit(online(), task, **RUN)
    torch.manual_seed(99)
    learner = online()
    assert fit(learner, task, **RUN) == rows
    assert fit(online(), task, **changed(seed=4)) != rows


def test_rows_come_at_the_start_at_every_interval_and_at_the_end():
    rows = fit(online(), Recall(streams=True), **RUN)
    assert [row["step"] for row in rows] == [0, 5, 10, 12]
    assert [row["examples"] for row in rows] == [0, 20, 40, 48]
    assert not any(row["diverged"] for row in rows)


def test_how_often_it_is_evaluated_does_not_change_a_run():
    task = Recall(streams=True)
    seldom, often = online(), online()
    last = fit(seldom, task, **RUN)[-1]
    rows = fit(often, task, **changed(evaluate_every=1))
    assert rows[-1]["held_out_loss"] == last["held_out_loss"]
    torch.testing.assert_close(seldom.state_dict(), often.state_dict(), rtol=0, atol=0)


def test_lightning_counts_batches_however_often_the_weights_move():
    learner = online()
    fit(learner, Recall(streams=True), **RUN)
    assert learner.global_step == 12


def test_a_short_run_says_nothing_and_leaves_no_file(tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.chdir(tmp_path)
    fit(online(), Recall(streams=True), **RUN, scratch=tmp_path / "scratch")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adma"}, "'adma' is not one of the optimizers: did you mean 'adam'?"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0: it must be finite and above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"update_every": 0}, "update_every is 0: it must be at least 1, or None"),
    ],
)
def test_a_learner_says_what_it_cannot_be(changes, message):
    with pytest.raises((KeyError, ValueError)) as error:
        sequence_learner(Recall(), **changes)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_run_says_what_it_cannot_do():
    with pytest.raises(ValueError, match="steps is 0: it must be at least 1"):
        fit(online(), Recall(streams=True), **changed(steps=0))
    with pytest.raises(ValueError, match="loss is squared_error, the learner's cross_entropy"):
        fit(online(), Recall("squared_error"), **RUN)
    with pytest.raises(ValueError, match="the task streams, but a network keeps no state"):
        fit(dropped(), Recall(streams=True), **RUN)
