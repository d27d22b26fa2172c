"""Parameters and gradients as views of one flat tensor each.

An algorithm hands back its gradient as one vector in the order of the parameters, so it is
copied once, and one optimizer step is a handful of operations whatever the number of parameters.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import final

import torch
from torch import Tensor, nn


@final
class Flat:
    """Modules' parameters in one tensor.

    Attributes:
        weights_P: the parameter that an optimizer moves, of which the modules' are views.
        gradient_P: its gradient, of which theirs are views.
        parameters: the modules'.
    """

    def __init__(self, modules: Iterable[nn.Module]):
        """Lay the parameters out in the order of the modules, on the device they are on."""
        self.parameters = list(itertools.chain.from_iterable(m.parameters() for m in modules))
        values = [w.detach().flatten() for w in self.parameters]
        self.weights_P = nn.Parameter(torch.cat(values))
        self.gradient_P = torch.zeros_like(self.weights_P, requires_grad=False)
        for w, value_P in zip(self.parameters, self._views(self.weights_P.detach()), strict=True):
            w.data = value_P.view_as(w)

    def attach(self) -> None:
        """Give all parameters their gradient again after someone set it to None."""
        self.weights_P.grad = self.gradient_P
        for w, gradient_P in zip(self.parameters, self._views(self.gradient_P), strict=True):
            w.grad = gradient_P.view_as(w)

    def _views(self, flat_P: Tensor) -> Sequence[Tensor]:
        """Return the stretch of each parameter."""
        return flat_P.split([w.numel() for w in self.parameters])
