"""Players, losses and regularisers, each held to what its file says of it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from lightning_modules.adversaries import ADVERSARIES
from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.adversaries._field import exactly, field, jacobian, shears
from lightning_modules.adversaries._round import Game, Round
from lightning_modules.adversaries.gan import GAN
from lightning_modules.adversaries.losses import LOSSES
from lightning_modules.adversaries.regularisers import REGULARISERS
from lightning_modules.adversaries.regularisers.consensus import Consensus
from lightning_modules.adversaries.regularisers.instance_noise import InstanceNoise
from lightning_modules.adversaries.regularisers.r1 import R1
from lightning_modules.registry import UnknownNameError
from tests.adversary_cases import (
    ADVERSARY_CASES,
    LOSS_CASES,
    REGULARISER_CASES,
    AdversaryCase,
    dirac,
    origin,
)

B = 5
CASES = pytest.mark.parametrize("case", ADVERSARY_CASES.values(), ids=ADVERSARY_CASES)


def _made(case: AdversaryCase) -> tuple[Adversary, Tensor, Tensor, Tensor]:
    """Return players in float64, samples, classes and latent vectors."""
    torch.manual_seed(0)
    adversary = case.build().double()
    x_BI = torch.rand(B, adversary.sample_size).double()
    z_BZ = torch.randn(B, adversary.latent_size).double()
    return adversary, x_BI, torch.arange(B) % adversary.classes, z_BZ


def test_every_file_has_a_case() -> None:
    assert set(ADVERSARIES) == set(ADVERSARY_CASES)
    assert set(LOSSES) == set(LOSS_CASES)
    assert set(REGULARISERS) == set(REGULARISER_CASES)


@pytest.mark.parametrize("name", ADVERSARIES)
def test_players_have_the_weights_known_beforehand_and_share_none(name: str) -> None:
    adversary = ADVERSARY_CASES[name].build()
    assert isinstance(adversary, ADVERSARIES[name])
    players = adversary.generator, adversary.discriminator
    sizes = tuple(sum(w.numel() for w in of.parameters()) for of in players)
    assert sizes == ADVERSARY_CASES[name].parameters
    both = [w for of in players for w in of.parameters()]
    assert len({id(w) for w in both}) == len(list(adversary.parameters())) == len(both)
    assert not list(adversary.buffers()), "nothing is learned but by a player's own steps"


@CASES
def test_samples_of_a_batch_do_not_see_each_other(case: AdversaryCase) -> None:
    adversary, x_BI, y_B, z_BZ = _made(case)
    made_BI = adversary.generate(z_BZ, y_B)
    assert made_BI.shape == x_BI.shape
    told_B = adversary.discriminate(x_BI, y_B)
    assert told_B.shape == (B,)
    one = slice(2, 3)
    torch.testing.assert_close(made_BI[one], adversary.generate(z_BZ[one], y_B[one]))
    torch.testing.assert_close(told_B[one], adversary.discriminate(x_BI[one], y_B[one]))


@CASES
def test_the_class_makes_a_difference_to_both_players_where_it_is_seen(case: AdversaryCase) -> None:
    adversary, x_BI, y_B, z_BZ = _made(case)
    other_B = (y_B + 1) % max(2, adversary.classes)
    same = [
        torch.equal(adversary.generate(z_BZ, y_B), adversary.generate(z_BZ, other_B)),
        torch.equal(adversary.discriminate(x_BI, y_B), adversary.discriminate(x_BI, other_B)),
    ]
    assert same == [not case.sees] * 2


@CASES
def test_derivatives_are_those_of_finite_differences(case: AdversaryCase) -> None:
    adversary, x_BI, y_B, z_BZ = _made(case)
    names = [name for name, _ in adversary.named_parameters()]

    class Score(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.adversary = adversary

        def forward(self, z_BZ: Tensor, x_BI: Tensor) -> Any:
            made_BI = adversary.generate(z_BZ, y_B)
            return adversary.discriminate(made_BI, y_B), adversary.discriminate(x_BI, y_B)

    def scores(z_BZ: Tensor, x_BI: Tensor, *weights: Tensor) -> Any:
        given = {f"adversary.{k}": w for k, w in zip(names, weights, strict=True)}
        return functional_call(Score(), given, (z_BZ, x_BI))

    inputs = z_BZ.requires_grad_(), x_BI.requires_grad_(), *adversary.parameters()
    assert torch.autograd.gradcheck(scores, inputs, fast_mode=True)


REFUSED = [(name, i) for name, case in ADVERSARY_CASES.items() for i in range(len(case.refused))]


@pytest.mark.parametrize(("name", "which"), REFUSED)
def test_what_cannot_be_built_is_refused_in_a_line(name: str, which: int) -> None:
    build, says = ADVERSARY_CASES[name].refused[which]
    with pytest.raises(ValueError, match=says) as caught:
        build()
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_loss_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"one of the losses: did you mean 'saturating'\?"):
        LOSSES["saturatng"]


@pytest.mark.parametrize("name", REGULARISERS)
def test_a_regulariser_of_no_strength_is_refused_in_a_line(name: str) -> None:
    with pytest.raises(ValueError, match="it must be finite and above 0"):
        REGULARISER_CASES[name].refused()


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_their_equations_and_hold_for_scores_of_any_size(name: str) -> None:
    case, loss = LOSS_CASES[name], LOSSES[name]()
    d_B, g_B = torch.randn(2, B).double()
    torch.testing.assert_close(loss.discriminator(d_B, g_B), case.discriminator(d_B, g_B))
    torch.testing.assert_close(loss.generator(g_B), case.generator(g_B))
    far = torch.tensor([1e4, -1e4])
    assert math.isfinite(float(loss.discriminator(far, far)))
    assert math.isfinite(float(loss.generator(far)))
    g_B.requires_grad_()
    (of_D,) = torch.autograd.grad(loss.discriminator(d_B, g_B), g_B)
    (of_G,) = torch.autograd.grad(loss.generator(g_B), g_B)
    assert torch.allclose(of_D, -of_G) == case.zero_sum


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "name", [None, *(n for n, of in REGULARISER_CASES.items() if of.eigenvalues)]
)
def test_the_dirac_gan_has_its_published_eigenvalues(loss: str, name: str | None) -> None:
    """Mescheder (2018): ±f'(0) i, -γ/2 ± √(γ²/4 - f'(0)²), -γ f'(0)² ± f'(0) i."""
    slope = LOSS_CASES[loss].slope
    case = REGULARISER_CASES[name] if name else None
    game = Game(dirac(), LOSSES[loss](), [case.build()] if case else [])
    found = torch.linalg.eigvals(jacobian(Round(game, *origin())))
    wanted = [complex(0, -slope), complex(0, slope)]
    if case and case.eigenvalues:
        wanted = case.eigenvalues(slope)
    in_order = sorted(found.tolist(), key=lambda v: (round(v.real, 9), v.imag))
    assert in_order == pytest.approx(sorted(wanted, key=lambda v: (round(v.real, 9), v.imag)))


def test_noise_damps_the_dirac_gan_on_average() -> None:
    """-σ²/4 ± √(σ⁴/16 - ¼), with what the draw's own squares are in place of σ²."""
    torch.manual_seed(0)
    sigma, samples = 0.7, 400_000
    game = Game(dirac(), LOSSES["saturating"](), [InstanceNoise(sigma)])
    found = torch.linalg.eigvals(jacobian(Round(game, *origin(samples))))
    error = sigma**2 * math.sqrt(2 / samples) / math.sqrt(2) / 4  # of the mean of two draws
    assert float(found.real.mean()) == pytest.approx(-(sigma**2) / 4, abs=5 * error)
    assert float(found.imag.max()) == pytest.approx((0.25 - sigma**4 / 16) ** 0.5, abs=1e-3)


