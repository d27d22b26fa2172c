"""Probes by name: a field of a trial -> the probes that watch its training.

A section of parameters maps their names to options, as in
``probes: {error_flow: {every: 10}, horizon: {}}``.
"""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from lightning_modules.probes import PROBES
from lightning_modules.registry import nearest
from pipeline.study import AS_TEXT, Value


def _known(probes: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
    """Return the field; ValueError for the name of no probe."""
    for name in probes:
        if name not in PROBES:
            raise ValueError(f"{name!r} is unknown: {nearest(name, PROBES)}")
    return probes


Probes = Annotated[dict[str, dict[str, Value]], pydantic.AfterValidator(_known), *AS_TEXT]
"""The type of a trial's field that names probes. Their options are checked when they are built."""


def build(probes: Mapping[str, Mapping[str, Value]] | None) -> list[Any]:
    """Return new probes; ValueError for an option or value that one does not accept."""
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
