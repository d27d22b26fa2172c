"""The study of the LSTM's gates: its trials, its facts, and what it says of runs that fail."""

import math
from typing import Any

import pandas as pd
import pydantic
import pytest
import torch

from lightning_modules.cells.residual import Residual
from lightning_modules.cells.srn import SRN
from lightning_modules.starts.orthogonal import Orthogonal
from pipeline.reporting.exhibits import show
from pipeline.studies.lstm_gates import STUDY
from pipeline.studies.lstm_gates.bias import decay
from pipeline.studies.lstm_gates.endings import final
from pipeline.studies.lstm_gates.judging import losses
from pipeline.studies.lstm_gates.training import ends
from pipeline.studies.lstm_gates.variants import Variants, build, variants
from tests.gates_study import MEASURED, SECTION, SETTING, VARIANTS

COLUMNS = {
    "bias": ["rate", "steps", "alone", "lag", "left"],
    "memory": ["variant", "step", "held_out_loss", "solved", "last_but_one_right", "gate", "value"],
    "text": ["variant", "step", "held_out_loss", "held_out_accuracy", "gate", "value"],
}


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_tiny_study_has_its_columns_figures_and_checks(part: str):
    rows = MEASURED.rows(part)
    assert set(COLUMNS[part]) <= set(rows)
    for declared in STUDY.parts[part].figures:
        assert len(show(declared, rows).data), declared.name
    assert list(STUDY.parts[part].expects(rows))


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_trial_names_all_that_it_uses(part: str):
    assert MEASURED.beyond(part) == set()


def test_error_of_a_linear_network_falls_by_its_gain_a_step():
    torch.manual_seed(0)
    network = SRN(3, 8, activation="linear").double()
    Orthogonal(0.9).apply(network)
    log_T = decay(network, 2, 60)
    expected_T = torch.arange(60, dtype=torch.float64) * math.log(0.9)
    torch.testing.assert_close(log_T - log_T[0], expected_T, rtol=1e-10, atol=1e-10)


def test_what_is_left_of_error_starts_at_all_of_it():
    rows = MEASURED.rows("bias")
    assert rows[rows["lag"] == 0]["left"].tolist() == [1.0] * len(MEASURED.trials("bias"))
    alone = rows[rows["bias"] == 0]["alone"].dropna()
    assert alone.tolist() == pytest.approx([1 / math.log(2)] * len(alone))


def test_a_residual_sum_forgets_the_order_of_its_inputs():
    torch.manual_seed(0)
    network = Residual(6, 5).double()
    x_TBI, s_BS = torch.randn(9, 2, 6).double(), torch.zeros(2, 5).double()
    there = network.follow(x_TBI, s_BS).states_TBS[-1]
    back = network.follow(x_TBI.flip(0), s_BS).states_TBS[-1]
    torch.testing.assert_close(there, back, rtol=1e-12, atol=1e-12)


def test_every_network_has_a_name_of_its_own():
    section = Variants.model_validate(VARIANTS)
    names = [trial["variant"] for trial in variants(section, 10)]
    assert len(set(names)) == len(names) == 12
    assert {"lstm", "without output activation", "forget bias 4", "chrono"} < set(names)
    assert "srn by tbptt(1)" in names
    assert len(list(variants(section, None))) == len(names) - 1


def test_a_network_starts_as_its_trial_says():
    given = {"input_size": 2, "hidden_size": 4}
    opened: Any = build("lstm", None, "forget_bias", 4.0, None, **given)
    assert opened.b.view(4, 4)[1].tolist() == [4.0] * 4
    spread: Any = build("lstm", None, "chrono", None, 50, **given)
    assert 0 <= spread.b.view(4, 4)[1].min() < spread.b.view(4, 4)[1].max() <= math.log(49)
    ablated: Any = build("ablated_lstm", "output_activation", None, None, None, **given)
    assert ablated.without == "output_activation"


@pytest.mark.parametrize("part", ["memory", "text"])
def test_what_is_saturated_of_a_gate_is_shut_or_open(part: str):
    rows = MEASURED.rows(part)
    seen = rows[rows["probe"] == "gates"]
    by = seen.set_index(["task", "variant", "step", "gate", "quantity"])["value"].unstack()
    assert (by["below"] + by["above"] - by["saturated"]).abs().max() < 2e-3, "rounded"
    gates = seen.groupby("variant")["gate"].unique()
    assert set(gates["lstm"]) == {"h", "input", "forget", "output"}
    assert set(gates["without forget"]) == {"h", "input", "output"}
    assert set(gates["srn"]) == {"h"}


def test_a_run_that_diverges_ends_unsolved_with_an_infinite_loss():
    trial = next(t for t in MEASURED.trials("memory") if t["cell"] == "residual")
    rows = pd.DataFrame(MEASURED.run({**trial, "learning_rate": 1e30}))
    (end,) = ends(rows).to_dict("records")
    assert end["diverged"]
    assert end["held_out_loss"] == math.inf
    assert final(rows)["adding"].tolist() == ["inf, 0/1"]
    assert losses(rows)["residual"] == math.inf


@pytest.mark.parametrize(
    ("part", "key", "value", "says"),
    [
        ("bias", "cells", ["lstn"], "did you mean 'lstm'"),
        ("bias", "longest", [2], "greater than or equal to 3"),
        ("bias", "length", 30, "greater than or equal to 40"),
        ("text", "variants", {**VARIANTS, "cells": ["lstm"]}, "cells lack srn"),
        ("text", "variants", {**VARIANTS, "without": ["g"]}, "'input', 'forget'"),
        ("memory", "tasks", {"copy": SETTING}, "'adding', 'temporal_order'"),
    ],
)
def test_a_mistake_in_the_section_is_said(part: str, key: str, value: Any, says: str):
    section = {**SECTION, part: {**SECTION[part], key: value}}
    with pytest.raises(pydantic.ValidationError, match=says):
        STUDY.Params.model_validate(section)
