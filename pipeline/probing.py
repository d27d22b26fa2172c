"""Probes by name: from a section of params.yaml through a trial to the learner.

A section names them with their options, ``probes: {error_flow: {every: 10}, horizon: {}}``; a
trial is flat, so there each is ``probe_0``, and its options ``probe_0_every``. A study says

    class Params(Section):              probes: Attached
    trials:                             {..., **flat(p.probes)}
    measure(..., **probes):             fit(..., probes=build(probes))
"""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from lightning_modules.probes import PROBES
from lightning_modules.registry import nearest
from pipeline.study import Row, Trial, Value

PREFIX = "probe_"


def _known(probes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the section; ValueError for a name, an option or a value that no probe takes."""
    for name, options in probes.items():
        if name not in PROBES:
            raise ValueError(f"{name!r} is unknown: {nearest(name, PROBES)}")
        allowed = inspect.signature(PROBES[name]).parameters
        for option in options:
            if option not in allowed:
                raise ValueError(f"{name}: {option!r} is unknown: {nearest(option, allowed)}")
        try:
            PROBES[name](**options)
        except (KeyError, TypeError, ValueError) as mistake:
            raise ValueError(f"{name}: {mistake}") from None
    return probes


Attached = Annotated[dict[str, dict[str, Value]], pydantic.AfterValidator(_known)]
"""The type of a section's field that names probes."""


def flat(probes: Mapping[str, Mapping[str, Value]]) -> Trial:
    """Return the probes as entries of a trial."""
    entries: Trial = {}
    for place, (name, options) in enumerate(probes.items()):
        entries[f"{PREFIX}{place}"] = name
        entries |= {f"{PREFIX}{place}_{option}": v for option, v in options.items()}
    return entries


def build(entries: Mapping[str, Value]) -> list[Any]:
    """Return new probes from a trial's entries; those that are not about probes are left out."""
    found = []
    for place, name in entries.items():
        if place.removeprefix(PREFIX).isdecimal():
            cut = len(place) + 1
            options = {k[cut:]: v for k, v in entries.items() if k.startswith(f"{place}_")}
            found.append(PROBES[str(name)](**options))
    return found


def metric_of(row: Row) -> str:
    """Return what the value of a probe's row is called among a run's metrics."""
    named = {"probe", "quantity", "step", "value"}
    rest = [f"{k} {v}" for k, v in row.items() if k not in named and v is not None]
    return "/".join([str(row["probe"]), str(row["quantity"]), *rest])
