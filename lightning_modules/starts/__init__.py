"""Where a cell's weights start from, one way a file, found by file name."""

from lightning_modules.registry import discover
from lightning_modules.starts._start import Start

STARTS = discover(__name__, __path__, Start)