def _game(*regularisers: Any) -> tuple[Game, tuple[Tensor, Tensor, Tensor]]:
    """Return a game of two perceptrons in float64 and a batch."""
    torch.manual_seed(1)
    adversary = GAN(2, 1, [3], [4]).double()
    batch = torch.randn(B, 2).double(), torch.zeros(B).long(), torch.randn(B, 1).double()
    return Game(adversary, LOSSES["non_saturating"](), regularisers), batch


@pytest.mark.parametrize("regularisers", [[], [R1(0.5)], [Consensus(0.5)], [R1(0.2), Consensus(1)]])
def test_the_jacobian_of_the_field_is_that_of_finite_differences(regularisers: Any) -> None:
    game, batch = _game(*regularisers)
    played = Round(game, *batch)
    J_PP, weights = jacobian(played), [*played.weights_D, *played.weights_G]
    step, columns = 1e-6, []
    for w in weights:
        for i in range(w.numel()):
            ends = []
            for sign in (1, -1):
                with torch.no_grad():
                    w.view(-1)[i] += sign * step
                ends.append(field(Round(game, *batch)))
                with torch.no_grad():
                    w.view(-1)[i] -= sign * step
            columns.append((ends[0] - ends[1]) / (2 * step))
    torch.testing.assert_close(J_PP, torch.stack(columns, dim=1), rtol=1e-5, atol=1e-7)


