"""The deep belief network: a stack of RBMs, of which the lower ones become directed.

    p(x, h_1 .. h_K, t) = p(x | h_1) p(h_1 | h_2) .. p(h_(K-1), h_K, t)
    generative     p(h_(k-1) = 1 | h_k) = sigmoid(b_k + G_k h_k)       the top: an RBM, with classes
    recognition    q(h_k = 1 | h_(k-1)) = sigmoid(c_k + R_k h_(k-1))

It is built of RBMs that were trained one by one, each on the means of the hidden units below it
(``training/greedy.py``); at that point R_k = G_k'. From then on R and G are separate weights, and
learn by the up-down algorithm, contrastive wake-sleep:

    up      h_k ~ q, from the data          ΔG_k ∝ (h_(k-1) - p(h_(k-1) | h_k)) h_k'
    top     the RBM's own estimator on h_(K-1) and classes, which also gives a sample of them
    down    from that sample, h_(k-1) ~ p   ΔR_k ∝ (h_k - q(h_k | h_(k-1))) h_(k-1)'

With classes at the top it works both ways: ``outputs`` reads classes from pictures, ``generated``
pictures from classes, by Gibbs sampling at the top with the class held, and one pass down.

Cost: O(W) an example and pass; the top O(k W_K) for k sweeps.

Where we differ from the paper: pixels and the means of hidden units are the RBMs' data as they are,
not samples; the last pass down to the inputs is a mean.

References:
    Hinton, Osindero & Teh (2006), A fast learning algorithm for deep belief nets, Neural
        Computation 18(7): greedy learning, up-down in appendix B.
    Hinton, Dayan, Frey & Neal (1995), The wake-sleep algorithm for unsupervised neural networks,
        Science 268.
"""

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from lightning_modules.checks import whole
from lightning_modules.energies._energy import Energy, Learned, drawn
from lightning_modules.energies.rbm import RBM


