"""The probes, one a file, found by file name."""

from lightning_modules.probes._base import Probe
from lightning_modules.registry import discover

PROBES = discover(__name__, __path__, Probe)
