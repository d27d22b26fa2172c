"""What either player of a game goes down, one pair of losses a file, found by file name."""

from lightning_modules.registry import discover

LOSSES = discover(__name__, __path__, "lightning_modules.adversaries.losses._loss:GameLoss")
