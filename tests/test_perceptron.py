"""The study ``perceptron`` at a size of seconds: claims hold, or must be missed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.svm import SVC

from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies.perceptron import STUDY
from pipeline.studies.perceptron.bound import problem, widest
from pipeline.study import HOLDS
from tests import toy
from tests.measured import Measured

OF = {"network": "perceptron", "rule": "perceptron_rule"}
LEARNING = {"rate": 0.5, "decay": 0.0, "spread": 1.0, "epochs": 40, "starts": 3}
SECTION: dict[str, dict[str, Any]] = {
    "gates": {
        "network": {
            "mp_neuron": {"gate": ["and", "or", "not"]},
            "perceptron": {
                **LEARNING,
                "rule": "perceptron_rule",
                "gate": ["and", "or", "not", "xor"],
            },
        },
        "seeds": 1,
    },
    "bound": {
        **OF,
        "dimension": [2, 5],
        "size": 20,
        "margin": 0.1,
        "problems": 8,
        "decay": 0.5,
        "spread": 1.0,
        "seeds": 1,
    },
    "digits": {
        **OF,
        "task": "images",
        "dataset": "mnist",
        "rate": 1.0,
        "decay": [0.0, 1.0],
        "train_size": 60000,
        "held_out_size": 10,
        "batch_size": 10,
        "epochs": 4,
        "seeds": 1,
    },
}
MEASURED = Measured(STUDY, SECTION, {"mnist": toy.images()})


def test_what_is_known_of_gates_and_of_the_bound_holds_at_any_size() -> None:
    assert len(MEASURED.claims("gates", MEASURED.rows("gates"))) == 5
    MEASURED.assert_holds("gates", "", MEASURED.rows("gates"))
    claims = MEASURED.claims("bound", MEASURED.rows("bound")).values()
    assert [claim.verdict for claim in claims if claim.exact] == [HOLDS] * 3


def test_figures_and_tables_can_be_made_of_the_rows() -> None:
    MEASURED.assert_shown()


def test_a_trial_s_hash_covers_all_that_it_uses() -> None:
    assert [part for part in STUDY.parts if MEASURED.beyond(part)] == []


def test_a_rule_is_given_all_that_it_learns_by_or_there_is_none() -> None:
    for network in ({"mp_neuron": {**LEARNING}}, {"perceptron": {"rule": "perceptron_rule"}}):
        section = {"network": network, "gate": "and", "seeds": 1}
        with pytest.raises(UserError, match="give all or none"):
            expand(STUDY.parts["gates"].trial, section, "gates")


def test_a_problem_keeps_the_margin_that_it_was_drawn_with() -> None:
    torch.manual_seed(0)
    for dimension in (1, 3, 40):
        x_NI, t_N1, u_I = problem(dimension, 50, 0.2)
        a_N = (torch.cat([x_NI, torch.ones_like(t_N1)], 1) @ u_I) * (2 * t_N1[:, 0] - 1)
        assert a_N.min() >= 0.2
        assert u_I.norm() == pytest.approx(1)


def test_the_greatest_margin_is_a_support_vector_machine_s() -> None:
    torch.manual_seed(0)
    for dimension, size in ((2, 8), (3, 12)):
        x_NI, t_N1, _ = problem(dimension, size, 0.1)
        w_I = widest(x_NI, t_N1)
        a_NI = torch.cat([x_NI, torch.ones_like(t_N1)], 1) * (2 * t_N1 - 1)
        ours = float((a_NI @ w_I).min() / w_I.norm())
        # Examples and their opposites: a machine whose bias is zero.
        both, sides = torch.cat([a_NI, -a_NI]).numpy(), np.repeat([1, -1], size)
        machine = SVC(kernel="linear", C=1e5, tol=1e-5).fit(both, sides)
        assert ours == pytest.approx(1 / float(np.linalg.norm(machine.coef_)), rel=1e-3)


def _digits() -> pd.DataFrame:
    """Return rows of all of MNIST as they are expected."""
    rows = []
    for decay, errors in ((0.0, [0.2, 0.13, 0.18, 0.14]), (1.0, [0.2, 0.13, 0.122, 0.12])):
        for epoch, error in enumerate(errors, start=1):
            of = {"decay": decay, "seed": 0, "digits": 50_000, "separated": False}
            rows.append({**of, "record": "curve", "epoch": float(epoch), "error": error})
        rows.append({**rows[-1], "record": "test"})
    return pd.DataFrame(rows)


def test_what_is_said_of_all_of_mnist_is_asked_of_all_of_it_alone() -> None:
    assert len(MEASURED.claims("digits", _digits())) == 4
    MEASURED.assert_holds("digits", "", _digits())
    assert len(MEASURED.claims("digits", _digits().assign(digits=5000))) == 2
    one = MEASURED.claims("digits", _digits().query("decay == 0"))
    assert [*one] == ["50000 digits cannot be separated: no run settles"]


TAMPERED: dict[str, tuple[str, str, str, str, Any]] = {
    "a gate by hand that is wrong": ("gates", "by hand", "right", "network == 'mp_neuron'", 1),
    "a start that does not settle": ("gates", "and: the", "settled", "gate == 'and'", 2),
    "an answer that stays wrong": (
        "gates",
        "or: the perceptron learns",
        "right",
        "gate == 'or'",
        3,
    ),
    "xor that settles": ("gates", "xor", "settled", "gate == 'xor'", 1),
    "xor that is right": ("gates", "xor", "most_right", "gate == 'xor'", 4),
    "more mistakes than the known bound": ("bound", "known", "most_of_known", "seed == 0", 1.01),
    "more than the tightest": ("bound", "the greatest", "most_of_widest", "seed == 0", 1.01),
    "a problem without an end": ("bound", "settles", "settled", "seed == 0", 7),
    "a decaying rate that is quick": ("bound", "decays", "mistakes", "way == 'decaying'", 0.5),
    "a rate that swings": ("digits", "swings", "error", "decay == 1 and epoch == 3", 0.3),
    "a rate that ends high": ("digits", "ends with a lower", "error", "decay == 1", 0.15),
    "a rate that ends far off": ("digits", "LeCun", "error", "decay == 1", 0.09),
    "digits that are separated": ("digits", "separated", "separated", "epoch == 4", True),
}
"""Part and claim of a check; the column, the rows, and the value that they are tampered with."""


@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_claim_is_missed_on_tampered_rows(tampered: str) -> None:
    part, claim, column, which, value = TAMPERED[tampered]
    rows = _digits() if part == "digits" else MEASURED.rows(part)
    rows.loc[rows.eval(which), column] = value
    MEASURED.assert_missed(part, claim, rows)
