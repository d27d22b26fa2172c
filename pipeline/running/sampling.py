"""Continuing a text with a model of the study ``language_model``, whose weights are kept.

A trial leaves rows and nothing else. So the model of a trial is trained once more here, as the
trial describes it, and its weights are kept below ``.scratch/models``. Their file is named by the
trial's hash, of parameters, data, versions and code: if one of these changes, the model is trained
again.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_modules.registry import nearest
from pipeline.errors import UserError
from pipeline.running.jobs import SCRATCH, job
from pipeline.study import Entries, Given, datasets_of

if TYPE_CHECKING:
    from pipeline.params import Settings
    from pipeline.running.jobs import Job

STUDY, PARTS = "language_model", ("characters", "words")
MODELS = "models"


def sample(
    settings: "Settings",
    text: str,
    *,
    part: str,
    model: str | None,
    length: int,
    temperature: float,
    seed: int,
    train: bool,
) -> str:
    """Return ``length`` tokens by which a model continues ``text``, without the text itself.

    Raises:
        UserError: there is no such model, no weights of it are kept and it is not to be trained,
            its data are not there, or it cannot read the text.
    """
    if part not in PARTS:
        raise UserError(f"{part!r} is no part with models: {nearest(part, PARTS)}")
    of = job(settings, STUDY)
    entries = _chosen(of, part, model)
    missing = [name for name in datasets_of(entries) if not of.data[name].sha256]
    if missing:
        raise UserError(f"{missing[0]} is not there: python -m pipeline fetch {missing[0]}")
    path = SCRATCH / MODELS / f"{of.hash_of(entries)}.pt"
    if not path.exists() and not train:
        raise UserError(
            f"no weights of {part}, {entries['model']}, scale {of.scale} are kept: --train trains "
            f"it, which takes as long as its trial; or name another: {_names(of, part)}"
        )
    own = {name: value for name, value in entries.items() if name != "part"}
    trial: Any = of.study.part_of(entries).trial.model_validate(own)
    data = {name: of.data[name].read() for name in datasets_of(entries)}
    if not path.exists():
        _train(trial, data, path)
    return _continued(trial, data, path, text, length, temperature, seed)


def _chosen(of: "Job", part: str, model: str | None) -> Entries:
    """Return the trial of seed 0 that learns ``model``; if None, the last model in the file."""
    models = {str(entries["model"]): entries for entries in _learned(of, part)}
    if model is None:
        return models[next(reversed(models))]
    if model not in models:
        raise UserError(f"{model!r} is no model of {part}: {nearest(model, models)}")
    return models[model]


def _learned(of: "Job", part: str) -> Iterator[Entries]:
    """Iterate over the trials of a part that learn a model, of seed 0."""
    for entries in of.trials.values():
        if (entries["part"], entries.get("kind"), entries["seed"]) == (part, "learned", 0):
            yield entries


def _names(of: "Job", part: str) -> str:
    """Return the names of a part's models."""
    return ", ".join(str(entries["model"]) for entries in _learned(of, part))


def _train(trial: Any, data: dict[str, Any], path: Path) -> None:
    """Train, from a checkpoint if training was interrupted, and save the weights."""
    import shutil

    import torch

    scratch = path.with_suffix("")
    scratch.mkdir(parents=True, exist_ok=True)
    learner, _, rows = trial.fit(Given(data, scratch))
    if [row for row in rows if "probe" not in row][-1]["diverged"]:
        raise UserError(f"{trial.model} diverged in training: there is nothing to sample from")
    partial = path.with_suffix(f".{os.getpid()}.partial")
    torch.save(learner.network.cpu().state_dict(), partial)
    partial.replace(path)
    with contextlib.suppress(OSError):
        shutil.rmtree(scratch)


def _continued(
    trial: Any,
    data: dict[str, Any],
    path: Path,
    text: str,
    length: int,
    temperature: float,
    seed: int,
) -> str:
    """Return the continuation of ``text`` by the model whose weights are at ``path``."""
    import torch

    from pipeline.measuring.sampling import continued

    source = trial.source_of(Given(data, path.parent))
    network = trial.learner_of(source).network
    network.load_state_dict(torch.load(path, weights_only=True))
    try:
        read = source.numbers(text) or [source.before]
    except ValueError as error:
        raise UserError(str(error)) from None
    return source.text(continued(network, read, length, temperature, seed))
