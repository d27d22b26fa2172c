"""Parameters and gradients as views of one flat tensor each.

An algorithm hands back its gradient as one vector in the order of the parameters, so it is
copied once, and one optimizer step is a handful of operations whatever the number of parameters.
"""

from collections.abc import Sequence

import torch
from torch import nn


def flatten(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """Return one parameter, (P,), of which ``parameters`` and their ``.grad`` become views."""
    flat_P = nn.Parameter(torch.cat([w.detach().flatten() for w in parameters]))
    flat_P.grad = torch.zeros_like(flat_P)
    sizes = [w.numel() for w in parameters]
    values, gradients = flat_P.detach().split(sizes), flat_P.grad.split(sizes)
    for w, value, gradient in zip(parameters, values, gradients, strict=True):
        w.data = value.view_as(w)
        w.grad = gradient.view_as(w)
    return flat_P
