"""params.yaml and params/<study>.yaml -> validated settings and trials; a value's one way in.

The files are read as YAML 1.2, as DVC reads them, so that 1e-3 is a number to both.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

import pydantic
from ruamel.yaml import YAML, YAMLError

from lightning_modules.registry import nearest
from pipeline.data.sources import SOURCES
from pipeline.errors import UserError
from pipeline.studies import STUDIES
from pipeline.study import Entries, Section, Structured, Study, Trial, key, named

Scale = Literal["quick", "standard", "paper"]
SCALES: tuple[Scale, ...] = get_args(Scale)
Offline = Literal["embedded", "error"]
FILE, FOLDER = Path("params.yaml"), Path("params")


class Data(Section):
    """Which data sets are fetched, and what happens to one that cannot be, scale by scale."""

    sets: list[Annotated[str, named(SOURCES)]]
    offline: dict[Scale, Offline]


class Dispatch(Section):
    """Where trials run and what each may use unless its part says otherwise."""

    backend: Literal["ray", "inline"]
    workers: pydantic.PositiveInt | Literal["auto"]
    cpus: pydantic.PositiveInt
    gpus: pydantic.NonNegativeFloat
    retries: pydantic.NonNegativeInt


class Settings(Section):
    """What is common to all studies: everything in params.yaml."""

    scale: Scale
    studies: list[Annotated[str, named(STUDIES)]]
    data: Data
    dispatch: Dispatch

    @property
    def offline(self) -> Offline:
        """What happens at the scale in force to a data set that cannot be had."""
        return self.data.offline.get(self.scale, "error")

    def at(self, scale: str | None) -> "Settings":
        """Return the settings at another scale; UserError if there is none such."""
        if scale is not None and scale not in SCALES:
            raise UserError(f"{scale!r} is no scale: {nearest(scale, SCALES)}")
        return self if scale is None else self.model_copy(update={"scale": scale})


def load(path: Path = FILE) -> Settings:
    """Read and validate params.yaml; UserError with one line for each mistake."""
    raw = _read(path, "run from the folder that holds it")
    try:
        settings = Settings.model_validate(raw)
    except pydantic.ValidationError as error:
        raise UserError("\n".join(_common(path, error))) from None
    twice = {name for name in settings.studies if settings.studies.count(name) > 1}
    if twice:
        raise UserError(f"{path}: studies: named twice: {', '.join(sorted(twice))}")
    return settings


def section(study: str, scale: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return what a study's own file says of a scale; UserError if it says nothing."""
    path = folder / f"{study}.yaml"
    scales = _read(path, f"a study's values stand there: {', '.join(SCALES)}")
    if not isinstance(scales, dict):
        raise UserError(f"{path}: holds no scales: it should name {', '.join(SCALES)}")
    for name in scales:
        if name not in SCALES:
            raise UserError(f"{path}: {name}: no such scale: {nearest(name, SCALES)}")
    if not isinstance(scales.get(scale), dict):
        raise UserError(f"{path}: {scale}: missing; scales there are: {', '.join(scales)}")
    return scales[scale]


def scales_of(study: str, folder: Path = FOLDER) -> list[str]:
    """Return the scales that a study's own file knows."""
    path = folder / f"{study}.yaml"
    raw = _read(path, f"a study's values stand there: {', '.join(SCALES)}")
    return [scale for scale in SCALES if isinstance(raw, dict) and scale in raw]


def trials(
    name: str, study: Study, scale: str, folder: Path = FOLDER
) -> dict[str, Entries]:
    """Return the trials that a study's file asks for at a scale, by key, in their order.

    Raises:
        UserError: one line for each mistake.
    """
    values, path = section(name, scale, folder), folder / f"{name}.yaml"
    asked: dict[str, Entries] = {}
    for part in values if "" not in study.parts else [""]:
        if part not in study.parts:
            raise UserError(f"{path}: {scale}.{part}: no such part: {nearest(part, study.parts)}")
    for part, of in study.parts.items():
        if part and not isinstance(values.get(part), dict):
            raise UserError(f"{path}: {scale}.{part}: missing; give the part its values")
        where = f"{path}: {scale}.{part}" if part else f"{path}: {scale}"
        for trial in expand(of.trial, values[part] if part else values, where):
            entries = {**({"part": part} if part else {}), **trial.entries()}
            if asked.setdefault(key(entries), entries) is not entries:
                raise UserError(f"{where}: asks twice for one trial: {key(entries)}")
    return asked


class _Put(NamedTuple):
    """A value and where it was written, below the section."""

    value: Any
    path: tuple[str, ...]


def expand(kind: type[Trial], section: Mapping[str, Any], where: str) -> list[Trial]:
    """Multiply a section out into trials, the first field varying slowest, seeds fastest.

    Raises:
        UserError: one line for each mistake, each once; ``where`` is the section's path.
    """
    fields = sorted(kind.model_fields, key=lambda name: name == "seed")
    whole = {
        name
        for name, field in kind.model_fields.items()
        if any(isinstance(mark, Structured) for mark in field.metadata)
        or any(isinstance(m, Structured) for a in get_args(field.annotation) for m in _marks(a))
    }
    start = {name: _Put(value, (name,)) for name, value in section.items()}
    mistakes: dict[str, None] = {}
    made: list[Trial] = []
    for values in _grid(fields, whole, _seeded(start, where), where):
        try:
            made.append(kind.model_validate({name: put.value for name, put in values.items()}))
        except pydantic.ValidationError as error:
            mistakes |= dict.fromkeys(_lines(kind, error, values, where))
    if mistakes:
        raise UserError("\n".join(mistakes))
    return made


