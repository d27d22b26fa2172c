"""A stack of RBMs as initial weights of a network that is then trained by back-propagation.

    mlp            hidden layer k: W_k', c_k        output: the classes' weights and biases
    autoencoder    encoder k: W_k', c_k             decoder, mirrored: W_k, b_k

Weights are copied, not shared. A network of logistic units then computes what the stack does in
means; an autoencoder's code is linear, as the hidden units of a LinearRBM are.

References:
    Hinton, Osindero & Teh (2006), A fast learning algorithm for deep belief nets, Neural
        Computation 18(7).
    Hinton & Salakhutdinov (2006), Reducing the dimensionality of data with neural networks, Science
        313: unrolled and fine-tuned.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_modules.networks.autoencoder import Autoencoder
from lightning_modules.networks.mlp import MLP
from lightning_modules.training.greedy import Layer


def into_mlp(rbms: Sequence[Layer], network: MLP) -> None:
    """Start a network's hidden layers, and its output where the stack has classes, in place.

    ValueError where their sizes do not fit.
    """
    layers = [layer for layer in network.children() if isinstance(layer, nn.Linear)]
    if len(layers) != len(rbms) + 1:
        raise ValueError(f"{len(rbms)} RBMs start as many hidden layers, not {len(layers) - 1}")
    for rbm, layer in zip(rbms, layers, strict=False):
        _copy(rbm.W[: rbm.input_size].t(), rbm.c, layer)
    top = rbms[-1]
    if top.classes:
        _copy(top.W[top.input_size :], top.b[top.input_size :], layers[-1])


def into_autoencoder(rbms: Sequence[Layer], network: Autoencoder) -> None:
    """Start both halves of an autoencoder, in place; ValueError where their sizes do not fit."""
    halves = list(network.encoder), list(network.decoder)[::-1]
    if len(rbms) != len(halves[0]):
        raise ValueError(f"{len(rbms)} RBMs start as many encoding layers, not {len(halves[0])}")
    for rbm, up, down in zip(rbms, *halves, strict=True):
        _copy(rbm.W.t(), rbm.c, up[0])  # pyright: ignore[reportIndexIssue]
        _copy(rbm.W, rbm.b, down[0])  # pyright: ignore[reportIndexIssue]


@torch.no_grad()
def _copy(W_OI: Tensor, b_O: Tensor, layer: nn.Module) -> None:
    """Copy weights into a layer; ValueError where they do not fit."""
    assert isinstance(layer, nn.Linear)
    if layer.weight.shape != W_OI.shape:
        raise ValueError(
            f"a layer of {tuple(layer.weight.shape)} weights, from an RBM's {tuple(W_OI.shape)}: "
            "build both of the same sizes"
        )
    layer.weight.copy_(W_OI)
    layer.bias.copy_(b_O)
