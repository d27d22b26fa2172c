"""Sampling text from a language model at a temperature.

    p(x) ∝ exp(ln p_model(x) / temperature)

Temperature 1 is the model itself; lower temperatures favour likely tokens, so the entropy falls;
at 0 the likeliest token is taken each time.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.training.modes import evaluating

if TYPE_CHECKING:
    from lightning_modules.networks.language_model import LanguageModel


def tempered(log_NV: Tensor, temperature: float) -> Tensor:
    """Return the probabilities at a temperature, (N, V); at 0 the likeliest token has 1."""
    above(0, or_equal=True, temperature=temperature)
    if temperature == 0:
        p_NV = torch.zeros_like(log_NV)
        return p_NV.scatter_(-1, log_NV.argmax(dim=-1, keepdim=True), 1.0)
    # The largest is subtracted first: divided by a small temperature, it would overflow.
    return ((log_NV - log_NV.amax(dim=-1, keepdim=True)) / temperature).softmax(dim=-1)


def entropy(p_NV: Tensor) -> Tensor:
    """Return the entropy of each distribution in nats, (N,)."""
    return torch.special.entr(p_NV).sum(dim=-1)


@torch.no_grad()
def continued(
    network: "LanguageModel", start: Sequence[int], length: int, temperature: float, seed: int
) -> list[int]:
    """Return ``length`` sampled tokens after ``start`` (at least one token); dropout is off."""
    whole(1, length=length, start=len(start))
    whole(0, seed=seed)
    device = next(network.parameters()).device
    random = torch.Generator().manual_seed(seed)
    given = torch.tensor(start, device=device)
    state, said = None, list[int]()
    with evaluating(network):
        for _ in range(length):
            h_TBH, state = network.read(given[:, None, None], state)
            log_1V = network.log_probabilities(h_TBH[-1:])[0]
            p_1V = tempered(log_1V, temperature).cpu()
            said.append(int(torch.multinomial(p_1V, 1, generator=random)))
            given = torch.tensor(said[-1:], device=device)
    return said


@torch.no_grad()
def entropy_along(network: "LanguageModel", read: Sequence[int], temperature: float) -> float:
    """Return the mean entropy in nats of the model's predictions after each token of a text."""
    device = next(network.parameters()).device
    with evaluating(network):
        log_TBV = network(torch.tensor(read, device=device)[:, None, None])
    return float(entropy(tempered(log_TBV[:, 0], temperature)).mean())