def test_r1_and_consensus_add_what_they_say() -> None:
    game, (x_BI, y_B, z_BZ) = _game()
    plain = Round(game, x_BI, y_B, z_BZ)
    slopes = []
    for x_I in x_BI:
        x_I = x_I.clone().requires_grad_()
        (slope,) = torch.autograd.grad(game.adversary.discriminate(x_I[None], y_B[:1]).sum(), x_I)
        slopes.append(float(slope.norm() ** 2))
    r1 = Round(game._replace(regularisers=[R1(0.6)]), x_BI, y_B, z_BZ)
    added = float(r1.loss_D.detach() - plain.plain_D.detach())
    assert added == pytest.approx(0.3 * sum(slopes) / B)
    assert float(r1.loss_G.detach()) == float(plain.plain_G.detach())
    both = Round(game._replace(regularisers=[Consensus(0.6)]), x_BI, y_B, z_BZ)
    length = 0.3 * float(field(plain).norm() ** 2)
    for seen, alone in ((both.loss_D, plain.plain_D), (both.loss_G, plain.plain_G)):
        assert float(seen.detach() - alone.detach()) == pytest.approx(length)


def test_noise_is_before_data_and_samples_alike_and_drawn_for_each() -> None:
    torch.manual_seed(0)
    shown = InstanceNoise(2.0).shown(torch.zeros(50_000, 2))
    assert float(shown.std()) == pytest.approx(2.0, rel=0.02)
    game, batch = _game(InstanceNoise(1.0))
    played, silent = Round(game, *batch), Round(_game()[0], *batch)
    assert not torch.isclose(played.d_B, silent.d_B).any()
    assert not torch.isclose(played.g_B, silent.g_B).any()


def test_a_copy_in_float64_leaves_the_players_alone() -> None:
    game, batch = _game()
    before = [w.clone() for w in game.adversary.parameters()]
    played = exactly(game, *batch)
    with torch.no_grad():
        for w in played.game.adversary.parameters():
            w.add_(1.0)
    assert all(map(torch.equal, before, game.adversary.parameters()))


@pytest.mark.parametrize("step", [0.1, 0.4])
def test_one_after_the_other_turns_without_growing_where_both_at_once_grow(step: float) -> None:
    J_PP = jacobian(Round(Game(dirac(), LOSSES["saturating"]()), *origin()))
    at_once = torch.linalg.eigvals(torch.eye(2).double() + step * J_PP).abs()
    in_turn = torch.linalg.eigvals(shears(J_PP, 1, step)).abs()
    assert at_once.tolist() == pytest.approx([math.sqrt(1 + step**2 / 4)] * 2)
    assert in_turn.tolist() == pytest.approx([1.0, 1.0])
