"""Searching a decoder: greedy, exhaustive, and what ends a beam."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.networks._search import Ends, beam, greedy
from lightning_modules.networks._transducer import Transducer
from lightning_modules.networks.attention_decoder import AttentionDecoder
from lightning_modules.networks.encoder_decoder import EncoderDecoder

V, L, END = 4, 4, 1
ENDS = Ends(begin=2, end=END, at_most=L)
SOURCE_SB = torch.tensor([[3, 4, 5], [4, 0, 6], [3, 0, 0]])
KINDS = pytest.mark.parametrize("kind", [EncoderDecoder, AttentionDecoder])


def made(kind: Any, seed: int = 0) -> Transducer:
    """Return a network whose outputs are far from even."""
    torch.manual_seed(seed)
    network = kind(7, V, 6, 4).double().eval()
    for weights in network.parameters():
        weights.data *= 3
    return network


@torch.no_grad()
def log_p(network: Transducer, source_S1: Tensor, said: list[tuple[int, ...]]) -> list[float]:
    """Return log P of each of what may be said, by one teacher-forced pass."""
    said_TN = pad_sequence([torch.tensor(tokens) for tokens in said])
    fed_TN = torch.cat([torch.full_like(said_TN[:1], ENDS.begin), said_TN[:-1]])
    encoded = network.encode(source_S1).of(torch.zeros(len(said), dtype=torch.long))
    logp_TNO = network.decode(fed_TN, encoded).log_softmax(-1)
    each_TN = logp_TNO.gather(-1, said_TN[..., None])[..., 0]
    return (each_TN * (said_TN != 0)).sum(0).tolist()


def everything() -> list[tuple[int, ...]]:
    """Return all that can be said in L tokens: what ends, and what is cut."""
    tokens = [token for token in range(1, V) if token != END]
    ended = [(*of, END) for n in range(L) for of in itertools.product(tokens, repeat=n)]
    return [*ended, *itertools.product(tokens, repeat=L)]


def told(said_T: Tensor) -> tuple[int, ...]:
    """Return tokens without padding."""
    return tuple(token for token in said_T.tolist() if token)


@torch.no_grad()
def step_by_step(network: Transducer, source_S1: Tensor) -> tuple[int, ...]:
    """Return what always taking the likeliest leads to, written plainly."""
    encoded, said = network.encode(source_S1), [ENDS.begin]
    h_1H = encoded.state_BH
    while len(said) <= L and said[-1] != END:
        z_1O, h_1H = network.step(torch.tensor(said[-1:]), h_1H, encoded)
        said.append(1 + int(z_1O[0, 1:].argmax()))
    return tuple(said[1:])


@KINDS
@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_greedy(kind: Any, seed: int):
    network = made(kind, seed)
    for penalty in (0.0, 1.0):
        found = beam(network, SOURCE_SB, ENDS, width=1, penalty=penalty)
        for b, said_T in enumerate(found.said_TB.t()):
            source_S1 = SOURCE_SB[:, b : b + 1]
            assert told(said_T) == step_by_step(network, source_S1)
    assert torch.equal(greedy(network, SOURCE_SB, ENDS).said_TB, found.said_TB)


@KINDS
@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_beam_as_wide_as_there_are_sequences_finds_the_best_of_all(
    kind: Any, seed: int, penalty: float
):
    network = made(kind, seed)
    found = beam(network, SOURCE_SB, ENDS, width=V**L, penalty=penalty)
    for b, said_T in enumerate(found.said_TB.t()):
        source_S1 = SOURCE_SB[:, b : b + 1]
        known = zip(everything(), log_p(network, source_S1, everything()), strict=True)
        scored = {said: p / ((5 + len(said)) / 6) ** penalty for said, p in known}
        best = max(scored, key=lambda said: scored[said])
        assert told(said_T) == best
        assert float(found.score_B[b]) == pytest.approx(scored[best], abs=1e-10)


class Scripted(EncoderDecoder):  # pyright: ignore[reportGeneralTypeIssues]
    """A decoder whose probabilities hang on the last token alone, from a table."""

    table: dict[int, list[float]]

    def step(self, fed_B: Tensor, h_BH: Tensor, encoded: Any) -> tuple[Tensor, Tensor]:
        """Return the table's entries."""
        rows = [self.table.get(int(token), EVEN) for token in fed_B]
        return torch.tensor(rows).log(), h_BH


def scripted(table: dict[int, list[float]]) -> Scripted:
    """Return one: tokens are 1, which ends, and 3 to 5; 2 begins."""
    network = Scripted(7, 6, 2, 2).eval()
    network.table = table
    return network


EVEN = [1 / 6] * 6
"""After a token that is not in the table: what goes on from where all is over."""
LURING = {
    2: [0, 0.3, 0, 0.36, 0.34, 0],  # to end at once is less likely than either way on
    3: [0, 0.1, 0, 0.3, 0.3, 0.3],
    4: [0, 0.0, 0, 0.0, 0.0, 1.0],
    5: [0, 1.0, 0, 0.0, 0.0, 0.0],
}


def test_a_wider_beam_finds_what_greed_misses():
    network, ends = scripted(LURING), Ends(2, 1, 6)
    said = beam(network, SOURCE_SB[:, :1], ends, width=2)
    assert told(said.said_TB[:, 0]) == (4, 5, 1)
    assert float(said.score_B[0]) == pytest.approx(math.log(0.34))
    assert told(greedy(network, SOURCE_SB[:, :1], ends).said_TB[:, 0])[0] == 3


def test_a_beam_does_not_end_with_the_first_that_ends():
    ending = {**LURING, 2: [0, 0.35, 0, 0.25, 0.4, 0]}
    network = scripted(ending)
    found = beam(network, SOURCE_SB[:, :1], Ends(2, 1, 6), width=2)
    assert told(found.said_TB[:, 0]) == (4, 5, 1), "0.4 after three tokens, 0.35 at once"


def test_a_penalty_on_length_lets_the_longer_one_win():
    ending = {**LURING, 2: [0, 0.45, 0, 0.15, 0.4, 0]}
    network = scripted(ending)
    lengths = {
        penalty: len(told(beam(network, SOURCE_SB[:, :1], Ends(2, 1, 6), 2, penalty).said_TB[:, 0]))
        for penalty in (0.0, 1.0)
    }
    assert lengths == {0.0: 1, 1.0: 3}


def test_what_is_never_to_be_said_is_not_said():
    found = beam(scripted(LURING), SOURCE_SB[:, :1], Ends(2, 1, 6, never=(4,)), width=3)
    assert 4 not in told(found.said_TB[:, 0])


@KINDS
def test_a_sample_is_searched_as_if_it_were_alone(kind: Any):
    network = made(kind)
    together = beam(network, SOURCE_SB, ENDS, width=3)
    for b in range(SOURCE_SB.shape[1]):
        length = int((SOURCE_SB[:, b] != 0).sum())
        alone = beam(network, SOURCE_SB[:length, b : b + 1], ENDS, width=3)
        assert told(alone.said_TB[:, 0]) == told(together.said_TB[:, b])


def test_a_network_that_draws_is_not_searched():
    with pytest.raises(ValueError, match="training mode"):
        greedy(made(EncoderDecoder).train(), SOURCE_SB, ENDS)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"width": 0}, "width is 0: it must be at least 1"),
        ({"width": 2, "penalty": -1.0}, "penalty is -1.0: it must be finite and at least 0"),
    ],
)
def test_a_search_that_cannot_be_is_refused(how: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=says):
        beam(made(EncoderDecoder), SOURCE_SB, ENDS, **how)
