"""Encoder–decoders: what padding, teacher forcing and attention do, and where error goes."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lightning_modules.interfaces import Batch
from lightning_modules.networks._transducer import Transducer
from lightning_modules.networks.attention_decoder import AttentionDecoder
from lightning_modules.networks.encoder_decoder import EncoderDecoder
from lightning_modules.training.watch import watch
from pipeline.tasks._pairs import RESERVED, batch_of

SYMBOLS = 6
KINDS = pytest.mark.parametrize("kind", [EncoderDecoder, AttentionDecoder])
WAYS = pytest.mark.parametrize("both_ways", [False, True])


def made(kind: Any, **how: Any) -> Transducer:
    """Return a network in float64."""
    torch.manual_seed(0)
    return kind(RESERVED + SYMBOLS, RESERVED + SYMBOLS, 8, 5, **how).double()


def pairs(count: int = 64) -> tuple[list[Tensor], list[Tensor]]:
    """Return sources and targets of 1 to 9 random symbols, lengths unlike."""
    torch.manual_seed(1)
    lengths = torch.randint(1, 10, (2, count)).tolist()
    return tuple(  # pyright: ignore[reportReturnType]
        [torch.randint(RESERVED, RESERVED + SYMBOLS, (n,)) for n in of] for of in lengths
    )


def loss(network: Transducer, batch: Batch) -> Tensor:
    """Return the loss summed over what counts."""
    z_TBO = network(batch.x_TBI.double())
    return cross_entropy(z_TBO[batch.mask_TB], batch.y_TB[batch.mask_TB], reduction="sum")


@KINDS
@WAYS
def test_padding_changes_neither_outputs_nor_losses_nor_gradients(kind: Any, both_ways: bool):
    network, (sources, targets) = made(kind, both_ways=both_ways), pairs()
    together = batch_of(sources, targets)
    z_TBO = network(together.x_TBI)
    whole = loss(network, together)
    gradients = torch.autograd.grad(whole, list(network.parameters()))
    parts, sums = [], [torch.zeros_like(w) for w in network.parameters()]
    for b, (source, target) in enumerate(zip(sources, targets, strict=True)):
        alone = batch_of([source], [target])
        counted = alone.mask_TB[:, 0]
        single = network(alone.x_TBI)[counted, 0]
        torch.testing.assert_close(single, z_TBO[: len(counted)][counted, b], rtol=0, atol=1e-12)
        parts.append(loss(network, alone))
        for total, g in zip(
            sums, torch.autograd.grad(parts[-1], list(network.parameters())), strict=True
        ):
            total += g
    torch.testing.assert_close(whole, torch.stack(parts).sum(), rtol=1e-12, atol=0)
    for total, g in zip(sums, gradients, strict=True):
        torch.testing.assert_close(total, g, rtol=1e-9, atol=1e-11)


@KINDS
def test_steps_one_by_one_are_all_steps_at_once(kind: Any):
    network, (sources, targets) = made(kind, both_ways=True), pairs(5)
    source_TB, fed_TB = batch_of(sources, targets).x_TBI.permute(2, 0, 1)
    encoded = network.encode(source_TB)
    h_BH, steps = encoded.state_BH, []
    for fed_B in fed_TB:
        z_BO, h_BH = network.step(fed_B, h_BH, encoded)
        steps.append(z_BO)
    torch.testing.assert_close(torch.stack(steps), network.decode(fed_TB, encoded))


@KINDS
def test_a_decoder_that_is_never_fed_the_target_does_not_see_it(kind: Any):
    network, batch = made(kind, teacher_forcing=0.0).train(), batch_of(*pairs(5))
    other_TBI = batch.x_TBI.clone()
    other_TBI[1:, :, 1] = RESERVED
    torch.testing.assert_close(network(batch.x_TBI), network(other_TBI), rtol=0, atol=0)
    network.eval()
    assert not torch.equal(network(batch.x_TBI), network(other_TBI)), "evaluation is teacher-forced"


@KINDS
def test_the_share_of_teacher_forcing_is_that_of_the_steps_that_are_fed_the_target(kind: Any):
    network = made(kind, teacher_forcing=0.25).train()
    x_TBI = torch.full((401, 20, 2), RESERVED)
    fed: list[Tensor] = []
    step = network.step

    def noted(fed_B: Tensor, h_BH: Tensor, encoded: Any) -> Any:
        fed.append(fed_B)
        z_BO, h_BH = step(fed_B, h_BH, encoded)
        return z_BO.index_fill(1, torch.tensor([RESERVED + 1]), 1e9), h_BH

    network.step = noted  # pyright: ignore[reportAttributeAccessIssue]
    network(x_TBI)
    given = (torch.stack(fed)[1:] == RESERVED).double()
    deviation = (0.25 * 0.75 / given.numel()) ** 0.5
    assert float(given.mean()) == pytest.approx(0.25, abs=4 * deviation)


@KINDS
def test_teacher_forcing_at_all_steps_is_what_evaluation_does(kind: Any):
    network, batch = made(kind).train(), batch_of(*pairs(5))
    torch.testing.assert_close(network(batch.x_TBI), network.eval()(batch.x_TBI), rtol=0, atol=0)
    network.teacher_forcing = 1 - 1e-9
    torch.testing.assert_close(network.train()(batch.x_TBI), network.eval()(batch.x_TBI))


def test_attention_is_a_distribution_over_the_tokens_of_the_source():
    network, (sources, targets) = made(AttentionDecoder, both_ways=True), pairs(20)
    assert isinstance(network, AttentionDecoder)
    encoded = network.encode(batch_of(sources, targets).x_TBI[..., 0])
    a_BTS = network.weights(torch.randn(3, 20, 8).double(), encoded)
    torch.testing.assert_close(a_BTS.sum(-1), torch.ones(20, 3).double())
    for a_TS, source in zip(a_BTS, sources, strict=True):
        assert (a_TS[:, : len(source)] > 0).all()
        assert (a_TS[:, len(source) :] == 0).all()


def test_attention_is_luongs_equations_at_one_step():
    network = made(AttentionDecoder)
    assert isinstance(network, AttentionDecoder)
    encoded, h_H = network.encode(torch.tensor([[4], [5], [7]])), torch.randn(8).double()
    m_SM = encoded.memory_SBM[:, 0]
    a_S = torch.stack([h_H @ network.score.weight @ m for m in m_SM]).exp()
    c_M = (a_S / a_S.sum()) @ m_SM
    W, b, V = network.show.weight, network.show.bias, network.show_context.weight
    shown = network.shown(h_H[None, None], encoded)[0, 0]
    torch.testing.assert_close(shown, (W @ h_H + V @ c_M + b).tanh())


def read_by_the_decoder(network: Transducer, batch: Batch) -> Tensor:
    """Return ∂L/∂m_s at fixed other m, its norm over samples by position, (S,)."""
    source_TB, fed_TB = batch.x_TBI.permute(2, 0, 1)
    encode = network.encode(source_TB)
    memory_SBM = encode.memory_SBM
    z_TBO = network.decode(fed_TB, encode)
    value = cross_entropy(z_TBO[batch.mask_TB], batch.y_TB[batch.mask_TB])
    (g_SBM,) = torch.autograd.grad(value, memory_SBM)
    return g_SBM.flatten(1).norm(dim=1)


def test_without_attention_the_decoder_reads_the_last_state_alone_with_it_all_of_them():
    alike = [torch.randint(RESERVED, RESERVED + SYMBOLS, (6,)) for _ in range(4)]
    plain = read_by_the_decoder(made(EncoderDecoder), batch_of(alike, alike))[:6]
    assert (plain[:-1] == 0).all()
    assert plain[-1] > 0
    assert (read_by_the_decoder(made(AttentionDecoder), batch_of(alike, alike))[:6] > 0).all()


@KINDS
def test_probes_see_the_encoder_both_ways_and_the_decoder(kind: Any):
    network, batch = made(kind, both_ways=True), batch_of(*pairs(5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with watch(network, ["error_flow"]) as record:
            loss(network, batch).backward()
    modules = {row["module"] for row in record.rows}
    assert modules == {"reader.forwards", "reader.backwards", "decoder"}
    assert all(row["value"] is not None for row in record.rows)


@KINDS
@pytest.mark.parametrize(
    ("x_TBI", "says"),
    [
        (torch.zeros(3, 2, 1), r"x is \(3, 2, 1\): its columns are source and decoder inputs"),
        (
            torch.zeros(3, 2, 2, dtype=torch.bfloat16),
            "bfloat16, which tells whole numbers apart up to 256, and there are 300 ids",
        ),
    ],
)
def test_inputs_that_hold_no_tokens_are_refused_in_a_line(kind: Any, x_TBI: Tensor, says: str):
    with pytest.raises(ValueError, match=says) as caught:
        kind(300, 5, 4, 3)(x_TBI)
    assert len(str(caught.value).splitlines()) == 1
