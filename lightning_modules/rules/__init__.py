"""Learning rules that move a network's weights example by example, one a file, by file name."""

from lightning_modules.registry import discover

RULES = discover(__name__, __path__, "lightning_modules.rules._rule:Rule")
