"""Networks x -> y that are trained by back-propagation, one a file."""

from torch import nn

from lightning_modules.registry import discover

NETWORKS = discover(__name__, __path__, nn.Module)
