"""Terms added to the players' losses, or noise added to the discriminator's input, one a file."""

from lightning_modules.registry import discover

REGULARISERS = discover(
    __name__, __path__, "lightning_modules.adversaries.regularisers._regulariser:Regulariser"
)
