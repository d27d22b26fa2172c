"""Example: one hidden layer; your network here.

    y = V tanh(W x + b) + c

Cost: O((I + O) H) for each sample and step.

References:
    Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors,
        Nature 323.
"""

from typing import final

from torch import Tensor, nn

from lightning_modules.checks import whole


@final
class Example(nn.Module):
    """A feed-forward network, applied to each step by itself."""

    def __init__(self, input_size: int, output_size: int, hidden_size: int):
        """Build the network; ValueError if a size is not a whole number from 1 on."""
        super().__init__()
        whole(1, input_size=input_size, output_size=output_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden = nn.Linear(input_size, hidden_size)
        self.output = nn.Linear(hidden_size, output_size)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return the outputs, (T, B, O)."""
        return self.output(self.hidden(x_TBI).tanh())
