"""What do approximate online gradients give up, on every cell, and what is it worth?

An exact online gradient needs the influence of every weight on every unit. Approximations keep a
part of it (SnAp, RFLO, e-prop), a random shadow of it (UORO, KF-RTRL), a window of the past
(TBPTT), or nothing (a reservoir). This study says where their gradients point, how they scatter,
and what they cost; whether that is enough to learn; and how far off exact learning itself is once
the weights move at every step.

Expected:
    1. Exactness: blocked RTRL, and diagonal RTRL where it applies, equal dense RTRL to rounding. So
       do SnAp-1 and RFLO on the cells without weights between units (diagonal, eLSTM), where what
       they drop is zero, and e-prop there as long as no credit reaches hidden parts of a unit's
       state, which it leaves out: here the readout sees h alone. SnAp-n, of two steps, does
       everywhere: within two steps dense weights reach every unit.
    2. Direction: what keeps more points better: the cosine of TBPTT grows with its horizon on every
       cell, and where there are weights between units, SnAp-1's is above RFLO's. No algorithm
       points backwards.
    3. Noise: the means of UORO and KF-RTRL are right: their distance from the exact gradient is 1
       ± 0.2 standard errors. KF-RTRL scatters less than UORO. A single draw of UORO tells little of
       the direction: its cosine is below 0.5 on every cell.
    4. Memory: SnAp-1 needs less than blocked RTRL.
    5. Influence balancing: exact algorithms bring θ to θ* ± 0.01, and unbiased ones, but for their
       noise, to θ* ± 0.05 on average over seeds; TBPTT with a window of at most 40 steps, SnAp-1
       and RFLO move it the wrong way.
    6. Staleness: at rate 0 the online gradient is that of a fresh unroll to rounding. Its error
       grows in proportion to the learning rate, as weights lag in proportion: with an exponent of
       1 ± 0.2 up to 1e-3, where the mean cosine stays above 0.99.
    7. Forecasting: exact gradients forecast better than a reservoir does.
    8. Forecasting, after as many steps as were published: the order of a public project's errors,
       of each pair that is told apart there; and where gradients are exact or SnAp-1's, within 30 %
       of its means.
    9. Learning: on every task exact gradients end better than a reservoir, and no worse than SnAp-1
       (to 5 % of the reservoir's loss), which is no worse than RFLO.
    10. Learning a sum of lagged inputs: exact gradients and TBPTT(20) at least halve the loss of
        TBPTT(1), which credits neither lag.

References:
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
    recurrent neural networks, JMLR 21.
    Tallec & Ollivier (2018), Unbiased online recurrent optimization, ICLR, arXiv:1702.05043.
    Menick, Elsen, Evci, Osindero, Simonyan & Graves (2021), A practical sparse approximation for
    real time recurrent learning, ICLR, arXiv:2006.07232.
    Mujika, Meier & Steger (2018), Approximating real-time recurrent learning with random Kronecker
    factors, NeurIPS, arXiv:1805.10842.
    Murray (2019), Local online learning in recurrent networks with random feedback, eLife 8.
    Bellec et al. (2020), A solution to the learning dilemma for recurrent networks of spiking
    neurons, Nature Communications 11.
    Jaeger (2001), The echo state approach to analysing and training recurrent neural networks,
    GMD Report 148.
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.online_algorithms.agreement import PART as AGREEMENT
from pipeline.studies.online_algorithms.agreement import mean_cosines
from pipeline.studies.online_algorithms.forecasting import PART as FORECASTING
from pipeline.studies.online_algorithms.influence_balancing import PART as INFLUENCE_BALANCING
from pipeline.studies.online_algorithms.learning import PART as LEARNING
from pipeline.studies.online_algorithms.learning import losses
from pipeline.studies.online_algorithms.published import last_forecasts
from pipeline.studies.online_algorithms.staleness import PART as STALENESS
from pipeline.study import join, rows_of

EXACT, SNAP1 = "blocked_rtrl", "snap1"
CALLED = {SNAP1: "under SnAp-1", "uoro": "under one draw of UORO"}
"""The approximations of whose direction the answer speaks."""


def answer(rows: pd.DataFrame) -> str:
    """Say what is given up, and what it was worth."""
    cosines = mean_cosines(rows_of(rows, "agreement"))
    points = [f"{with_interval(cosines[r], 2)} {CALLED[r]}" for r in CALLED if r in cosines]
    said = [
        "They give up direction: where units see each other, the cosine to the exact gradient is "
        f"{' and '.join(points)}."
    ]
    copying = losses(rows_of(rows, "learning")).get(("copy", "srn"), {})
    last = last_forecasts(rows_of(rows, "forecasting")).set_index("seed")
    henon = {str(rule): of for rule, of in last[last["task"] == "henon"].groupby("rule")}
    forecasts = {rule: of["train_loss"] for rule, of in henon.items()}
    ends = [
        f"{words} {with_interval(loss[EXACT], digits)} by exact gradients and "
        f"{with_interval(loss[SNAP1], digits)} by SnAp-1"
        for words, loss, digits in (
            ("where symbols have to be held, copying ends at a loss of", copying, 3),
            ("where the last values are enough, forecasts of Hénon's map end at", forecasts, 4),
        )
        if {EXACT, SNAP1} <= loss.keys()
    ]
    if ends:
        said.append(f"What that is worth depends on the task: {'; '.join(ends)}.")
    return " ".join(said)


STUDY = join(
    __doc__,
    answer,
    "obtaining a gradient",
    agreement=AGREEMENT,
    influence_balancing=INFLUENCE_BALANCING,
    staleness=STALENESS,
    forecasting=FORECASTING,
    learning=LEARNING,
)
