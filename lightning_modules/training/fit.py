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

from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.learner import Learner
from lightning_modules.training.recorder import Recorder, Row, Saver

# Hardware and stop messages of every trial would drown the study's own progress.
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)

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

    The rows are a function of the learner's weights, the task and the seed. With a folder
    ``scratch`` of its own, a run that was killed goes on from its last checkpoint, and its rows
    are those of a run that was not.

    Returns:
        Rows of step, examples, train_loss (mean since the row before; None at step 0),
        held_out_loss, held_out_accuracy (None where targets are values) and diverged. A run that
        diverges ends with the row that says so, its losses None. What ``probes`` measured since
        the evaluation before comes after each, as rows of probe, step, quantity and value.

    Raises:
        ValueError: ``steps`` or ``evaluate_every`` is below 1, or a probe sees nothing of this
            learner.
    """
    for name, value in (("steps", steps), ("evaluate_every", evaluate_every)):
        if value < 1:
            raise ValueError(f"{name} is {value}: it must be at least 1")
    torch.manual_seed(seed)
    learner.begin(task)
    recorder, saver = Recorder(task, steps, evaluate_every, probes), []
    path = scratch and scratch / f"seed-{seed}-steps-{steps}-every-{evaluate_every}.ckpt"
    if path:
        saver = [Saver(path, checkpoint_every_seconds)]
    resume = str(path) if path and path.exists() else None
    with _deterministic(), warnings.catch_warnings():
        for message in NOT_OURS:
            warnings.filterwarnings("ignore", message)
        trainer = _trainer([*probes, recorder, *saver], accelerator)
        supply = _Supply(task, learner, steps)
        trainer.fit(learner, supply, ckpt_path=resume, weights_only=False)
    return recorder.rows


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    """Use deterministic algorithms while the block runs.

    Trainer(deterministic=True) would leave them on, and slow down whatever this process does next.
    """
    options: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), options.fill_uninitialized_memory
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    options.fill_uninitialized_memory = False  # a pass over every new tensor
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        options.fill_uninitialized_memory = before[1]


def _trainer(callbacks: list[Any], accelerator: str) -> Trainer:
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
        plugins=[LightningEnvironment()],
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
        """Iterate from where a checkpoint left off."""
        return map(self._task.batch, range(self._learner.books.batches, self._steps))

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the learner's own count says where to go on."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Tell Lightning that this loader can resume."""
