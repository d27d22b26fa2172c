"""Gradients of a likelihood, exact or estimated, one way a file, found by file name."""

from lightning_modules.registry import discover

ESTIMATORS = discover(__name__, __path__, "lightning_modules.energies._energy:Estimator")
