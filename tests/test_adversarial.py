"""Two players under a Trainer: each moves alone, runs resume bit for bit, and probes see them."""

import hashlib
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.adversaries import ADVERSARIES
from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.adversaries._round import Round
from lightning_modules.adversaries.gan import GAN
from lightning_modules.adversaries.losses import LOSSES
from lightning_modules.adversaries.regularisers import REGULARISERS
from lightning_modules.contracts._recall import Recall
from lightning_modules.probes import PROBES
from lightning_modules.training.adversarial import AdversarialLearner
from lightning_modules.training.fit import fit
from tests.adversary_cases import ADVERSARY_CASES
from tests.probing_learners import Spy
from tests.test_training_runs import RUN, killed

ORDERS = pytest.mark.parametrize("alternating", [True, False], ids=["in turn", "at once"])
STRENGTH: dict[str, float] = {"r1": 0.5, "consensus": 0.1, "instance_noise": 0.3}


def learner(
    name: str = "gan", loss: str = "non_saturating", *regularisers: str, **settings: Any
) -> AdversarialLearner:
    torch.manual_seed(0)
    adversary = GAN(3, 2, [4], [5]) if name == "gan" else ADVERSARIES[name]((12, 4), 2, 3, 6, 4)
    steady = [REGULARISERS[of](STRENGTH[of]) for of in regularisers]
    given = {"optimizer": "sgd", "learning_rate": 0.1, "regularisers": steady} | settings
    return AdversarialLearner(adversary.double(), LOSSES[loss](), **given).double()


def samples(task: Recall, index: int) -> tuple[Tensor, Tensor]:
    """Return a batch's counted samples and their classes."""
    batch = task.batch(index)
    return batch.x_TBI[batch.mask_TB].double(), batch.y_TB[batch.mask_TB]


def _down(weights: list[nn.Parameter], loss: Tensor, rate: float) -> list[Tensor]:
    """Return where a step down a loss leads."""
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    return [w.detach() - rate * g for w, g in zip(weights, gradients, strict=True)]


def _set(weights: list[nn.Parameter], values: list[Tensor]) -> None:
    with torch.no_grad():
        for w, v in zip(weights, values, strict=True):
            w.copy_(v)


