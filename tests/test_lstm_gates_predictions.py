"""Each prediction of the study of the LSTM's gates fails on rows that contradict it."""

from typing import Any

import pytest

from pipeline.study import HOLDS, MISSED
from tests.gates_study import MEASURED

ENDS = "step == 6 and task == '{}' and variant == '{}' and probe.isna()"
ENDED = "quantity == 'saturated' and variant == 'lstm' and step == 6"
FLOWED = "quantity == 'log10' and variant == 'forget bias 4' and t == 0"
COSTLY = "probe.isna() and variant in ['without forget', 'without output activation']"
WHOLE = "step == 6 and probe.isna() and variant in ['lstm', 'coupled_lstm']"
COUPLED = "probe.isna() and variant == 'coupled_lstm'"
TAMPERED: dict[str, tuple[str, str, str, str, float]] = {
    "another horizon": (
        *("bias", "lstm: a forget bias of 1 gives 6.4 steps"),
        *("rate", "cell == 'lstm' and bias == 1", 0.5),
    ),
    "a shorter memory for a gate further open": (
        *("bias", "gru: the rate falls as the bias rises"),
        *("rate", "cell == 'gru' and bias == 1", 5.0),
    ),
    "a sum that stays": (
        *("saturation", "residual: |h| grows as the root"),
        *("size", "cell == 'residual'", 1.0),
    ),
    "a branch that does not saturate": (
        *("saturation", "residual_recurrent: |h| grows"),
        *("size", "cell == 'residual_recurrent'", 1.0),
    ),
    "a memory that can still be written to": (
        *("saturation", "residual_recurrent: an input"),
        *("written", "cell == 'residual_recurrent'", 1.0),
    ),
    "an LSTM beyond its bounds": (
        *("saturation", "lstm: |h| stays"),
        *("largest", "cell == 'lstm'", 1.0),
    ),
    "an LSTM that grows": (
        "saturation",
        "lstm: |h| does not",
        "size",
        "cell == 'lstm' and t > 200",
        9.0,
    ),
    "an LSTM that cannot be written to": (
        *("saturation", "lstm: an input"),
        *("written", "cell == 'lstm'", 0.0),
    ),
    "a trained memory that stays small": (
        *("memory", "adding: more of the residual"),
        *("value", "gate == 'h' and quantity == 'above'", 0.0),
    ),
    "an LSTM that does not add": (
        *("memory", "adding, T = 10: lstm ends below"),
        *("held_out_loss", ENDS.format("adding", "lstm"), 0.006),
    ),
    "a GRU that does not add": (
        *("memory", "adding, T = 10: gru ends below"),
        *("held_out_loss", ENDS.format("adding", "gru"), 0.006),
    ),
    "an SRN that adds": (
        *("memory", "adding, T = 10: srn ends above"),
        *("held_out_loss", ENDS.format("adding", "srn"), 0.09),
    ),
    "a sum that knows an order": (
        *("memory", "residual cannot tell"),
        *("held_out_accuracy", ENDS.format("temporal_order", "residual"), 0.99),
    ),
    "an LSTM that gets strings wrong": (
        *("memory", "lstm gets 99% of the strings right"),
        *("strings_right", ENDS.format("embedded_reber", "lstm"), 0.98),
    ),
    "an SRN that keeps the second symbol": (
        *("memory", "embedded_reber: srn fails"),
        *("last_but_one_right", ENDS.format("embedded_reber", "srn"), 0.76),
    ),
    "one step back that is enough": (
        *("memory", "embedded_reber: srn by tbptt(1) fails"),
        *("last_but_one_right", ENDS.format("embedded_reber", "srn by tbptt(1)"), 0.76),
    ),
    "parts of no use where something is remembered": (
        *("memory", "adding: without forget, one start in five"),
        *("solved", COSTLY, True),
    ),
    "nor the other": (
        *("memory", "embedded_reber: without output activation, one start in five"),
        *("solved", COSTLY, True),
    ),
    "dear coupled gates": (
        *("memory", "temporal_order: coupled gates cost no more"),
        *("solved", COSTLY, True),
    ),
    "gates that come out of saturation": (
        *("memory", "embedded_reber: training saturates"),
        *("value", ENDED, -1.0),
    ),
    "error that reaches no further for an open gate": (
        *("memory", "adding: early on, error reaches further back"),
        *("value", FLOWED, -30.0),
    ),
    "an SRN that reads better than an LSTM": (
        *("text", "text: lstm does better than srn"),
        *("held_out_loss", ENDS.format("next_character", "srn"), 0.1),
    ),
    "an SRN that reads better than a GRU": (
        *("text", "text: gru does better than srn"),
        *("held_out_loss", ENDS.format("next_character", "srn"), 0.1),
    ),
    "a forget gate of no use on text": (
        *("text", "text: without forget, 0.02 nats"),
        *("held_out_loss", COSTLY, 0.0),
    ),
    "an output activation of no use on text": (
        *("text", "text: without output activation, 0.02 nats"),
        *("held_out_loss", COSTLY, 0.0),
    ),
    "dear coupled gates on text": (
        *("text", "text: coupled gates cost less"),
        *("held_out_loss", COUPLED, 4.1),
    ),
    "gates that come out of saturation on text": (
        *("text", "text: training saturates"),
        *("value", ENDED, -1.0),
    ),
}
"""Part and claim; the column, the rows, and the value that they are tampered with."""
KEPT: dict[str, tuple[str, str, str, str, float]] = {
    "the horizon as predicted": (
        *("bias", "lstm: a forget bias of 1 gives 6.4 steps"),
        *("rate", "cell == 'lstm' and bias == 1", 0.15),
    ),
    "a sum that can still be written to": (
        *("saturation", "residual: an input at the end moves"),
        *("written", "cell == 'residual'", 1.0),
    ),
    "an LSTM that adds": (
        *("memory", "adding, T = 10: lstm ends below"),
        *("held_out_loss", ENDS.format("adding", "lstm"), 0.004),
    ),
    "parts that cost": ("memory", "adding: without forget, one", "solved", WHOLE, True),
    "coupled gates that cost as much as nothing": (
        *("memory", "embedded_reber: coupled gates cost no more"),
        *("solved", WHOLE, True),
    ),
    "parts that cost on text": (
        *("text", "text: without output activation, 0.02 nats"),
        *("held_out_loss", COSTLY, 4.17),
    ),
    "coupled gates that cost nothing": (
        *("text", "text: coupled gates cost less"),
        *("held_out_loss", COUPLED, 0.0),
    ),
    "strings that are right": (
        *("memory", "lstm gets 99% of the strings right"),
        *("strings_right", ENDS.format("embedded_reber", "lstm"), 0.995),
    ),
    "error that reaches on": (
        *("memory", "adding: early on, error reaches further back"),
        *("value", FLOWED, 9.0),
    ),
    "gates that saturate": ("text", "text: training saturates", "value", ENDED, 2.0),
}


def _verdicts(case: tuple[str, str, str, str, float]) -> list[str]:
    """Return the verdicts on the claims that a case aims at, on rows so changed."""
    part, claim, column, which, value = case
    rows = MEASURED.rows(part)
    changed: Any = rows.eval(which)
    assert changed.any()
    if part == "text":  # whose alphabet is longer than that of which a run fails
        rows["held_out_loss"] /= 2
    rows.loc[changed, column] = value
    found = MEASURED.claims(part, rows).items()
    return [of.verdict for words, of in found if claim in words]


@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_claim_is_missed_on_tampered_rows(tampered: str):
    assert _verdicts(TAMPERED[tampered]) == [MISSED]


@pytest.mark.parametrize("kept", KEPT)
def test_a_claim_holds_on_rows_that_bear_it_out(kept: str):
    assert _verdicts(KEPT[kept]) == [HOLDS]
