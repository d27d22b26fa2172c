"""Losses of both players of a game, one pair a file, found by file name."""

from lightning_modules.registry import discover

LOSSES = discover(__name__, __path__, "lightning_modules.adversaries.losses._loss:GameLoss")
