"""What is added to players' losses, or to what the discriminator sees, one a file."""

from lightning_modules.registry import discover

REGULARISERS = discover(
    __name__, __path__, "lightning_modules.adversaries.regularisers._regulariser:Regulariser"
)
