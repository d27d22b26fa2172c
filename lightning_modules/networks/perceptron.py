"""Perceptron: threshold units whose weights are learned.

    z = W x + b        y = 1 where z > 0, else 0

The derivative of y by z is zero wherever it exists, so nothing can be back-propagated: its rule is
``rules/perceptron_rule.py``.

Cost: O(I O) an example.

References:
    Rosenblatt (1958), The perceptron: a probabilistic model for information storage and
        organization in the brain, Psychological Review 65(6).
"""

from typing import final

from torch import Tensor, nn

from lightning_modules.checks import above, whole


@final
class Perceptron(nn.Module):
    """One layer of threshold units."""

    def __init__(self, input_size: int, output_size: int = 1, spread: float = 0.5):
        """Draw W and b from U(-spread, spread); a spread of 0 starts from zero."""
        super().__init__()
        whole(1, input_size=input_size, output_size=output_size)
        above(0, or_equal=True, spread=spread)
        self.affine = nn.Linear(input_size, output_size)
        for w in self.affine.parameters():
            nn.init.uniform_(w, -spread, spread)

    def net(self, x_TBI: Tensor) -> Tensor:
        """Return the weighted sums z, (T, B, O); the unit with the largest is the answer."""
        return self.affine(x_TBI)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return 0 or 1, (T, B, O)."""
        return (self.net(x_TBI) > 0).to(self.affine.weight.dtype)
