"""The probes, one a file, found by file name."""

from lightning_modules.registry import discover

PROBES = discover(__name__, __path__, "lightning_modules.probes._base:Probe")
