"""The script that draws charts in a browser, one file that all pages of a scale refer to."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert

from pipeline.reporting.placing import locked
from pipeline.running.journal import replacing

NAME = f"vega-{version('vl-convert-python')}.js"

NOTICE = (
    "/* Vega, Vega-Lite and Vega-Embed: copyright University of Washington Interactive "
    "Data Lab and contributors; BSD 3-Clause, https://github.com/vega */\n"
)


def put(folder: Path) -> None:
    """Write the script into the folder of a scale's pages, unless it is there."""
    if (folder / NAME).exists():
        return
    with locked(folder), replacing(folder / NAME) as draft:
        draft.write_text(_script(), encoding="utf-8")
    for other in folder.glob("vega-*.js"):
        if other.name != NAME:  # of an older version, whose pages are made again as well
            other.unlink(missing_ok=True)


def _script() -> str:
    bundle: Any = vl_convert.javascript_bundle  # its argument is optional, against its type hints
    return NOTICE + bundle()
