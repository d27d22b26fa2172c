"""Centring: another estimator's gradient, transformed as if units were measured from their means.

    E(v, h) = -(v - μ)'b° - (h - λ)'c° - (v - μ)'W (h - λ)        has p of W, b = b° - W λ, ...
    G_W = g_W - μ g_c' - g_b λ'        G_b = g_b - G_W λ        G_c = g_c - G_W' μ

μ and λ follow the means of the batches' visible and hidden units, μ <- (1 - ν) μ + ν mean. A step
along G is the centred network's step, expressed in the plain network's weights: both networks have
the same distribution, which does not depend on the offsets. So learning is the same for pictures
and inverted pictures, and W's gradient no longer repeats that of the biases.

Cost: O(V H) a batch beside the other's.

Where we differ from the paper: the network keeps its plain weights, and the gradient is transformed
instead; λ starts at the first batch's mean.

References:
    Cho, Raiko & Ilin (2011), Enhanced gradient and adaptive learning rate for training restricted
        Boltzmann machines, ICML.
    Montavon & Müller (2012), Deep Boltzmann machines and the centering trick, in Neural Networks:
        Tricks of the Trade.
    Melchior, Fischer & Wiskott (2016), How to center deep Boltzmann machines, JMLR 17(99).
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.checks import above
from lightning_modules.energies._energy import Distribution, Estimator, Learned, bipartite


@final
class Centred(Estimator):
    """Another estimator, centred; its memory is the other's, μ and λ."""

    def __init__(self, of: Estimator, follow: float = 0.01):
        """Have offsets follow the batches' means by ``follow``, ν; 1 takes each batch's own."""
        above(0, most=1, follow=follow)
        self.of, self.follow = of, follow

    @torch.no_grad()
    def estimate(self, energy: Distribution, v_BV: Tensor, memory: Any = None) -> Learned:
        """Return the transformed gradient; TypeError where the network is not bipartite."""
        net = bipartite(energy, "centring")
        inner, mu_V, lambda_H = memory or (None, None, None)
        learned = self.of.estimate(energy, v_BV, inner)
        h_BH = net.hidden(v_BV) if learned.h_BH is None else learned.h_BH
        mean_V, mean_H = v_BV.mean(dim=0), h_BH.mean(dim=0)
        mu_V = mean_V if mu_V is None else torch.lerp(mu_V, mean_V, self.follow)
        lambda_H = mean_H if lambda_H is None else torch.lerp(lambda_H, mean_H, self.follow)
        g_W, g_b, g_c = learned.gradient
        g_W = g_W.sub_(torch.outer(mu_V, g_c)).sub_(torch.outer(g_b, lambda_H))
        gradient = [g_W, g_b - g_W @ lambda_H, g_c - mu_V @ g_W]
        return learned._replace(gradient=gradient, memory=(learned.memory, mu_V, lambda_H))
