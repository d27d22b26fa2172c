"""What an examination finds."""

import shutil
from pathlib import Path
from typing import NamedTuple

GIB = 2**30


class Finding(NamedTuple):
    """One line."""

    says: str
    do: str = ""
    """What mends it; empty where all is well."""

    @property
    def good(self) -> bool:
        """Whether nothing has to be done."""
        return not self.do


def free(where: Path, least: float, do: str) -> Finding:
    """Return how much room there is, and that something is to be done below ``least`` GiB."""
    room = shutil.disk_usage(where).free / GIB
    return Finding(f"{where}: {room:,.1f} GiB free", do if room < least else "")
