"""Free-running decoding, where a decoder is fed its own tokens: greedy or by beam search.

    greedy     y_t = the most likely token after y_1 … y_{t-1}
    beam       of all continuations of ``width`` beginnings, the ``width`` most likely go on; one
               that ends leaves the beam and competes with all others that ended, by

                   score(Y) = log P(Y) / ((5 + |Y|) / 6)^penalty          |Y| counts the end

A beam of width 1 is greedy; one as wide as there are sequences searches all of them. A penalty of 0
scores by the log-probability, which favours short sequences. A sample is done when no beginning in
the beam can beat the best that ended: log P only falls, and the divisor is largest at ``at_most``
tokens. A sequence that has not ended by then is cut there and competes as it is.

Padding is never chosen. The targets are not used; only the token that begins them is given.

References:
    Sutskever, Vinyals & Le (2014), Sequence to sequence learning with neural networks, NeurIPS.
    Wu et al. (2016), Google's neural machine translation system, arXiv:1609.08144, section 7: the
        penalty, there 0.6 to 1.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.networks._transducer import PADDING, Encoded, Transducer


class Ends(NamedTuple):
    """The tokens that begin and end a target, its greatest length, and tokens never chosen."""

    begin: int
    end: int
    at_most: int
    """Tokens, the end among them."""
    never: Sequence[int] = ()
    """Tokens that are not chosen beside padding, such as that of unknown words."""


class Found(NamedTuple):
    """The best that was found for each sample."""

    said_TB: Tensor
    """Its tokens, the end among them where it came, and padding after it."""
    score_B: Tensor


def greedy(network: Transducer, source_SB: Tensor, ends: Ends) -> Found:
    """Return the sequence of the most likely token at each step; its score is log P."""
    return beam(network, source_SB, ends, width=1)


@torch.no_grad()
def beam(
    network: Transducer, source_SB: Tensor, ends: Ends, width: int, penalty: float = 0.0
) -> Found:
    """Return the best sequence that a beam finds; ValueError for numbers out of range.

    The network must be in evaluation mode (else ValueError): dropout would make results random.
    """
    whole(1, width=width, at_most=ends.at_most)
    above(0, or_equal=True, penalty=penalty)
    if network.training:
        raise ValueError("the network is in training mode, in which it draws: call eval() first")
    return _Beams(network, network.encode(source_SB), ends, width, penalty).search()


class _Beams:
    """K beginnings of each of B samples that go on, and the best that ended."""

    def __init__(
        self, network: Transducer, encoded: Encoded, ends: Ends, width: int, penalty: float
    ):
        self.network, self.ends, self.width, self.penalty = network, ends, width, penalty
        B, at = encoded.state_BH.shape[0], encoded.state_BH.device
        self.encoded = encoded.of(torch.arange(B, device=at).repeat_interleave(width))
        self.h_NH = self.encoded.state_BH  # N = B K
        self.logp_BK = self.h_NH.new_full((B, width), -math.inf)
        self.logp_BK[:, 0] = 0  # at first all beginnings are the same: one of them counts
        self.said_BKT = torch.full((B, width, ends.at_most), PADDING, device=at)
        self.best_B = self.h_NH.new_full((B,), -math.inf)
        self.best_BT = self.said_BKT[:, 0].clone()

    def search(self) -> Found:
        """Go on until nothing can get better, or to the greatest length."""
        fed_BK = torch.full_like(self.said_BKT[..., 0], self.ends.begin)
        for t in range(self.ends.at_most):
            fed_BK = self._extend(t, fed_BK)
            self._compete(t, (fed_BK == self.ends.end) | (t + 1 == self.ends.at_most))
            if self._settled():
                break
        return Found(self.best_BT.t(), self.best_B)

    def _extend(self, t: int, fed_BK: Tensor) -> Tensor:
        """Take the likeliest continuations; return their last tokens."""
        B, K = fed_BK.shape
        z_NO, h_NH = self.network.step(fed_BK.flatten(), self.h_NH, self.encoded)
        logp_NO = z_NO.log_softmax(dim=-1)
        logp_NO[:, [PADDING, *self.ends.never]] = -math.inf
        logp_BKO = self.logp_BK[..., None] + logp_NO.unflatten(0, (B, K))
        self.logp_BK, choice_BK = logp_BKO.flatten(1).topk(K)
        from_BK, token_BK = choice_BK // z_NO.shape[-1], choice_BK % z_NO.shape[-1]
        first_B1 = torch.arange(B, device=fed_BK.device)[:, None] * K
        self.h_NH = h_NH[(first_B1 + from_BK).flatten()]
        self.said_BKT = self.said_BKT.gather(1, from_BK[..., None].expand_as(self.said_BKT))
        self.said_BKT[..., t] = token_BK
        return token_BK

    def _compete(self, t: int, over_BK: Tensor) -> None:
        """Let sequences that end, at t + 1 tokens, compete with the best and leave the beam."""
        score_BK = self.logp_BK.masked_fill(~over_BK, -math.inf) / self._divisor(t + 1)
        score_B, k_B = score_BK.max(dim=1)
        better_B = score_B > self.best_B
        said_BT = self.said_BKT[torch.arange(len(k_B), device=k_B.device), k_B]
        self.best_B = torch.where(better_B, score_B, self.best_B)
        self.best_BT = torch.where(better_B[:, None], said_BT, self.best_BT)
        self.logp_BK = self.logp_BK.masked_fill(over_BK, -math.inf)

    def _settled(self) -> bool:
        """Tell whether in no sample a beginning can still beat the best that ended."""
        best_BK = self.logp_BK / self._divisor(self.ends.at_most)
        return bool((best_BK <= self.best_B[:, None]).all())

    def _divisor(self, tokens: int) -> float:
        return ((5 + tokens) / 6) ** self.penalty
