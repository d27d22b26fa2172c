"""What probes of two players tell, by hand, and that they change nothing."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from lightning_modules.adversaries._field import exactly, jacobian
from lightning_modules.adversaries.gan import GAN
from lightning_modules.adversaries.losses import LOSSES
from lightning_modules.contracts._recall import Recall
from lightning_modules.instruments import InstrumentWarning
from lightning_modules.probes import PROBES
from lightning_modules.training.adversarial import AdversarialLearner
from lightning_modules.training.fit import fit
from tests.probing import value
from tests.probing_learners import Spy
from tests.test_adversarial import Images, learner, samples
from tests.test_training import sequence_learner
from tests.test_training_runs import RUN


@pytest.mark.parametrize("name", ["gan", "cdcgan"])
def test_probes_change_nothing_and_tell_what_they_say(name: str) -> None:
    task, found = (Recall if name == "gan" else Images)(), []
    names = ["players", "generated", "game_spectrum", "updates", "direction", "clipping"]
    for probes in ([], [PROBES[of](1) for of in names]):
        one = learner(name, "non_saturating", "instance_noise", optimizer="adam")
        rows = fit(one, task, **RUN, probes=probes)
        found.append(([row for row in rows if "probe" not in row], one.state_dict()))
    assert found[0][0] == found[1][0]
    torch.testing.assert_close(found[0][1], found[1][1], rtol=0, atol=0)
    assert {row["probe"] for row in rows if "probe" in row} == set(names)


def test_the_players_probe_tells_norms_and_turns() -> None:
    task, spy, probe = Recall(), Spy(), PROBES["players"]()
    rows = fit(learner(), task, steps=4, evaluate_every=4, seed=0, probes=[spy, probe])
    moves: dict[str, list[Tensor]] = {"discriminator": [], "generator": [], "both": []}
    norms: dict[str, list[float]] = {"discriminator": [], "generator": []}
    for update in spy.seen:
        together = []
        for player in norms:
            of = [i for i, name in enumerate(update.names) if name.startswith(player)]
            moved = [(update.after[i] - update.before[i]).flatten() for i in of]
            moves[player].append(torch.cat(moved))
            together += moved
            norms[player].append(float(torch.cat([update.raw[i].flatten() for i in of]).norm()))
        moves["both"].append(torch.cat(together))
    for player, lengths in norms.items():
        told = value(rows, quantity="norm", player=player)
        assert told == pytest.approx(sum(lengths) / 4)
    for player, way in moves.items():
        turns = [float(torch.cosine_similarity(a, b, 0)) for a, b in itertools.pairwise(way)]
        (row,) = [r for r in rows if r.get("quantity") == "cosine" and r["player"] == player]
        assert row["value"] == pytest.approx(sum(turns) / 3)


def test_seldom_looks_compare_steps_that_follow_each_other() -> None:
    cosines = []
    for every in (1, 3):
        rows = fit(
            learner(),
            Recall(),
            steps=8,
            evaluate_every=1,
            seed=0,
            probes=[PROBES["players"](every)],
        )
        told = [r for r in rows if r.get("quantity") == "cosine" and r["player"] == "both"]
        cosines.append({r["step"]: r["value"] for r in told if r["value"] is not None})
    assert set(cosines[1]) == {2, 5, 8}
    assert all(cosines[0][step] == seen for step, seen in cosines[1].items())


def test_the_spectrum_is_that_of_the_batch_before_the_step() -> None:
    one, task = learner("gan", "saturating", "r1"), Recall()
    x_BI, y_B = samples(task, 0)
    torch.manual_seed(0)
    z_BZ = torch.randn(len(x_BI), 2).double()
    values_P = torch.linalg.eigvals(jacobian(exactly(one.game, x_BI, y_B, z_BZ)))
    rows = fit(
        one, task, steps=1, evaluate_every=1, seed=0, probes=[PROBES["game_spectrum"](1, leading=3)]
    )
    assert value(rows, quantity="abscissa") == pytest.approx(float(values_P.real.max()))
    assert value(rows, quantity="turning") == pytest.approx(float(values_P.imag.abs().max()))
    longest = float(values_P.abs().max())
    parts = [value(rows, quantity=part, number=0) for part in ("real", "imaginary")]
    assert math.hypot(*parts) == pytest.approx(longest)


def test_a_game_of_many_weights_is_not_taken_apart_and_that_is_said_once() -> None:
    probe = PROBES["game_spectrum"](1, most=20)
    with pytest.warns(
        InstrumentWarning, match="does not see games of more than 20 weights"
    ) as said:
        rows = fit(learner(), Recall(), steps=2, evaluate_every=1, seed=0, probes=[probe])
    assert len(said) == 1
    assert not [row for row in rows if "probe" in row]


def test_moments_of_an_affine_generator_are_its_weights() -> None:
    one = learner()
    one = AdversarialLearner(
        GAN(3, 1).double(), LOSSES["saturating"](), "sgd", learning_rate=1e-9
    ).double()
    a, b = one.adversary.generator.parameters()
    rows = fit(
        one, Recall(), steps=1, evaluate_every=1, seed=0, probes=[PROBES["generated"](1, 50_000)]
    )
    for entry in range(3):
        assert value(rows, quantity="mean", entry=entry) == pytest.approx(
            float(b[entry].detach()), abs=0.02
        )
        spread = abs(float(a[entry, 0].detach()))
        assert value(rows, quantity="spread", entry=entry) == pytest.approx(spread, rel=0.02)


def test_a_learner_of_sequences_refuses_a_probe_of_games() -> None:
    with pytest.raises(ValueError, match="game_spectrum sees games, but SequenceLearner shows"):
        fit(sequence_learner(Recall()), Recall(), **RUN, probes=[PROBES["game_spectrum"]()])
