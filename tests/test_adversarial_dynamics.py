"""The study of games at a size of seconds, and its arithmetic, on rows by hand too."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies import STUDIES
from pipeline.studies.adversarial_dynamics.cycle import Orbit
from pipeline.studies.adversarial_dynamics.digits import Digits, bandwidth, like
from pipeline.studies.adversarial_dynamics.dirac import NearZero, grown, theory
from pipeline.studies.adversarial_dynamics.gaussian import LAZY, best_value, by_entropies
from pipeline.studies.adversarial_dynamics.modes import Modes, found
from pipeline.tasks.mixture import Mixture
from tests import toy
from tests.measured import Measured

TRAINED: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 0.01,
    "batch_size": 8,
    "steps": 4,
    "evaluations": 2,
    "held_out_size": 10,
}
PLAYED = {"loss": "non_saturating", "order": "in turn"}
SECTION: dict[str, dict[str, Any]] = {
    "dirac": {
        "loss": ["saturating", "wasserstein"],
        "regulariser": {
            "none": None,
            "r1": {"strength": [0.04, 0.06]},
            "consensus": {"strength": 0.5},
            "instance_noise": {"strength": 1.0, "seeds": 3},
        },
        "order": ["at once", "in turn"],
        "step": 0.2,
        "steps": 200,
        "radius": 1e-8,
        "samples": 20_000,
        "seeds": 1,
    },
    "cycle": {
        "loss": "non_saturating",
        "by": {
            "steps": {"step": [0.2, 0.4], "start": 1.1, "points": 9},
            "flow": {"start": 0.3, "time": 30.0, "points": 9},
        },
        "seed": 0,
    },
    "gaussian": {
        **TRAINED,
        **PLAYED,
        "task": "mixture",
        "spread": 1.0,
        "adversary": "gan",
        "options": {"discriminator_hidden": [3]},
        "probes": {"players": {}, "generated": {"every": 2}},
        "seeds": 1,
    },
    "modes": {
        **TRAINED,
        "task": "mixture",
        "arrangement": ["ring", "square"],
        "method": {
            "plain": {"adversary": "gan", **PLAYED},
            "R1": {
                "adversary": "gan",
                **PLAYED,
                "regularisers": {"r1": {"weight": 0.1}},
                "averaging": 0.5,
            },
            "kernel density": None,
            "one Gaussian": None,
        },
        "options": {"latent_size": 1, "generator_hidden": [3], "discriminator_hidden": [3]},
        "spread": 0.1,
        "samples": 20,
        "known": 50,
        "probes": {"players": {}, "game_spectrum": {"every": 2, "leading": 3}},
        "seeds": 1,
    },
    "digits": {
        **TRAINED,
        "batch_size": 4,
        "held_out_size": 5,
        "dataset": "mnist",
        "task": "images",
        "method": {
            "game": {
                "adversary": "cdcgan",
                "options": {"latent_size": 2, "generator_maps": 2, "discriminator_maps": 2},
                **PLAYED,
                "momentum": 0.0,
                "averaging": 0.5,
            },
            "a Gaussian a class": None,
            "kernel density": None,
            "real digits": None,
        },
        "size": 8,
        "asked": 2,
        "learned": 40,
        "reader": "mlp",
        "reader_options": {"hidden": [4]},
        "reader_rate": 0.01,
        "reader_batch": 4,
        "reader_steps": 2,
        "probes": {"players": {}},
        "seeds": 1,
    },
}
MEASURED = Measured(STUDIES["adversarial_dynamics"], SECTION, {"mnist": toy.images(80)})


@pytest.mark.parametrize("part", SECTION)
def test_a_trials_hash_covers_all_that_it_uses(part: str) -> None:
    assert MEASURED.beyond(part) == set()


def test_figures_and_tables_can_be_made_of_the_rows() -> None:
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", ["dirac", "cycle"])
def test_the_game_of_two_weights_is_as_theory_has_it(part: str) -> None:
    rows = MEASURED.rows(part)
    claims = MEASURED.claims(part, rows)
    assert len(claims) == {"dirac": 8, "cycle": 2}[part]
    for words in claims:
        MEASURED.assert_holds(part, words, rows)


@pytest.mark.parametrize(
    ("part", "column", "words"),
    [
        ("dirac", "real", "eigenvalues, nothing added"),
        ("dirac", "imaginary", "eigenvalues, R1"),
        ("dirac", "real", "eigenvalues, consensus"),
        ("dirac", "real", "eigenvalues, instance noise"),
        ("dirac", "growth", "steps at once"),
        ("dirac", "growth", "steps in turn"),
        ("dirac", "growth", "neither growth nor decay"),
        ("cycle", "radius", "end on a cycle"),
        ("cycle", "radius", "the flow comes in"),
    ],
)
def test_a_game_of_two_weights_that_is_otherwise_is_missed(
    part: str, column: str, words: str
) -> None:
    rows = MEASURED.rows(part)
    rows[column] += 0.03
    MEASURED.assert_missed(part, words, rows)


def test_a_step_that_converges_below_r1s_threshold_is_missed() -> None:
    rows = MEASURED.rows("dirac")
    rows.loc[rows["strength"] == 0.04, "growth"] = 0.999
    MEASURED.assert_missed("dirac", "converges where", rows)


def test_theory_is_that_of_the_paper_by_hand() -> None:
    J_22 = theory("saturating", "r1", 0.6)
    root = math.sqrt(0.25 - 0.09)
    values = sorted(np.linalg.eigvals(J_22).tolist(), key=lambda v: v.imag)
    assert values == pytest.approx([complex(-0.3, -root), complex(-0.3, root)])
    assert grown(theory("saturating", "none", 0.0), 0.4, "at once") == pytest.approx(
        math.sqrt(1 + 0.04)
    )
    assert grown(theory("wasserstein", "none", 0.0), 0.4, "in turn") == pytest.approx(1.0)
    for gamma, below in ((0.09, False), (0.11, True)):
        assert (grown(theory("saturating", "r1", gamma), 0.4, "at once") < 1) == below


@pytest.mark.parametrize("made", [(3.0, 1.0), (0.0, 0.5), (3.5, 1.3), (-20.0, 1.0)])
def test_the_best_value_is_that_of_the_divergence(made: tuple[float, float]) -> None:
    value = best_value((3.0, 1.0), made)
    assert value == pytest.approx(by_entropies((3.0, 1.0), made), abs=1e-9)
    assert LAZY - 1e-9 <= value <= 1e-9
    if made == (3.0, 1.0):
        assert value == pytest.approx(-math.log(4))
    if made[0] < -10:
        assert value == pytest.approx(0.0, abs=1e-9), "of two that nowhere overlap"


def test_modes_good_samples_and_their_evenness_by_hand() -> None:
    task = Mixture(0, 4, 4, "ring", 0.1)
    one, other = task.places_KI[0], task.places_KI[1]
    x_NI = np.array([*[one] * 6, other + np.array([0.29, 0.0]), other + np.array([0.31, 0.0])])
    seen = found(x_NI, task)
    assert (seen["modes"], seen["of"], seen["good"]) == (2, 8, 7 / 8)
    shares = 6 / 7, 1 / 7
    assert seen["uneven"] == pytest.approx(sum(p * math.log(8 * p) for p in shares))
    nowhere = found(np.full((8, 2), 9.0), task)
    assert (nowhere["modes"], nowhere["good"]) == (0, 0.0)
    assert nowhere["uneven"] == pytest.approx(math.log(8))
    few = np.array([one] * 79 + [other])  # a tenth of an even share of 80
    assert found(few, task)["modes"] == 1


def test_the_kernel_is_as_wide_as_makes_unseen_digits_likeliest() -> None:
    torch.manual_seed(0)
    places_NI = torch.randn(20, 3) * 9
    known_NI = places_NI.repeat(40, 1) + 0.1 * torch.randn(800, 3)
    assert bandwidth(known_NI, places_NI + 0.1 * torch.randn(20, 3)) == 0.05


def test_a_gaussian_like_some_digits_has_their_mean_and_their_covariance() -> None:
    random = np.random.default_rng(0)
    known_NI = random.standard_normal((6, 3)) @ random.standard_normal((3, 3)) + 5
    drawn_NI = like(known_NI, 200_000, random)
    np.testing.assert_allclose(drawn_NI.mean(axis=0), known_NI.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(np.cov(drawn_NI.T), np.cov(known_NI.T), rtol=0.03, atol=0.03)


@pytest.mark.parametrize(
    ("kind", "part", "change", "says"),
    [
        (NearZero, "dirac", {"regulariser": "r1"}, "strength goes with every regulariser"),
        (Orbit, "cycle", {"by": {"flow": {"start": 1.0, "points": 3}}}, "the flow a time"),
        (Modes, "modes", {"method": {"plain": None}}, "adversary is None, beside the method"),
        (Digits, "digits", {"method": {"game": None}}, "adversary is None, beside the method"),
        (Modes, "modes", {"method": {"plain": {"adversary": "gan"}}}, "go together"),
        (
            Modes,
            "modes",
            {"method": {"R1": {"adversary": "gan", **PLAYED, "regularisers": {"r2": {}}}}},
            "'r2' is unknown: allowed: consensus",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_in_a_line(
    kind: Any, part: str, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        expand(kind, {**SECTION[part], **change}, part)


def test_a_regularisers_option_that_it_does_not_take_is_named() -> None:
    from pipeline.measuring.playing import build

    with pytest.raises(ValueError, match="regulariser r1: 'wieght' is unknown: did you mean 'weig"):
        build({"r1": {"wieght": 1.0}})
    with pytest.raises(ValueError, match="regulariser r1: weight is 0"):
        build({"r1": {"weight": 0.0}})
