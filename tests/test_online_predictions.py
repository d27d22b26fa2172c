"""Each prediction of the study of online algorithms fails on rows that contradict it."""

import pytest

from tests.online_study import MEASURED

TAMPERED: dict[str, tuple[str, str, str, str, float]] = {
    "an exact gradient that is off": (
        *("agreement", "blocked_rtrl: is the exact gradient"),
        *("relative_error", "rule == 'blocked_rtrl'", 1e-3),
    ),
    "a biased mean": (
        *("agreement", "uoro: the mean is 1 ± 0.2"),
        *("bias_in_errors", "rule == 'uoro'", 5.0),
    ),
    "a mean nearer than chance": (
        *("agreement", "kf_rtrl: the mean is 1 ± 0.2"),
        *("bias_in_errors", "rule == 'kf_rtrl'", 0.1),
    ),
    "a long horizon that turns away": (
        *("agreement", "tbptt: the cosine grows"),
        *("cosine", "rule == 'tbptt(20)'", -0.5),
    ),
    "a trace of units that points worse": (
        *("agreement", "snap1 points better than rflo"),
        *("cosine", "rule == 'rflo'", 0.999),
    ),
    "a draw that points well": (
        *("agreement", "uoro: the cosine of a single draw"),
        *("cosine", "rule == 'uoro'", 0.9),
    ),
    "noise that is not the less": (
        *("agreement", "kf_rtrl scatters less"),
        *("variance", "rule == 'kf_rtrl'", 1e9),
    ),
    "a rule that points backwards": (
        *("agreement", "no rule points backwards"),
        *("cosine", "rule == 'rflo'", -0.5),
    ),
    "a trace larger than the influence": (
        *("agreement", "snap1 needs less memory"),
        *("kilobytes", "rule == 'snap1'", 1e9),
    ),
    "an exact rule that ends elsewhere": (
        *("influence_balancing", "blocked_rtrl: θ reaches"),
        *("theta", "rule == 'blocked_rtrl'", -0.1),
    ),
    "a window that finds the way": (
        *("influence_balancing", "tbptt(10): θ moves the wrong way"),
        *("theta", "rule == 'tbptt(10)'", -0.1),
    ),
    "a control that is off": (
        *("staleness", "at rate 0 the error is rounding"),
        *("relative_error", "learning_rate == 0", 1e-6),
    ),
    "an error that does not grow": (
        *("staleness", "the error grows"),
        *("relative_error", "learning_rate > 0", 1e-4),
    ),
    "a direction that is lost": (
        *("staleness", "the mean cosine"),
        *("cosine", "learning_rate == 0.001", 0.9),
    ),
    "a forecast worse than a reservoir's": (
        *("forecasting", "forecast better than the reservoir"),
        *("train_loss", "rule == 'blocked_rtrl'", 9.0),
    ),
    "learning that is of no use": (
        *("learning", "do better than the reservoir"),
        *("held_out_loss", "rule == 'blocked_rtrl'", 9.0),
    ),
    "an exact rule behind SnAp-1": (
        *("learning", "blocked_rtrl ≤ snap1"),
        *("held_out_loss", "rule == 'blocked_rtrl'", 9.0),
    ),
    "a long memory that is of no use": (
        *("learning", "blocked_rtrl at least halves"),
        *("held_out_loss", "rule == 'blocked_rtrl'", 9.0),
    ),
}
"""Part and claim of a check; the column, the rows, and the value that they are tampered with."""


@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_claim_is_missed_on_tampered_rows(tampered: str):
    part, claim, column, which, value = TAMPERED[tampered]
    rows = MEASURED.rows(part)
    rows.loc[rows.eval(which), column] = value
    MEASURED.assert_missed(part, claim, rows)
