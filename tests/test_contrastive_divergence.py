"""The study of contrastive divergence: its matrices, and its claims on rows by hand."""

import math
from typing import Any

import pandas as pd
import pytest
import torch

from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.energies.rbm import RBM
from pipeline.studies import STUDIES
from pipeline.studies.contrastive_divergence.bias import states_of, transitions
from pipeline.studies.contrastive_divergence.runs import gradient_by
from pipeline.studies.contrastive_divergence.small import misled
from pipeline.study import HOLDS, MISSED
from tests import toy
from tests.energy_cases import shaken
from tests.measured import Measured

LEARNED: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 0.1, "spread": 0.1, "steps": 4}
PICTURES: dict[str, Any] = {
    **LEARNED,
    "task": "binary_images",
    "dataset": "mnist",
    "hidden_size": 3,
    "batch_size": 20,
    "evaluations": 2,
    "held_out_size": 20,
    "temperatures": 20,
    "chains": 5,
    "seeds": 1,
}
SECTION: dict[str, Any] = {
    "bias": {
        "side": 2,
        "hidden_size": 3,
        "spread": 0.1,
        "learning_rate": 0.5,
        "levels": [0.9, 0.5],
        "steps": 400,
        "tried": [1, 5],
        "seeds": 5,
    },
    "small": {
        **LEARNED,
        "task": "bars_and_stripes",
        "side": 2,
        "estimator": {"exact": None, "contrastive_divergence": {"sweeps": [1, 10]}},
        "hidden_size": 3,
        "batch_size": 6,
        "evaluations": 2,
        "held_out_size": 6,
        "probes": {"likelihood": {}},
        "seeds": 2,
    },
    "boltzmann": {
        **LEARNED,
        "task": {
            "bars_and_stripes": {"units": 2, "estimator": "exact", "batch_size": 6},
            "encoder": {
                "units": 4,
                "estimator": "annealed",
                "noise": [0.1, 0.1],
                "batch_size": 4,
            },
        },
        "hidden_size": 2,
        "evaluations": 1,
        "held_out_size": 4,
        "seeds": 2,
    },
    "digits": {
        **PICTURES,
        "inverted": [False, True],
        "centred": [False, True],
        "estimator": "persistent",
    },
    "large": {
        **PICTURES,
        "estimator": {
            "contrastive_divergence": {"sweeps": [1, 3]},
            "persistent": {"sweeps": 1, "centred": True},
        },
        "probes": {"chains": {}},
    },
    "nudge": {"units": 4, "outputs": 2, "strength": [0.1, 10.0], "spread": 0.5, "seeds": 1},
}
MEASURED = Measured(STUDIES["contrastive_divergence"], SECTION, {"mnist": toy.images(250)})


@pytest.mark.parametrize("part", SECTION)
def test_a_trials_hash_covers_all_that_it_uses(part: str) -> None:
    assert MEASURED.beyond(part) == set()


def test_figures_and_tables_can_be_made_of_the_rows_and_it_answers() -> None:
    MEASURED.assert_shown()


def test_transitions_sum_to_one_and_leave_the_models_distribution_as_it_is() -> None:
    torch.manual_seed(0)
    net = shaken(RBM(4, 3, Exact())).double()
    assert isinstance(net, RBM)
    v_BV = states_of(4)[[3, 9]]
    with torch.no_grad():
        s_NP, T_NN, at_B = transitions(net, v_BV)
        p_N = net.log_probability(states_of(4)).exp()
        expected = torch.cat([g.flatten() for g in net.expected_slopes()])
    assert at_B.tolist() == [3, 9]
    torch.testing.assert_close(T_NN.sum(dim=1), torch.ones(16).double())
    torch.testing.assert_close(p_N @ T_NN, p_N)
    torch.testing.assert_close(p_N @ s_NP, expected)


def test_many_sweeps_leave_no_bias() -> None:
    rows = MEASURED.rows("bias")
    torch.manual_seed(0)
    assert set(rows["k"]) == {1, 5}
    start = rows[rows["step"] == 0]
    assert (start["cosine"] > 0.99).all()
    assert (rows[rows["step"] > 0]["kl"] <= rows[rows["step"] > 0]["level"]).all()


def test_orders_and_bounds_that_most_machines_break_are_missed() -> None:
    rows = MEASURED.rows("bias")
    MEASURED.assert_holds("bias", "exact gradient rises with k", rows)
    noise = rows["seed"] / 1e6
    late = (rows["k"] == 5) & (rows["step"] > 0)
    rows["cosine"] = rows["cosine"].mask(late, -0.1 - noise)
    MEASURED.assert_missed("bias", "exact gradient rises with k", rows)
    MEASURED.assert_missed("bias", "is above 0", rows)
    rows["wrong_sign"] = 0.3 + noise
    MEASURED.assert_missed("bias", "told the wrong way", rows)


def test_the_identity_of_a_nudge_holds_and_would_be_missed() -> None:
    rows = MEASURED.rows("nudge")
    MEASURED.assert_holds("nudge", "at every strength", rows)
    MEASURED.assert_missed("nudge", "at every strength", rows.assign(off=1e-7))


def _curve(kls: list[float], errors: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"record": "curve", "by": "CD-1", "seed": 0, "step": n, "kl": kl, "reconstruction": error}
        for n, (kl, error) in enumerate(zip(kls, errors, strict=True))
    )


def test_reconstruction_misleads_where_it_improves_while_divergence_rises() -> None:
    assert misled(_curve([math.nan, 0.5, 0.7], [0.3, 0.2, 0.1])).tolist() == [pytest.approx(0.2)]
    assert misled(_curve([math.nan, 0.5, 0.7], [0.3, 0.1, 0.2])).tolist() == [0.0]


def test_ways_to_a_gradient_are_called_as_in_the_field() -> None:
    assert gradient_by("contrastive_divergence", 10.0, None) == "CD-10"
    assert gradient_by("contrastive_divergence", None, None) == "CD-1"
    assert gradient_by("persistent", 1, True) == "PCD-1, centred"
    assert gradient_by("exact", None, None) == "exact"


def _digits(plain: float, centred: float, inverted: float, off: float) -> pd.DataFrame:
    models = {"plain": plain, "centred": centred, "plain, inverted digits": inverted}
    models["centred, inverted digits"] = centred + 0.5
    return pd.DataFrame(
        {"record": "end", "model": model, "seed": seed, "log_p": log_p + seed / 100}
        | {"off": off, "tested": 10_000, "temperatures": 10_000}
        for model, log_p in models.items()
        for seed in range(3)
    )


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (_digits(-149, -142.5, -183, 0.05), HOLDS),
        (_digits(-140, -146.5, -141, 0.2), MISSED),
    ],
)
def test_digits_are_held_to_the_tutorial_and_annealing_to_counting(
    rows: pd.DataFrame, verdict: str
) -> None:
    claims = list(MEASURED.study.parts["digits"].expects(rows))
    assert len(claims) == 5
    alike = "digits and inverted ones are alike"
    assert {claim.verdict for claim in claims if alike not in claim.text} == {verdict}
