"""Does real-time recurrent learning equal back-propagation through time, and what does each cost?

Both compute the derivative of the same loss, one by looking back over a stored history, the other
by carrying the influence of the weights forward. So their gradients must agree to rounding on
every cell, and training with either must give the same curve. They differ in what they need: BPTT
stores T steps, RTRL an influence matrix of n times the number of weights, whatever T is. Dense
RTRL pays for this O(n⁴) operations a step; the blocked form (a hybrid of the two) is as exact at
O(n³).

Expected:
    1. Exactness: every algorithm that claims it is within 1e-12 of automatic differentiation,
       for each block of weights, across block boundaries, resets and masked losses.
    2. Cost: time a step grows with n as n⁴ (dense RTRL), n³ (blocked) and n² (BPTT), each the
       more visible the larger n; memory grows linearly with T for BPTT and not at all for RTRL,
       so that beyond some T, RTRL needs less.
    3. Truncation: the gradient of TBPTT turns towards the exact one as its horizon grows, the
       slower the larger the recurrent gain; a horizon that covers the sequence is exact.
    4. Training: while the weights are held within a sequence, BPTT, RTRL and blocked RTRL give
       one curve. With an update at every step, on streams without end, a longer horizon learns
       better, and exact online gradients are no worse than the longest.

References:
    Werbos (1990), Backpropagation through time: what it does and how to do it, Proc. IEEE 78(10).
    Williams & Zipser (1989), A learning algorithm for continually running fully recurrent neural
    networks, Neural Computation 1(2).
    Schmidhuber (1992), A fixed size storage O(n³) time complexity learning algorithm for fully
    recurrent continually running networks, Neural Computation 4(2).
    Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories, Neural Computation 2(4).
"""

from pipeline.studies.bptt_vs_rtrl.cost import PART as COST
from pipeline.studies.bptt_vs_rtrl.exactness import PART as EXACTNESS
from pipeline.studies.bptt_vs_rtrl.training import PART as TRAINING
from pipeline.studies.bptt_vs_rtrl.truncation import PART as TRUNCATION
from pipeline.study import join

STUDY = join(__doc__, exactness=EXACTNESS, cost=COST, truncation=TRUNCATION, training=TRAINING)
