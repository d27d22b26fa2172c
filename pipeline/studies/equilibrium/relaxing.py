"""Small networks that come to rest, in float64, and examples for them: what three parts share."""

import abc
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveFloat

from pipeline.study import AS_TEXT, Count, Trial

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.energies.equilibrium import Equilibrium


class Relaxing(Trial, abc.ABC):
    """A network as it was drawn, and examples at random."""

    activation: Literal["tanh", "logistic", "hard_sigmoid"]
    nudge: Literal["one_sided", "centred"]
    betas: Annotated[list[PositiveFloat], Field(min_length=1), *AS_TEXT]
    input_size: Count
    hidden: Annotated[list[Count], *AS_TEXT]
    output_size: Count
    gain: PositiveFloat
    """By what the weights are multiplied that were drawn, so that the network comes to rest."""
    rate: PositiveFloat
    """ε of the relaxation."""
    examples: Count

    def drawn(self, apart: float = 0.0) -> "tuple[Equilibrium, Tensor, Tensor]":
        """Return a network, inputs and targets, both from 0 to 1: functions of the seed."""
        import torch

        from lightning_modules.energies.equilibrium import Equilibrium

        torch.manual_seed(self.seed)
        sizes = self.input_size, self.output_size, self.hidden
        own = {"activation": self.activation, "nudge": self.nudge, "rate": self.rate}
        network = Equilibrium(*sizes, **own, apart=apart).double()
        with torch.no_grad():
            for weights in (*network.W, *network.buffers()):
                weights.mul_(self.gain)
            for b in network.b:
                b.uniform_(0.0, 0.5)
        x_NI = torch.rand(self.examples, self.input_size, dtype=torch.float64)
        return network, x_NI, torch.rand(self.examples, self.output_size, dtype=torch.float64)
