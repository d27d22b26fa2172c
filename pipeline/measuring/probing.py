"""Probes by name: from a field of a trial to what watches its training.

A section names them with their options, ``probes: {error_flow: {every: 10}, horizon: {}}``.
"""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from lightning_modules.probes import PROBES
from lightning_modules.registry import nearest
from pipeline.study import AS_TEXT, Value


def _known(probes: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
    """Return the field; ValueError for a name that no probe has."""
    for name in probes:
        if name not in PROBES:
            raise ValueError(f"{name!r} is unknown: {nearest(name, PROBES)}")
    return probes


Probes = Annotated[dict[str, dict[str, Value]], pydantic.AfterValidator(_known), *AS_TEXT]
"""The type of a trial's field that names probes. Their options are checked when they are built."""


def build(probes: Mapping[str, Mapping[str, Value]] | None) -> list[Any]:
    """Return new probes; ValueError for an option or a value that no such probe takes."""
    built = []
    for name, options in (probes or {}).items():
        allowed = inspect.signature(PROBES[name]).parameters
        for option in options:
            if option not in allowed:
                raise ValueError(f"probe {name}: {option!r} is unknown: {nearest(option, allowed)}")
        try:
            built.append(PROBES[name](**options))
        except (KeyError, TypeError, ValueError) as mistake:
            raise ValueError(f"probe {name}: {mistake}") from None
    return built
