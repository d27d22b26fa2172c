"""One network trained under one cure, as both parts of the study do it.

All matrices of weights start from a normal distribution of the given deviation, all biases at 0,
as in Pascanu et al. (2013); each update is plain gradient descent on a batch of whole sequences.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.probes._base import Probe
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.tasks import TASKS

DATA = {"next_character": "tiny_shakespeare"}
"""Tasks that read a data set, and which."""


def train(
    *,
    task: str,
    dataset: str | None,
    data: Mapping[str, Any],
    cell: str,
    algorithm: str,
    hidden_size: int,
    deviation: float,
    batch_size: int,
    length: int,
    held_out_size: int,
    learning_rate: float,
    clip: str | None,
    threshold: float | None,
    decay: str | None,
    strength: float | None,
    steps: int,
    evaluate_every: int,
    probes: Sequence[Probe],
    seed: int,
    scratch: Path,
) -> list[dict[str, Any]]:
    """Return a row for each evaluation, with what the probes measured since the one before."""
    torch.manual_seed(seed)
    source: Any = TASKS[task](
        *([data[dataset]] if dataset else []),
        seed=seed,
        batch_size=batch_size,
        length=length,
        held_out_size=held_out_size,
    )
    learner = SequenceLearner(
        cell=CELLS[cell](source.input_size, hidden_size),
        output_size=source.output_size,
        loss=source.loss,
        algorithm=ALGORITHMS[algorithm](),
        update_every=None,
        optimizer="sgd",
        learning_rate=learning_rate,
        clip=_built(Clip, clip, threshold),
        decay=_built(Decay, decay, strength),
    )
    for w in learner.parameters():
        nn.init.normal_(w, 0.0, deviation) if w.dim() > 1 else nn.init.zeros_(w)
    rows = fit(
        learner,
        source,
        steps=steps,
        evaluate_every=evaluate_every,
        seed=seed,
        scratch=scratch,
        probes=probes,
    )
    return _folded(rows)


def called(
    clip: str | None, threshold: float | None, decay: str | None, strength: float | None
) -> str:
    """Return what a cure is called: its kinds, each with its number."""
    given = [
        f"{kind} {number:g}"
        for kind, number in ((clip, threshold), (decay, strength))
        if kind and number
    ]
    return ", ".join(given) or "none"


def _built(kind_of: type[Any], kind: str | None, number: float | None) -> Any:
    """Return the cure of that kind, or None."""
    return kind_of(kind, number) if kind else None


def _folded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the evaluations, each with the quantities that were probed before it."""
    folded: list[dict[str, Any]] = []
    for row in rows:
        if "probe" in row:
            folded[-1][row["quantity"]] = row["value"]
        else:
            folded.append(dict(row))
    return folded
