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

from pipeline.measuring.statistics import apart, listed, with_interval
from pipeline.studies.online_algorithms.agreement import APART
from pipeline.studies.online_algorithms.agreement import PART as AGREEMENT
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
Pairs = dict[str, tuple[pd.Series, pd.Series]]


def answer(rows: pd.DataFrame) -> str:
    """Say what is given up, cell by cell, and what it was worth, task by task."""
    agreement = rows_of(rows, "agreement")
    points = [f"{of} {CALLED[rule]}" for rule in CALLED if (of := _cosines(agreement, rule))]
    ends = _ends(rows)
    worse = {task: of for task, of in ends.items() if apart(*of)}
    better = {task: of for task, of in ends.items() if apart(*reversed(of))}
    said = [
        "They give up direction, by how much depends on the cell: where units see each other, the "
        f"cosine to the exact gradient is {listed(points)}"
    ]
    if ends:
        said[0] += (
            "; what that is worth depends on the task: SnAp-1 ends surely worse than exact "
            f"gradients on {len(worse)} of {len(ends)}"
        )
    others = {task: of for task, of in ends.items() if task not in worse and task not in better}
    for words, of in (
        ("SnAp-1 ends worse", worse),
        ("It ends better", better),
        ("The two are not told apart", others),
    ):
        if of:
            said.append(f"{words} on {_losses(of)}")
    return ". ".join(said) + "."


def _cosines(agreement: pd.DataFrame, rule: str) -> str:
    """Return the least and greatest cosine of a rule over cells with weights between units."""
    ran = agreement[agreement["cosine"].notna() & (agreement["rule"] == rule)]
    ran = ran[~ran["cell"].isin(APART)]
    by = {str(cell): of["cosine"] for cell, of in ran.groupby("cell")}
    ranked = sorted(by, key=lambda cell: by[cell].mean())
    ends = dict.fromkeys((*ranked[:1], *ranked[-1:]))
    return " to ".join(f"{with_interval(by[cell], 2)} ({cell})" for cell in ends)


def _ends(rows: pd.DataFrame) -> Pairs:
    """Return the losses of exact gradients and of SnAp-1 at the end, by seed, for each task."""
    found = losses(rows_of(rows, "learning"))
    several = len({cell for _, cell in found}) > 1
    by = {f"{task}, {cell}" if several else task: of for (task, cell), of in found.items()}
    last = last_forecasts(rows_of(rows, "forecasting")).set_index("seed")
    for task, seen in last.groupby("task", sort=False):
        by[str(task)] = {str(rule): of["train_loss"] for rule, of in seen.groupby("rule")}
    return {task: (of[EXACT], of[SNAP1]) for task, of in by.items() if {EXACT, SNAP1} <= of.keys()}


def _losses(ends: Pairs) -> str:
    """Return the losses of SnAp-1 beside those of exact gradients, as words."""
    return listed(
        [
            f"{task} ({with_interval(kept, 3)}, exact {with_interval(exact, 3)})"
            for task, (exact, kept) in ends.items()
        ]
    )


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
