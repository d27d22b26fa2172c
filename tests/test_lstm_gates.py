"""The study of the LSTM's gates: its trials, its facts, and what it says of runs that fail."""

import math
import re
from typing import Any

import pandas as pd
import pytest
import torch

from lightning_modules.cells.residual import Residual
from lightning_modules.cells.srn import SRN
from lightning_modules.starts.orthogonal import Orthogonal
from pipeline import params
from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.reporting.exhibits import exhibit
from pipeline.studies.lstm_gates import STUDY
from pipeline.studies.lstm_gates.bias import decay
from pipeline.studies.lstm_gates.comparison import by_network, final_evaluations
from pipeline.studies.lstm_gates.memory import Memory, final
from pipeline.study import HOLDS, Entries, Table
from tests.gates_study import MEASURED, SECTION, VARIANTS

COLUMNS = {
    "bias": ["rate", "steps", "alone", "lag", "left"],
    "saturation": ["t", "size", "largest", "written"],
    "memory": ["variant", "step", "held_out_loss", "solved", "last_but_one_right", "gate", "value"],
    "text": ["variant", "step", "held_out_loss", "held_out_accuracy", "gate", "value"],
}


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_tiny_study_has_its_columns_figures_and_claims(part: str):
    rows = MEASURED.rows(part)
    assert set(COLUMNS[part]) <= set(rows)
    for declared in STUDY.parts[part].figures:
        assert len(exhibit(declared, rows).data), declared.name
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


def _called(entries: Entries) -> Any:
    """Return a network's name by what sets it apart."""
    if entries["without"] is not None:
        return f"without {str(entries['without']).replace('_', ' ')}"
    if entries["start"] is not None:
        return entries["start"] if entries["bias"] is None else f"forget bias {entries['bias']:g}"
    by = "" if entries["horizon"] is None else f" by {entries['algorithm']}({entries['horizon']})"
    return f"{entries['cell']}{by}"


@pytest.mark.parametrize("scale", params.SCALES)
def test_every_network_is_called_what_it_is(scale: params.Scale):
    for entries in params.trials("lstm_gates", STUDY, scale).values():
        if "variant" in entries:
            assert entries["variant"] == _called(entries)


@pytest.mark.parametrize("part", ["memory", "text"])
def test_a_task_s_longest_memory_is_chrono_s_alone(part: str):
    trials = MEASURED.trials(part)
    assert {t["variant"]: t["longest"] for t in trials} == {**dict.fromkeys(VARIANTS), "chrono": 10}
    assert len(trials) == len(VARIANTS) * (3 if part == "memory" else 1)


def test_a_network_starts_as_its_trial_says():
    section = SECTION["memory"] | {"task": "adding", "length": 10, "longest": 50}
    trials: dict[str, Any] = {t.variant: t for t in expand(Memory, section, "")}  # pyright: ignore[reportAttributeAccessIssue]
    source = trials["lstm"].task_of(None)
    opened = trials["forget bias 4"].cell_of(source)
    assert opened.b.view(4, 4)[1].tolist() == [4.0] * 4
    spread = trials["chrono"].cell_of(source)
    assert 0 <= spread.b.view(4, 4)[1].min() < spread.b.view(4, 4)[1].max() <= math.log(49)
    assert trials["without output activation"].cell_of(source).without == "output_activation"


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
    (end,) = final_evaluations(rows).to_dict("records")
    assert end["diverged"]
    assert end["held_out_loss"] == math.inf
    assert final(rows)["adding"].tolist() == ["0 of 1 (0% to 79%): inf"]
    assert by_network(rows, "held_out_loss")["residual"].tolist() == [math.inf]


@pytest.mark.parametrize(
    ("part", "values", "says"),
    [
        ("bias", {"cell": "lstn"}, "did you mean 'lstm'"),
        ("bias", {"start": {"chrono": {"longest": 2}}}, "greater than or equal to 3"),
        ("bias", {"start": "chrono"}, "start chrono and longest go together"),
        ("bias", {"length": 30}, "greater than or equal to 40"),
        ("text", {"variant": {"lstm": {"without": "g"}}}, "'input', 'forget'"),
        ("text", {"variant": {"lstm": {"bias": 4.0}}}, "start forget_bias and bias go together"),
        ("text", {"task": "adding"}, "the task is next_character"),
        ("memory", {"task": "copy"}, "'copy' is not asked about here"),
    ],
)
def test_a_mistake_in_the_section_is_said(part: str, values: dict[str, Any], says: str):
    with pytest.raises(UserError, match=says):
        expand(STUDY.parts[part].trial, SECTION[part] | values, part)


@pytest.mark.parametrize("left_out", ["lstm", "srn"])
def test_what_is_compared_with_a_network_that_is_left_out_is_not_judged(left_out: str):
    for part in ("memory", "text"):
        rows = MEASURED.rows(part)
        claims = MEASURED.claims(part, rows[rows["variant"] != left_out])
        assert claims
        assert not [claim for claim in claims if re.search(f": {left_out} (?!by)", claim)]


def test_the_answer_is_given_of_what_was_run():
    rows = pd.concat([MEASURED.rows(part).assign(part=part) for part in STUDY.parts])
    rows["held_out_loss"] /= 2
    assert STUDY.answer
    said = STUDY.answer(rows)
    assert re.match(r"No part is sure .* it falls by a factor of e .* On text ", said)
    said = STUDY.answer(rows[rows["variant"] != "lstm"])
    assert re.match("the bias of the forget gate .*it falls by a factor of e", said)


def test_only_a_part_whose_lack_surely_costs_something_is_named_on_text():
    rows = MEASURED.rows("text").assign(part="text")
    rows = rows[rows["probe"].isna() & (rows["step"] == rows["step"].max())]
    rows = pd.concat([rows.assign(seed=seed, held_out_loss=1.5) for seed in range(3)])
    others = [MEASURED.rows(part).assign(part=part) for part in ("bias", "memory")]
    assert STUDY.answer
    assert "do not tell which part" in STUDY.answer(pd.concat([rows, *others]))
    without = rows["variant"] == "without forget"
    rows.loc[without, "held_out_loss"] = 1.6 + 0.01 * rows.loc[without, "seed"]
    said = STUDY.answer(pd.concat([rows, *others]))
    assert "0.11 ± 0.02 nats a character without the forget gate, and not surely without" in said


def test_a_run_on_text_that_ends_above_an_even_guess_is_counted_apart():
    rows = MEASURED.rows("text")
    last = rows["probe"].isna() & (rows["step"] == rows["step"].max())
    rows.loc[last & (rows["variant"] == "lstm"), "held_out_loss"] = 1.5
    rows.loc[last & (rows["variant"] == "without forget"), "held_out_loss"] = 1.6
    failing = rows.loc[last & (rows["variant"] == "without forget")]
    whole = rows[last & (rows["variant"] == "lstm")].assign(seed=9)
    rows = pd.concat([rows, whole, failing.assign(seed=9, held_out_loss=1438.0)])
    (found,) = [c for text, c in MEASURED.claims("text", rows).items() if "without forget," in text]
    assert found.verdict == HOLDS
    assert found.seen.endswith("; failed 0 of 80 against 40 of 80")
    table = STUDY.parts["text"].figures[0]
    assert isinstance(table, Table)
    (line,) = [
        line for line in table.build(rows).to_dict("records") if line["network"] == "without forget"
    ]
    assert (line["loss (nats)"], line["failed"]) == ("1.600", "1 of 2")
    assert line["every seed"] == "1.6, 1438"