@ORDERS
@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_is_the_players_going_down_their_losses(loss: str, alternating: bool) -> None:
    one, other, task = (*(learner(loss=loss, alternating=alternating) for _ in "ab"), Recall())
    one.generator_rate = 0.03
    rows = fit(one, task, steps=3, evaluate_every=1, seed=5)
    torch.manual_seed(5)
    for index in range(3):
        x_BI, y_B = samples(task, index)
        played = Round(other.game, x_BI, y_B, torch.randn(len(x_BI), 2).double())
        to_D = _down(played.weights_D, played.loss_D, 0.1)
        assert rows[index + 1]["train_loss"] == pytest.approx(float(played.plain_D.detach()))
        if alternating:
            _set(played.weights_D, to_D)
            played = Round(other.game, x_BI, y_B, torch.randn(len(x_BI), 2).double())
        to_G = _down(played.weights_G, played.loss_G, 0.03)
        _set(played.weights_D, to_D)
        _set(played.weights_G, to_G)
    for ours, theirs in zip(one.adversary.parameters(), other.adversary.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


class OfSize(Recall):
    """Samples of any size, of as many classes as players know."""

    def __init__(self, adversary: Adversary):
        super().__init__()
        self.input_size, self.output_size = adversary.sample_size, adversary.classes

    def batch(self, index: int) -> Any:
        batch = super().batch(index)
        return batch._replace(y_TB=torch.zeros_like(batch.y_TB))


@pytest.mark.parametrize("name", ADVERSARY_CASES)
def test_any_players_move_all_their_weights_under_a_trainer_and_the_same_each_time(
    name: str,
) -> None:
    def end() -> list[Tensor]:
        torch.manual_seed(0)
        adversary = ADVERSARY_CASES[name].build()
        before = [w.detach().clone() for w in adversary.parameters()]
        one = AdversarialLearner(adversary, LOSSES["non_saturating"](), "adam", 0.01)
        fit(one, OfSize(adversary), steps=2, evaluate_every=2, seed=0)
        after = [w.detach() for w in one.adversary.parameters()]
        pairs = zip(after, before, strict=True)
        assert all(bool(w.isfinite().all()) and not torch.equal(w, b) for w, b in pairs)
        return after

    assert all(map(torch.equal, end(), end()))


def _hash(player: nn.Module) -> str:
    parts = [v.numpy().tobytes() for v in player.state_dict().values()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


@ORDERS
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("regularisers", [(), ("r1",), ("consensus",), ("instance_noise",)])
def test_each_player_leaves_the_others_weights_as_they_are(
    regularisers: tuple[str, ...], optimizer: str, alternating: bool, monkeypatch: Any
) -> None:
    one = learner("gan", "saturating", *regularisers, optimizer=optimizer, alternating=alternating)
    players = [one.adversary.discriminator, one.adversary.generator]
    seen: list[int] = []
    move = AdversarialLearner._move

    def watched(self: Any, player: int, weights: Any, gradients: Any) -> None:
        before = [_hash(of) for of in players]
        move(self, player, weights, gradients)
        after = [_hash(of) for of in players]
        assert before[1 - player] == after[1 - player]
        assert before[player] != after[player]
        assert all(w.grad is None for of in players for w in of.parameters())
        seen.append(player)

    monkeypatch.setattr(AdversarialLearner, "_move", watched)
    fit(one, Recall(), steps=4, evaluate_every=4, seed=0)
    assert seen == [0, 1] * 4


SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "averaged": {"optimizer": "adam", "momentum": 0.5, "averaging": 0.9, "learning_rate": 0.01},
    "at once": {"alternating": False, "generator_rate": 0.02},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("regularisers", [(), ("r1", "instance_noise"), ("consensus",)])
def test_a_run_that_was_killed_goes_on_bit_for_bit(
    settings: dict[str, Any], regularisers: tuple[str, ...], tmp_path: Any
) -> None:
    def run(task: Recall, **saving: Any) -> tuple[Any, dict[str, Tensor]]:
        one = learner("gan", "saturating", *regularisers, **settings)
        seen = [PROBES["players"](3), PROBES["generated"](2), PROBES["game_spectrum"](5, leading=2)]
        rows = fit(one, task, **RUN, **saving, probes=seen)
        return rows, one.state_dict()

    expected = run(Recall())
    with killed():
        run(Recall(), scratch=tmp_path, checkpoint_every_seconds=0)
    task = Recall()
    rows, weights = run(task, scratch=tmp_path)
    assert task.served[0] == 8
    assert rows == expected[0]
    torch.testing.assert_close(weights, expected[1], rtol=0, atol=0)


def test_another_game_does_not_go_on_from_a_checkpoint(tmp_path: Any) -> None:
    with killed():
        fit(learner(), Recall(), **RUN, scratch=tmp_path, checkpoint_every_seconds=0)
    for other in (learner("gan", "saturating"), learner("gan", "non_saturating", "r1")):
        task = Recall()
        fit(other, task, **RUN, scratch=tmp_path)
        assert task.served[3] == 0, "after three held-out batches the first"


class Coded(Recall):
    """Pictures of 12×4, bright in the upper half in one class and in the lower in the other."""

    input_size = 48

    def _draw(self, index: int) -> Any:
        x_TBI, mask_TB, resets_TB = super()._draw(index)
        return x_TBI.sigmoid(), mask_TB, resets_TB

    def batch(self, index: int) -> Any:
        batch = super().batch(index)
        half_I = (torch.arange(48) < 24).float()
        bright_TBI = torch.where(batch.y_TB[..., None] == 1, half_I, 1 - half_I)
        return batch._replace(x_TBI=(0.1 * batch.x_TBI + 0.9 * bright_TBI))


@ORDERS
def test_a_discriminator_that_is_told_another_class_thinks_less_of_data(alternating: bool) -> None:
    one = learner("cdcgan", "non_saturating", "r1", optimizer="adam", learning_rate=0.01)
    one.alternating = alternating
    fit(one, Coded(), steps=40, evaluate_every=40, seed=0)
    x_BI, y_B = samples(Coded(), 7)
    with torch.no_grad():
        told, swapped = (one.adversary.discriminate(x_BI, of).mean() for of in (y_B, 1 - y_B))
        asked = [torch.full((50,), k) for k in (0, 1)]
        made = [one.adversary.generate(torch.randn(50, 3).double(), of) for of in asked]
    assert told > swapped + 0.5
    upper = [float(of[:, :24].mean() - of[:, 24:].mean()) for of in made]
    assert upper[1] > upper[0] + 0.1, "and what is made is what was asked for"


class Images(Recall):
    """Pictures of 12×4 of two classes."""

    input_size = 48


def test_the_second_generator_follows_the_first_and_is_the_one_that_samples_come_from() -> None:
    one, seen = learner(averaging=0.75), []
    assert one.averaged is not None
    start = [w.detach().clone() for w in one.adversary.generator.parameters()]
    follow = AdversarialLearner._follow

    def noted(self: Any) -> None:
        follow(self)
        seen.append([w.detach().clone() for w in self.adversary.generator.parameters()])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AdversarialLearner, "_follow", noted)
        fit(one, Recall(), steps=3, evaluate_every=3, seed=0)
    for i, behind in enumerate(one.averaged.parameters()):
        expected = start[i]
        for step in seen:
            expected = 0.75 * expected + 0.25 * step[i]
        torch.testing.assert_close(behind, expected)
    z_BZ, y_B = torch.randn(4, 2).double(), torch.zeros(4).long()
    made = one.sampler().generate(z_BZ, y_B)
    assert torch.equal(made, one.averaged(z_BZ))
    assert not torch.equal(made, one.adversary.generate(z_BZ, y_B))
    plain = learner()
    assert torch.equal(plain.sampler().generate(z_BZ, y_B), plain.adversary.generate(z_BZ, y_B))


def test_evaluation_draws_nothing_of_the_runs_numbers() -> None:
    rows = [fit(learner(), Recall(), steps=6, evaluate_every=n, seed=0)[-1] for n in (1, 6)]
    assert rows[0]["held_out_loss"] == rows[1]["held_out_loss"]
    assert 0 <= rows[0]["held_out_accuracy"] <= 1


def test_a_discriminator_that_says_nothing_loses_log_4_and_is_right_half_the_time() -> None:
    one = learner()
    with torch.no_grad():
        for w in one.adversary.discriminator.parameters():
            w.zero_()
    first = fit(one, Recall(), steps=1, evaluate_every=1, seed=0)[0]
    assert first["held_out_loss"] == pytest.approx(math.log(4))
    assert first["held_out_accuracy"] == 0.5


def test_frozen_weights_stay_and_are_not_shown() -> None:
    one, spy = learner(optimizer="adam"), Spy()
    frozen = one.adversary.get_parameter("discriminator.hidden1.weight").requires_grad_(False)
    before = frozen.clone()
    fit(one, Recall(), steps=3, evaluate_every=3, seed=0, probes=[spy])
    assert torch.equal(before, frozen)
    assert "discriminator.hidden1.weight" not in spy.seen[0].names
    assert "generator.hidden1.weight" in spy.seen[0].names


class Empty(Recall):
    """Nothing counts."""

    def batch(self, index: int) -> Any:
        batch = super().batch(index)
        return batch._replace(mask_TB=torch.zeros_like(batch.mask_TB))


@pytest.mark.parametrize(
    ("says", "task", "settings"),
    [
        ("the task streams, but players keep no state", Recall(streams=True), {}),
        ("the task's loss is squared_error", Recall("squared_error"), {}),
        ("samples have 48 entries, the players' 3", Images(), {}),
        ("batch 0 counts no sample", Empty(), {}),
        ("momentum is 0.5: it is Adam's alone, not sgd's", Recall(), {"momentum": 0.5}),
        ("averaging is 1.5", Recall(), {"averaging": 1.5}),
        ("generator_rate is 0", Recall(), {"generator_rate": 0.0}),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(says: str, task: Recall, settings: Any) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        fit(learner(**settings), task, **RUN)
    assert len(str(caught.value).splitlines()) == 1


def test_players_that_know_other_classes_are_refused() -> None:
    one = AdversarialLearner(ADVERSARIES["cdcgan"]((12, 4), 3), LOSSES["saturating"](), "sgd", 0.1)
    with pytest.raises(ValueError, match="the task has 2 classes, the players know 3"):
        fit(one, Images(), **RUN)
