"""params.yaml and params/<study>.yaml -> validated settings and trials; values enter here alone.

The files are read as YAML 1.2, as DVC reads them, so that 1e-3 is a number to both. Each mistake in
them is reported in one line: the file, the value's full path, what is allowed, and what was given.

Above 300 lines because reading values, combining them and reporting mistakes all use these paths.
"""

import difflib
import functools
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args

import pydantic
from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.tokens import AliasToken, AnchorToken

from lightning_modules.registry import nearest
from pipeline.data.sources import SOURCES
from pipeline.errors import UserError, refused
from pipeline.studies import STUDIES
from pipeline.study import Entries, Section, Structured, Study, Trial, key, named

Scale = Literal["quick", "standard", "paper"]
SCALES: tuple[Scale, ...] = get_args(Scale)
Offline = Literal["embedded", "error"]
FILE, FOLDER = Path("params.yaml"), Path("params")
MOST = 4096
"""The largest number of workers, processors, GPUs or retries that is accepted."""
SEEDS = 100_000
"""The largest number of seeds that is accepted."""
SHOWN = 60
"""How many characters of a value a message repeats."""
ANCHOR = re.compile(r"(?:^|[\s\[{,])[&*]\S", re.MULTILINE)
Location = tuple[str | int, ...]
T = TypeVar("T")


def _each_once(values: list[T]) -> list[T]:
    """Return the field's values; ValueError if one is given twice."""
    for place, value in enumerate(values):
        if value in values[:place]:
            raise ValueError(f"{_shown(value)} stands there twice")
    return values


def _all_studies(value: Any) -> Any:
    """Return all studies' names for ``all``, a list as it is; ValueError for another value."""
    if value == "all":
        return list(STUDIES)
    if not isinstance(value, list):
        raise ValueError("should be all, or a list of names")  # noqa: TRY004 - what pydantic says
    return value


def _share_or_whole(gpus: float) -> float:
    """Return the field; ValueError for a number of GPUs that Ray cannot give, such as 1.5."""
    if gpus > 1 and gpus != int(gpus):
        raise ValueError("should be a share of one GPU, 0 to 1, or a whole number of them")
    return gpus


Once = pydantic.AfterValidator(_each_once)


class Data(Section):
    """Which data sets are fetched, and, for each scale, what happens if one cannot be fetched."""

    sets: Annotated[list[Annotated[str, named(SOURCES)]], Once]
    offline: dict[Scale, Offline]


class Dispatch(Section):
    """Where trials run, and what each may use unless its part (``Needs``) says otherwise."""

    backend: Literal["ray", "inline"]
    workers: Annotated[int, pydantic.Field(ge=1, le=MOST)] | Literal["auto"]
    cpus: Annotated[int, pydantic.Field(ge=1, le=MOST)]
    gpus: Annotated[float, pydantic.Field(ge=0, le=MOST), pydantic.AfterValidator(_share_or_whole)]
    retries: Annotated[int, pydantic.Field(ge=0, le=MOST)]


class Settings(Section):
    """The settings common to all studies: everything in params.yaml."""

    scale: Scale
    studies: Annotated[
        list[Annotated[str, named(STUDIES)]],
        pydantic.Field(min_length=1),
        Once,
        pydantic.BeforeValidator(_all_studies),
    ]
    """The studies to run, by name; ``all`` in the file stands for every study."""
    data: Data
    dispatch: Dispatch

    @property
    def offline(self) -> Offline:
        """What happens, at the scale in force, if a data set cannot be fetched."""
        return self.data.offline.get(self.scale, "error")

    def at(self, scale: str | None) -> "Settings":
        """Return the settings at another scale (None: the same); UserError if there is no such."""
        if scale is not None and scale not in SCALES:
            raise UserError(f"{scale!r} is no scale: {nearest(scale, SCALES)}")
        return self if scale is None else self.model_copy(update={"scale": scale})


def load(path: Path = FILE) -> Settings:
    """Read and validate params.yaml; UserError with one line for each mistake."""
    raw = _read(path, "run from the folder that holds it")
    try:
        return Settings.model_validate(raw)
    except pydantic.ValidationError as error:
        inner = {"data": Data, "dispatch": Dispatch}

        def at(location: Location) -> str:
            return f"{path}: {'.'.join(_within(raw, location)) or 'the whole file'}"

        def allowed(location: Location) -> Iterable[str]:
            return inner.get(str(location[0]), Settings).model_fields

        raise UserError("\n".join(_lines(error, at, allowed))) from None


