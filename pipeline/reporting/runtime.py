"""The one file that pages of a scale refer to: what draws their charts in a browser."""

from pathlib import Path

import vl_convert

from pipeline.reporting.placing import locked
from pipeline.running.journal import replacing

NAME = f"vega-{vl_convert.__version__}.js"


def put(folder: Path) -> None:
    """Write it into the folder of a scale's pages, unless it is there."""
    if (folder / NAME).exists():
        return
    with locked(folder), replacing(folder / NAME) as draft:
        draft.write_text(vl_convert.javascript_bundle(), encoding="utf-8")
