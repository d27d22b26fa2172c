"""The one file that pages of a scale refer to: what draws their charts in a browser."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert

from pipeline.reporting.placing import locked
from pipeline.running.journal import replacing

NAME = f"vega-{version('vl-convert-python')}.js"


def put(folder: Path) -> None:
    """Write it into the folder of a scale's pages, unless it is there."""
    if (folder / NAME).exists():
        return
    with locked(folder), replacing(folder / NAME) as draft:
        draft.write_text(_script(), encoding="utf-8")


def _script() -> str:
    bundle: Any = vl_convert.javascript_bundle  # whose snippet may be left out, against its types
    return bundle()
