"""The form of what an examination finds."""

import shutil
from pathlib import Path
from typing import NamedTuple

GIB = 2**30


class Finding(NamedTuple):
    """One line of `doctor`."""

    says: str
    do: str = ""
    """What corrects it; empty if nothing is wrong."""

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.do


def free(where: Path, least: float, do: str) -> Finding:
    """Return the free disk space at ``where``; below ``least`` GiB, ``do`` says what to do."""
    room = shutil.disk_usage(where).free / GIB
    return Finding(f"{where}: {room:,.1f} GiB free", do if room < least else "")
