"""What do approximate online gradients give up, on every cell, and what is it worth?

An exact online gradient needs the influence of every weight on every unit. Approximations keep a
part of it (SnAp, RFLO, e-prop), a random shadow of it (UORO, KF-RTRL), a window of the past
(TBPTT), or nothing (a reservoir). This study says where their gradients point, how they scatter,
and what they cost; whether that is enough to learn; and how far off exact learning itself is once
the weights move at every step.

Expected:
    1. Agreement: every algorithm keeps its claim on every cell: exact to rounding, right on
       average, or within 90 degrees; what keeps more of the past or of the network points better.
    2. Influence balancing: exact and unbiased algorithms find θ*; TBPTT with a window of up to 40
       steps, SnAp-1 and RFLO go the wrong way.
    3. Staleness: the error of the online gradient grows in proportion to the learning rate, and
       its direction is right to a cosine of 0.99 up to a rate of 1e-3.
    4. Forecasting: the order of a public project's errors, and within 30 % of them where gradients
       are exact or SnAp-1's.
    5. Learning: exact gradients beat a reservoir on every task, and are no worse than SnAp-1,
       which is no worse than RFLO.

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

from pipeline.studies.online_algorithms.agreement import PART as AGREEMENT
from pipeline.studies.online_algorithms.forecasting import PART as FORECASTING
from pipeline.studies.online_algorithms.influence_balancing import PART as INFLUENCE_BALANCING
from pipeline.studies.online_algorithms.learning import PART as LEARNING
from pipeline.studies.online_algorithms.staleness import PART as STALENESS
from pipeline.study import join

STUDY = join(
    __doc__,
    agreement=AGREEMENT,
    influence_balancing=INFLUENCE_BALANCING,
    staleness=STALENESS,
    forecasting=FORECASTING,
    learning=LEARNING,
)