def section(study: str, scale: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return the section of a study's file for a scale; UserError if there is none."""
    path, scales = folder / f"{study}.yaml", _scales(study, folder)
    if not isinstance(scales.get(scale), dict):
        there = [name for name in scales if isinstance(scales[name], dict)]
        raise UserError(f"{path}: {scale}: missing; scales there are: {', '.join(there) or 'none'}")
    return scales[scale]


def scales_of(study: str, folder: Path = FOLDER) -> list[str]:
    """Return the scales for which a study's file has a section."""
    there = _scales(study, folder)
    return [scale for scale in SCALES if scale in there]


def _scales(study: str, folder: Path) -> dict[str, Any]:
    """Return the content of a study's file, by scale."""
    path = folder / f"{study}.yaml"
    scales = _read(path, f"a study's values stand there: {', '.join(SCALES)}")
    if not isinstance(scales, dict):
        raise UserError(f"{path}: holds no scales: it should name {', '.join(SCALES)}")
    for name in scales:
        if name not in SCALES:
            raise UserError(f"{path}: {name}: no such scale: {nearest(name, SCALES)}")
    return scales


def trials(name: str, study: Study, scale: str, folder: Path = FOLDER) -> dict[str, Entries]:
    """Return the trials that a study's file asks for at a scale, by ``key``, in the file's order.

    Raises:
        UserError: one line for each mistake.
    """
    values, where = section(name, scale, folder), f"{folder / name}.yaml: {scale}"
    asked: dict[str, Entries] = {}
    for part, of_part in _parts(values, study, where).items():
        at = f"{where}.{part}" if part else where
        for trial in expand(study.parts[part].trial, of_part, at):
            entries = {**({"part": part} if part else {}), **trial.entries()}
            if asked.setdefault(key(entries), entries) is not entries:
                raise UserError(f"{at}: asks twice for one trial: {key(entries)}")
    return asked


def unheard(
    name: str, study: Study, scale: str, asked: Mapping[str, Entries], folder: Path = FOLDER
) -> Iterator[str]:
    """Iterate over warnings: names that claims and figures look up, but the study's file lacks.

    A missing name is reported only if the file has one spelt much like it, or has none of the names
    that are looked up. Such names are free, so the file may be right: the trials run all the same.
    """
    for part, declared in study.parts.items():
        own = [trial for trial in asked.values() if study.part_of(trial) is declared]
        for field, spoken in declared.speaks_of.items():
            given = dict.fromkeys(str(t[field]) for t in own if t.get(field) is not None)
            at = ".".join(filter(None, (scale, part, field)))
            for line in _unheard(list(given), spoken):
                yield f"{folder / name}.yaml: {at}: {line}"


def _unheard(given: Sequence[str], spoken: Collection[str]) -> Iterator[str]:
    """Iterate over warnings for one field: its values are ``given``, ``spoken`` are looked up."""
    missing = [name for name in spoken if name not in given]
    others = [name for name in given if name not in spoken]
    near = {name: difflib.get_close_matches(name, missing, n=1) for name in others}
    for name, close in near.items():
        if close:
            yield f"claims look for {close[0]!r}, which is not there: is it {name!r}?"
    if given and others == given and not any(near.values()):
        yield f"claims look for names none of which is there: {', '.join(spoken)}"


def _parts(values: dict[str, Any], study: Study, where: str) -> dict[str, dict[str, Any]]:
    """Return the section of each part; UserError if one is missing, unknown or no mapping."""
    if "" in study.parts:
        return {"": values}
    mistakes = [
        f"{where}.{part}: no such part: {nearest(part, study.parts)}"
        for part in values
        if part not in study.parts
    ]
    for part in study.parts:
        if values.get(part) is None:
            mistakes.append(f"{where}.{part}: missing; give the part its values")
        elif not isinstance(values[part], dict):
            given = _shown(values[part])
            mistakes.append(f"{where}.{part}: a part's values are named; given: {given}")
    if mistakes:
        raise UserError("\n".join(mistakes))
    return {part: values[part] for part in study.parts}


class _Put(NamedTuple):
    """A value and its path in the file, below the section."""

    value: Any
    path: tuple[str, ...]
    variant: bool = False
    """Whether it is a key of a mapping, and so sets further fields."""


_Values = dict[str, _Put]


def expand(kind: type[Trial], section: Mapping[str, Any], where: str) -> list[Trial]:
    """Return the trials of all combinations of a section's values.

    The first field varies slowest, the seed fastest, mappings more slowly than lists. A field that
    a mapping's key sets overrides the section's value of that field.

    Raises:
        UserError: one line for each mistake, each once; ``where`` is the section's path.
    """
    names = sorted(kind.model_fields, key=lambda name: name == "seed")
    swept = [name for name in names if not _is_structured(kind.model_fields[name])]
    mistakes: dict[str, None] = {}
    made: list[Trial] = []
    for values in _grid(swept, _placed(section, (), where), where):
        try:
            made.append(kind.model_validate({name: put.value for name, put in values.items()}))
        except pydantic.ValidationError as error:
            mistakes |= dict.fromkeys(_of_trial(kind, error, values, where))
    if mistakes:
        raise UserError("\n".join(mistakes))
    return made


def _is_structured(field: Any) -> bool:
    """Return whether the field's one value is itself a mapping or a list."""
    marks = [*field.metadata]
    for choice in get_args(field.annotation):
        marks += getattr(choice, "__metadata__", ())
    return any(isinstance(mark, Structured) for mark in marks)


def _placed(section: Mapping[Any, Any], path: tuple[str, ...], where: str) -> _Values:
    """Return the values with their paths; ``seeds: n`` becomes the list of seeds."""
    values = {str(name): _Put(value, (*path, str(name))) for name, value in section.items()}
    if "seeds" not in values:
        return values
    count, at, _ = values.pop("seeds")
    if "seed" in values:
        raise UserError(f"{'.'.join([where, *path])}: give one of seed and seeds")
    if type(count) is not int or not 1 <= count <= SEEDS:
        allowed = f"a number of seeds from 1 on, at most {SEEDS:,}"
        raise UserError(f"{'.'.join([where, *at])}: {allowed}; given: {_shown(count)}")
    return values | {"seed": _Put(list(range(count)) if count > 1 else 0, at)}


def _grid(names: list[str], values: _Values, where: str) -> Iterator[_Values]:
    """Iterate over all combinations of the values of the fields ``names``."""
    name = _next_swept(names, values)
    if name is None:
        yield values
        return
    for each, brought in _alternatives(name, values[name], where):
        yield from _grid(names, {**values, **brought, name: each}, where)


def _next_swept(names: list[str], values: _Values) -> str | None:
    """Return the next field to go through, None if each has one value.

    Mappings come before lists; a mapping that sets another field comes before that field, whose
    value it overrides; otherwise the order is that of the fields.
    """
    swept = [n for n in names if n in values and isinstance(values[n].value, list | dict)]
    swept.sort(key=lambda name: isinstance(values[name].value, list))
    for name in swept:
        others = (values[other].value for other in swept if other != name)
        if not any(name in _brings(value) for value in others if isinstance(value, dict)):
            return name
    return swept[0] if swept else None


def _brings(mapping: dict[Any, Any]) -> set[str]:
    """Return the names of all fields that a mapping's keys set."""
    found = set[str]()
    for cases in mapping.values():
        for case in cases if isinstance(cases, list) else [cases]:
            for name, value in case.items() if isinstance(case, dict) else ():
                found |= {str(name)} | (_brings(value) if isinstance(value, dict) else set())
    return found


def _alternatives(name: str, put: _Put, where: str) -> Iterator[tuple[_Put, _Values]]:
    """Iterate over a field's values to try, each with the further fields that it sets."""
    value, path = put.value, put.path
    _hold_nonempty(value, path, where)
    if isinstance(value, dict):
        for one, brought in value.items():
            yield from _variants(name, one, brought, (*path, str(one)), where)
        return
    for place, one in enumerate(value):
        at = ".".join([where, *path])
        if isinstance(one, list | dict):
            raise UserError(f"{at}.{place}: a list holds single values; given: {_shown(one)}")
        if one in value[:place]:
            raise UserError(f"{at}: {_shown(one)} stands there twice")
        yield _Put(one, (*path, str(place))), {}


def _variants(
    name: str, one: Any, brought: Any, path: tuple[str, ...], where: str
) -> Iterator[tuple[_Put, _Values]]:
    """Iterate over the cases of a mapping's key ``one``: a mapping of fields, or a list of such."""
    several = isinstance(brought, list)
    if several:
        _hold_nonempty(brought, path, where)
    for place, case in enumerate(brought if several else [brought]):
        below = (*path, str(place)) if several else path
        at = ".".join([where, *below])
        if not isinstance(case, dict | None):
            given = _shown(case)
            raise UserError(
                f"{at}: what it brings is a mapping from names to values; given: {given}"
            )
        if name in (case or {}):
            raise UserError(f"{at}.{name}: is {_shown(one)} already; leave it out")
        yield _Put(one, below, variant=True), _placed(case or {}, below, where)


def _hold_nonempty(value: Any, path: tuple[str, ...], where: str) -> None:
    """Raise UserError for an empty list or mapping."""
    if not value:
        at = ".".join([where, *path])
        raise UserError(f"{at}: empty; give at least one value, or leave it out")


def _of_trial(
    kind: type[Trial], error: pydantic.ValidationError, values: _Values, where: str
) -> Iterator[str]:
    """Iterate over what is wrong with a trial, a line for each mistake."""

    def at(location: Location) -> str:
        if not location:
            chosen = [".".join(put.path) for put in values.values() if put.variant]
            return f"{where}.{' with '.join(chosen)}" if chosen else where
        name, *inner = location
        put = values.get(str(name), _Put(None, (str(name),)))
        return ".".join([where, *put.path, *_within(put.value, inner)])

    return _lines(error, at, lambda _: [*kind.model_fields, "seeds"])


def _lines(
    error: pydantic.ValidationError,
    at: Callable[[Location], str],
    allowed: Callable[[Location], Iterable[str]],
) -> Iterator[str]:
    """Iterate over the mistakes, a line each: the value's full path, what is allowed and given."""
    said: dict[tuple[str, str], dict[str, None]] = {}
    for mistake in error.errors(include_url=False):
        location, what = mistake["loc"], mistake["type"]
        if what == "extra_forbidden":
            yield f"{at(location)}: unknown key; {nearest(str(location[-1]), allowed(location))}"
        elif what == "missing":
            yield f"{at(location)}: missing; give it a value"
        else:
            given = f"; given: {_shown(mistake['input'])}" if location else ""
            message = mistake["msg"].removeprefix("Value error, ")
            said.setdefault((at(location), given), {})[message] = None
    for (place, given), messages in said.items():
        yield f"{place}: {', or: '.join(messages)}{given}"


def _within(value: Any, location: Sequence[str | int]) -> Iterator[str]:
    """Iterate over the steps of pydantic's ``location`` that lead into the value.

    A missing key at its end counts. Other steps name types that pydantic tried: they are left out.
    """
    for place, step in enumerate(location, start=1):
        inside: Any = dict(enumerate(value)) if isinstance(value, list) else value
        if not isinstance(inside, dict):
            return
        if step in inside:
            value = inside[step]
            yield str(step)
        elif inside is value and place == len(location) and str(step).isidentifier():
            yield str(step)


def _read(path: Path, hint: str) -> Any:
    """Return what a YAML file holds."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = _parsed(text)
        endless = [f"{path}: {'.'.join(at)}: must be finite" for at in _endless(raw)]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {hint}") from None
    except OSError as error:
        raise refused(error, path) from None
    except RecursionError:
        raise UserError(f"{path}: not readable as YAML: nested too deeply") from None
    except (YAMLError, ValueError) as error:
        raise UserError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    if endless:
        raise UserError("\n".join(endless))
    return raw


@functools.cache
def _parsed(text: str) -> Any:
    """Parse a file's text, once for all of its scales; YAMLError for anchors and aliases."""
    if ANCHOR.search(text):  # the pattern may match inside a string: the slower scan decides
        for token in YAML(typ="safe", pure=True).scan(text):
            if isinstance(token, AnchorToken | AliasToken):
                where = f"line {token.start_mark.line + 1}"
                why = "make one change another: write out what they stand for"
                raise YAMLError(f"{where}: anchors (&) and aliases (*) {why}")
    return YAML(typ="safe").load(text)


def _endless(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Iterate over the paths of numbers that are not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _endless(name, (*path, str(name)))
            yield from _endless(inner, (*path, str(name)))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _endless(inner, (*path, str(place)))


def _shown(value: Any) -> str:
    """Return the value as text, cut to SHOWN characters."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
