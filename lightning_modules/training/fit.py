"""One training run: the one place where a Trainer is made."""

import contextlib
import logging
import os
import pathlib
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Trainer

from lightning_modules.checks import above, whole
from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.checkpoints import Checkpoints
from lightning_modules.training.identity import identity
from lightning_modules.training.learner import Learner
from lightning_modules.training.recorder import Recorder, Row, Saver

# Hardware and stop messages of every trial would drown the study's own progress.
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
NOT_OURS = (
    # Lightning 2.6 takes trees apart by a class that torch 2.13 deprecates.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    # Said of accelerator="cpu" on a machine with a GPU: it was asked for.
    "GPU available but not used",
    # A layer that the user froze in evaluation mode: it is meant, and stays so.
    r"Found \d+ module\(s\) in eval mode at the start of training",
)


def fit(
    learner: Learner,
    task: Task,
    *,
    steps: int,
    evaluate_every: int,
    seed: int,
    scratch: pathlib.Path | None = None,
    accelerator: str = "auto",
    checkpoint_every_seconds: float = 60.0,
    probes: Sequence[Instrument] = (),
) -> list[Row]:
    """Train a learner for ``steps`` batches and return one row for each evaluation.

    The rows are a function of the learner, its weights, the task and the seed. With a folder
    ``scratch``, a run that was killed resumes from its last checkpoint, and its rows are those of
    an uninterrupted run. A checkpoint is named after all that the rows are a function of, and the
    probes, so a different run in the same folder starts anew. One that cannot be read is set aside
    with a warning. Random generators and torch's settings are left as they were found.

    Returns:
        Rows of step, examples, train_loss (mean since the row before; None at step 0),
        held_out_loss, held_out_accuracy (None where targets are values) and diverged. A run that
        diverges ends with the row that says so, its losses None. What ``probes`` measured since
        the evaluation before comes after each, as rows of probe, step, quantity and value.

    Raises:
        ValueError: a number is out of range; a probe can see nothing of this learner; a batch does
            not fit.
        RuntimeError: training ended before its last batch, though it did not diverge.
    """
    whole(1, steps=steps, evaluate_every=evaluate_every)
    whole(0, seed=seed)
    above(0, or_equal=True, checkpoint_every_seconds=checkpoint_every_seconds)
    learner.begin(task)
    recorder, saver = Recorder(task, steps, evaluate_every, probes), []
    checkpoints, resume = Checkpoints(learner.records()), None
    if scratch is not None:
        of = identity(learner.described(), task, list(probes))
        path = scratch / f"seed-{seed}-steps-{steps}-every-{evaluate_every}-{of}.ckpt"
        saver = [Saver(path, checkpoint_every_seconds)]
        resume = str(path) if checkpoints.usable(path) else None
    with _seeded(seed, accelerator), _deterministic(), warnings.catch_warnings():
        for message in NOT_OURS:
            warnings.filterwarnings("ignore", message)
        trainer = _trainer([*probes, recorder, *saver], accelerator, checkpoints)
        supply = _Supply(task, learner, steps)
        trainer.fit(learner, supply, ckpt_path=resume, weights_only=True)
    if learner.books.batches < steps and not learner.books.diverged:
        raise RuntimeError(
            f"training went through {learner.books.batches} of {steps} batches: something that it "
            "called raised StopIteration, which Lightning takes for the end of the data"
        )
    return recorder.rows


@contextlib.contextmanager
def _seeded(seed: int, accelerator: str) -> Iterator[None]:
    """Have torch's own generators start from a seed while the block runs, then as they were."""
    here = accelerator == "cpu" or not torch.cuda.is_available()
    devices = [] if here else list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices):
        if accelerator == "cpu":  # a GPU that nobody uses is left alone
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    """Use deterministic algorithms while the block runs.

    Trainer(deterministic=True) would leave them on, and slow down whatever this process does next.
    """
    options: Any = torch.utils.deterministic
    enabled = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    fills, workspace = options.fill_uninitialized_memory, os.environ.get(WORKSPACE)
    os.environ.setdefault(WORKSPACE, ":4096:8")
    torch.use_deterministic_algorithms(True)
    options.fill_uninitialized_memory = False  # a pass over every new tensor
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warns)
        options.fill_uninitialized_memory = fills
        if workspace is None:
            os.environ.pop(WORKSPACE, None)


def _trainer(callbacks: list[Any], accelerator: str, checkpoints: Checkpoints) -> Trainer:
    """Return a Trainer without anything that costs time a step or leaves files behind."""
    return Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=1,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        # A trial is one process, also where the machine's scheduler describes many.
        plugins=[LightningEnvironment(), checkpoints],
        default_root_dir=tempfile.gettempdir(),
    )


class _Supply:
    """The task's batches from the learner's next one on, as Lightning's data loader."""

    def __init__(self, task: Task, learner: Learner, steps: int):
        self._task, self._learner, self._steps = task, learner, steps

    def __len__(self) -> int:
        """Count all batches of the run, which spares Lightning fetching one ahead."""
        return self._steps

    def __iter__(self) -> Iterator[Batch]:
        """Iterate from where a checkpoint left off; a task that stops early is an error."""
        for index in range(self._learner.books.batches, self._steps):
            yield self._task.batch(index)

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the learner's own count says where to go on."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Tell Lightning that this loader can resume."""
