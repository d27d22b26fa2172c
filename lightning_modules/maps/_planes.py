"""Units spread over the plane of the data's first two principal components: a start of a map.

    w_m = mean + a_m √λ_1 v_1 + b_m √λ_2 v_2

a and b are a unit's coordinates in the grid, scaled to mean 0 and variance 1, so that units have
the data's variance in both directions. λ and v are eigenvalues and eigenvectors of the data's
covariance. The longer side of the grid lies along v_1; signs make each v's largest entry positive.
Without any learning it is a linear map, to compare others with.

References:
    Kohonen (2001), Self-organizing maps, third edition, Springer: linear initialisation.
"""

import torch
from torch import Tensor


def plane(x_NI: Tensor, places_MD: Tensor) -> Tensor:
    """Return the weights, (M, I); ValueError if inputs or grid have fewer than two directions."""
    if x_NI.shape[1] < 2 or bool((places_MD.std(0) == 0).any()):
        raise ValueError("a plane needs two directions: of the inputs, and of rows and columns")
    mean_I = x_NI.mean(0)
    _, v_II = torch.linalg.eigh(torch.cov((x_NI - mean_I).T))
    widest_I2 = v_II[:, [-1, -2]]
    signs_2 = widest_I2.gather(0, widest_I2.abs().argmax(0, keepdim=True)).sign()
    widest_I2 = widest_I2 * signs_2
    spread_2 = ((x_NI - mean_I) @ widest_I2).std(0, correction=0)
    at_MD = (places_MD - places_MD.mean(0)).to(x_NI.dtype)
    longest = torch.argsort(at_MD.amax(0) - at_MD.amin(0), descending=True, stable=True)
    at_M2 = at_MD[:, longest] / at_MD[:, longest].std(0, correction=0)
    return mean_I + (at_M2 * spread_2) @ widest_I2.T
