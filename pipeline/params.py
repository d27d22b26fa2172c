"""params.yaml -> validated, frozen settings; the one way by which a value reaches a trial.

The file is read as YAML 1.2, as DVC reads it, so that 1e-3 is a number to both.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import pydantic
from ruamel.yaml import YAML, YAMLError

from lightning_modules.registry import nearest
from pipeline.errors import UserError
from pipeline.sources import SOURCES
from pipeline.studies import STUDIES
from pipeline.study import Section

Scale = Literal["quick", "standard", "paper"]
FILE = Path("params.yaml")


class Data(Section):
    """Which data sets are fetched, and what happens to one that cannot be."""

    sets: list[str]
    offline: Literal["embedded", "error"]

    @pydantic.field_validator("sets")
    @classmethod
    def _known(cls, sets: list[str]) -> list[str]:
        for name in sets:
            if name not in SOURCES:
                raise ValueError(f"{name!r} is not a data set: {nearest(name, SOURCES)}")
        return sets


class Dispatch(Section):
    """Where trials run and what each may use."""

    backend: Literal["ray", "inline"]
    workers: pydantic.PositiveInt | Literal["auto"]
    cpus: pydantic.PositiveInt
    gpus: pydantic.NonNegativeFloat
    retries: pydantic.NonNegativeInt


class Settings(Section):
    """Everything in params.yaml but the studies' own sections, which ``section`` reads."""

    scale: Scale
    data: Data
    dispatch: Dispatch
    studies: dict[str, dict[Scale, dict[str, Any]]]


def load(path: Path = FILE) -> Settings:
    """Read and validate params.yaml; UserError with one line for each mistake."""
    try:
        raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run from the folder that holds it") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    settings = _validated(Settings, raw, "")
    for name in settings.studies:
        if name not in STUDIES:
            raise UserError(f"{path}: studies.{name}: no such study: {nearest(name, STUDIES)}")
    return settings


def section(settings: Settings, study: str) -> Section:
    """Return the study's own section for the scale in force, as its ``Params``."""
    scales = settings.studies.get(study)
    if scales is None:
        raise UserError(f"{FILE}: {study!r} has no section: {nearest(study, settings.studies)}")
    where = f"studies.{study}.{settings.scale}"
    if settings.scale not in scales:
        raise UserError(f"{FILE}: {where}: missing; sections there are: {', '.join(scales)}")
    return _validated(STUDIES[study].Params, scales[settings.scale], where)


def _validated(model: type[pydantic.BaseModel], raw: Any, where: str) -> Any:
    """Return ``raw`` as ``model``, or raise UserError with a line for each mistake."""
    try:
        return model.model_validate(raw)
    except pydantic.ValidationError as error:
        raise UserError("\n".join(_lines(model, error, where))) from None


def _lines(
    model: type[pydantic.BaseModel], error: pydantic.ValidationError, where: str
) -> Iterator[str]:
    """Say each mistake in one line: the key's full path, what was given, what is allowed."""
    said: dict[str, tuple[list[str], Any]] = {}
    for mistake in error.errors(include_url=False):
        # A step that is no name is pydantic's word for a branch of a union.
        path = [str(s) for s in mistake["loc"] if isinstance(s, int) or s.isidentifier()]
        key = ".".join([*([where] if where else []), *path]) or "the whole file"
        if mistake["type"] == "extra_forbidden":
            yield f"{FILE}: {key}: unknown key; {nearest(path[-1], _fields(model, path[:-1]))}"
        elif mistake["type"] == "missing":
            yield f"{FILE}: {key}: missing; give it a value"
        else:
            message = mistake["msg"].removeprefix("Value error, ")
            said.setdefault(key, ([], mistake["input"]))[0].append(message)
    for key, (messages, given) in said.items():
        yield f"{FILE}: {key}: {', or: '.join(messages)}; given: {_shown(given)}"


def _fields(model: type[pydantic.BaseModel], path: list[str]) -> list[str]:
    """Return the keys that the (nested) section at ``path`` knows."""
    for step in path:
        inner = model.model_fields[step].annotation
        nested = [inner, *get_args(inner)]
        model = next(m for m in nested if isinstance(m, type) and issubclass(m, pydantic.BaseModel))
    return list(model.model_fields)


def _shown(value: Any) -> str:
    """Return the value in a length fit for one line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