def _marks(annotation: Any) -> tuple[Any, ...]:
    """Return what an annotated type is marked with."""
    return getattr(annotation, "__metadata__", ())


def _seeded(start: dict[str, _Put], where: str) -> dict[str, _Put]:
    """Return the values with the seeds counted out."""
    if "seeds" not in start:
        return start
    count = start.pop("seeds").value
    if type(count) is not int or count < 1 or "seed" in start:
        raise UserError(f"{where}.seeds: a number of seeds from 1 on; given: {_shown(count)}")
    seeds = list(range(count)) if count > 1 else 0
    return {**start, "seed": _Put(seeds, ("seeds",))}


def _grid(
    fields: list[str], whole: set[str], values: dict[str, _Put], where: str
) -> Iterator[dict[str, _Put]]:
    """Iterate over all combinations of what is swept."""
    for name in fields:
        if name not in values or name in whole:
            continue
        value, path = values[name]
        if isinstance(value, list | dict):
            for each, brought in _alternatives(value, path, where):
                yield from _grid(fields, whole, {**values, **brought, name: each}, where)
            return
    yield values


def _alternatives(
    value: list[Any] | dict[Any, Any], path: tuple[str, ...], where: str
) -> Iterator[tuple[_Put, dict[str, _Put]]]:
    """Iterate over a field's values to try, each with what it brings."""
    at = ".".join([where, *path])
    if not value:
        raise UserError(f"{at}: empty; give at least one value, or leave it out")
    if isinstance(value, list):
        twice = [one for place, one in enumerate(value) if one in value[:place]]
        if twice:
            raise UserError(f"{at}: {_shown(twice[0])} stands there twice")
        for place, one in enumerate(value):
            yield _Put(one, (*path, str(place))), {}
        return
    for one, brought in value.items():
        for place, case in enumerate(brought if isinstance(brought, list) else [brought]):
            below = (*path, str(one), *([str(place)] if isinstance(brought, list) else []))
            if not isinstance(case, dict | None):
                raise UserError(
                    f"{'.'.join([where, *below])}: what {one} brings is a mapping from names to "
                    f"values; given: {_shown(case)}"
                )
            yield (
                _Put(one, below),
                {name: _Put(v, (*below, str(name))) for name, v in (case or {}).items()},
            )


def _lines(
    kind: type[Trial], error: pydantic.ValidationError, values: Mapping[str, _Put], where: str
) -> Iterator[str]:
    """Say each mistake in one line: the value's full path, what was given, what is allowed."""
    said: dict[str, tuple[list[str], Any]] = {}
    for mistake in error.errors(include_url=False):
        name = str(mistake["loc"][0]) if mistake["loc"] else ""
        inner = [str(s) for s in mistake["loc"][1:] if isinstance(s, int) or s.isidentifier()]
        path = ".".join([where, *(values[name].path if name in values else [name]), *inner])
        if mistake["type"] == "extra_forbidden" and not inner:
            yield f"{path}: unknown key; {nearest(name, [*kind.model_fields, 'seeds'])}"
        elif mistake["type"] == "missing" and not inner:
            yield f"{path}: missing; give it a value"
        else:
            message = mistake["msg"].removeprefix("Value error, ")
            said.setdefault(path.rstrip("."), ([], mistake["input"]))[0].append(message)
    for path, (messages, given) in said.items():
        about = "" if isinstance(given, dict) else f"; given: {_shown(given)}"
        yield f"{path}: {', or: '.join(dict.fromkeys(messages))}{about}"


def _common(path: Path, error: pydantic.ValidationError) -> Iterator[str]:
    """Say each mistake of params.yaml in one line."""
    said: dict[str, tuple[list[str], Any]] = {}
    for mistake in error.errors(include_url=False):
        steps = [str(s) for s in mistake["loc"] if isinstance(s, int) or s.isidentifier()]
        at = ".".join(steps) or "the whole file"
        if mistake["type"] == "extra_forbidden":
            known = {"data": Data, "dispatch": Dispatch}.get(steps[0], Settings)
            yield f"{path}: {at}: unknown key; {nearest(steps[-1], known.model_fields)}"
        elif mistake["type"] == "missing":
            yield f"{path}: {at}: missing; give it a value"
        else:
            message = mistake["msg"].removeprefix("Value error, ")
            said.setdefault(at, ([], mistake["input"]))[0].append(message)
    for at, (messages, given) in said.items():
        yield f"{path}: {at}: {', or: '.join(messages)}; given: {_shown(given)}"


def _read(path: Path, hint: str) -> Any:
    """Return what a YAML file holds."""
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {hint}") from None
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None


def _shown(value: Any) -> str:
    """Return the value in a length fit for one line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