@final
class DBN(Energy):
    """Directed layers below an RBM.

    Attributes:
        recognition, generative: R_k, c_k and G_k, b_k of each directed layer, from below.
        top: the RBM.
    """

    def __init__(self, rbms: Sequence[RBM]):
        """Copy a stack's weights, the lowest RBM first; ValueError where sizes do not fit."""
        super().__init__()
        if not rbms:
            raise ValueError("a stack of no RBMs: give at least one")
        for below, above in pairwise(rbms):
            if below.classes or below.hidden_size != above.input_size:
                raise ValueError(
                    f"an RBM of {below.hidden_size} hidden units and {below.classes} classes below "
                    f"one of {above.input_size} inputs: sizes must fit, classes stand at the top"
                )
        *lower, top = rbms
        self.recognition = nn.ModuleList(_affine(rbm.W.t(), rbm.c) for rbm in lower)
        self.generative = nn.ModuleList(_affine(rbm.W, rbm.b) for rbm in lower)
        self.top = copy.deepcopy(top)
        self.input_size, self.classes = rbms[0].input_size, top.classes
        self.output_size = top.classes or self.input_size
        self.state_size = self.input_size + sum(rbm.hidden_size for rbm in rbms) + top.classes

    def means(self, x_NI: Tensor) -> list[Tensor]:
        """Return the inputs, then the means of each directed layer given those below."""
        layers = [x_NI]
        for layer in self.recognition:
            layers.append(layer(layers[-1]).sigmoid())
        return layers

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return -ln p of each state without the top's ln Z, (N,).

        A state holds the inputs, then the hidden layers from below; the classes follow the last
        but one, as in the top RBM's state.
        """
        *layers, top_NS = self._cut(s_NS)
        layers.append(top_NS[:, : self.top.input_size])
        total_N = self.top.energy(top_NS)
        for below_NV, above_NH, layer in zip(layers, layers[1:], self.generative, strict=False):
            z_NV = layer(above_NH)
            unlikely_NV = binary_cross_entropy_with_logits(z_NV, below_NV, reduction="none")
            total_N = total_N + unlikely_NV.sum(dim=1)
        return total_N

    @torch.no_grad()
    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states after a sweep of the top, and a sample of each layer down from it."""
        top_NS = self.top.update(self._cut(s_NS)[-1])
        layers = self._down(top_NS[:, : self.top.input_size])
        return torch.cat([*layers[:-1], top_NS], dim=1)

    @torch.no_grad()
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return the gradient of one pass of up-down; ``memory`` is the top's."""
        awake = [x_BI]
        for layer in self.recognition:
            awake.append(drawn(layer(awake[-1]).sigmoid()))
        at_top = self.top.learn(awake[-1], t_BO, memory)
        assert at_top.chain_CV is not None
        asleep = self._down(at_top.chain_CV[:, : self.top.input_size])
        up, down = [], []
        for k, (recognise, generate) in enumerate(
            zip(self.recognition, self.generative, strict=True)
        ):
            up += _delta(recognise, asleep[k], asleep[k + 1])
            down += _delta(generate, awake[k + 1], awake[k])
        return Learned([*up, *down, *at_top.gradient], at_top.memory, at_top.chain_CV)

    @torch.no_grad()
    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return ln p(class | h_(K-1)) up to a constant, with means for h_(K-1).

        Without classes, return the inputs reconstructed from the top, by means all the way down.
        """
        z_NO = self.top.outputs(self.means(x_NI)[-1])
        if not self.classes:
            for layer in reversed(self.generative):
                z_NO = layer(z_NO).sigmoid()
        return z_NO

    @torch.no_grad()
    def generated(self, class_N: Tensor, sweeps: int) -> Tensor:
        """Return pictures of the given classes, (N, I): the means of the last pass down.

        The top is sampled ``sweeps`` times with the class held fixed. Its visible units start at
        random, each 1 with the probability that its bias gives. ValueError without classes.
        """
        whole(1, sweeps=sweeps)
        if not self.classes:
            raise ValueError("no classes at the top: build it of RBMs whose last one has some")
        top = self.top
        t_NK = one_hot(class_N, self.classes).to(top.b)
        inner_NV = drawn(top.b[: top.input_size].sigmoid().expand(len(t_NK), -1))
        for _ in range(sweeps):
            v_NV = top.sampled(top.hidden(torch.cat([inner_NV, t_NK], dim=1)))
            inner_NV = v_NV[:, : top.input_size]
        if not len(self.generative):
            return top.visible(drawn(top.hidden(torch.cat([inner_NV, t_NK], dim=1))))[
                :, : top.input_size
            ]
        return self.generative[0](self._down(inner_NV)[1]).sigmoid()

    def _down(self, above_NH: Tensor) -> list[Tensor]:
        """Return a sample of each layer given the one above: the inputs come first."""
        layers = [above_NH]
        for layer in reversed(self.generative):
            layers.append(drawn(layer(layers[-1]).sigmoid()))
        return layers[::-1]

    def _cut(self, s_NS: Tensor) -> list[Tensor]:
        """Return the directed layers below the top RBM's visible units, and the top's state."""
        sizes = [layer.in_features for layer in self.recognition]
        return list(s_NS.split([*sizes, self.top.state_size], dim=1))


def _affine(W_OI: Tensor, b_O: Tensor) -> nn.Linear:
    """Return a layer of these weights, copied."""
    outputs, inputs = W_OI.shape
    layer = nn.Linear(inputs, outputs, dtype=W_OI.dtype)
    with torch.no_grad():
        layer.weight.copy_(W_OI)
        layer.bias.copy_(b_O)
    return layer


def _delta(layer: nn.Module, of_NI: Tensor, to_NO: Tensor) -> list[Tensor]:
    """Return the gradient of -ln p(to | of), the mean over examples: of W and b."""
    away_NO = layer(of_NI).sigmoid() - to_NO
    return [away_NO.t() @ of_NI / len(of_NI), away_NO.mean(dim=0)]
