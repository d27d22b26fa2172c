"""Ways to the sum Z over all states of a network, one a file, found by file name."""

from lightning_modules.registry import discover

PARTITIONS = discover(
    __name__, __path__, "lightning_modules.energies.partitions._partition:Partition"
)
