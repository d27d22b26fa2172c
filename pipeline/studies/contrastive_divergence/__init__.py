"""How wrong is contrastive divergence as a gradient, and what does that do to likelihood?

A restricted Boltzmann machine's gradient has a part that only its own distribution gives. CD-k
takes k sweeps from the data instead, persistent CD chains that go on. Where machines are so small
that all states can be gone through, that is held to the exact gradient, and the models to exact
likelihood; where they are not, likelihood is estimated from both sides. A Boltzmann machine of
linked hidden units stands beside.

Expected:
    1. CD-k's mean gradient, by transition matrices, has a cosine to the exact one that rises with
       k, is 1 before anything is learned and above 0 always. (Seen beforehand at a divergence of
       .064: .61, .77, .79, .81, .84 for k = 1, 5, 10, 25, 100.)
    2. It tells fewer than a quarter of the weights the wrong way, and more of them the more was
       learned.
    3. Its bias² falls with k; its variance rises where it has learned. (First expected at every
       look: the first two machines had next to the same at the start.)
    4. Of 3×3 bars and stripes, 14 patterns, the exact gradient comes below a divergence of .15
       nats, CD-10 stays above it and CD-1 above that; and while CD-1's divergence rises its
       reconstructions get better.
    5. A Boltzmann machine comes to a divergence below .02 nats by exact statistics; by annealing
       one finds the code of 8-3-8, from more than half of the starts.
    6. With 16 hidden units centred machines give binary digits more likelihood than plain ones,
       inverted digits by more than ten nats; centred ones do not mind the inversion. Figures are
       those of a public tutorial to two nats.
    7. Annealed importance sampling counts ln Z to a tenth of a nat where it can be counted.
    8. With 500 hidden units digits are likelier by CD-3 than by CD-1, and likeliest by centred
       persistent CD: above -90 nats by the worse of annealing forth and back, which are within 5
       nats.
    9. The derivative of a nudge's free energy is the difference of its two phases at any strength.

References:
    Hinton (2002), Training products of experts by minimizing contrastive divergence, Neural
        Computation 14(8).
    Tieleman (2008), Training restricted Boltzmann machines using approximations to the likelihood
        gradient, ICML.
    Salakhutdinov & Murray (2008), On the quantitative analysis of deep belief networks, ICML.
    Bengio & Delalleau (2009), Justifying and generalizing contrastive divergence, Neural
        Computation 21(6).
    Fischer & Igel (2010), Empirical analysis of the divergence of Gibbs sampling based learning
        algorithms for restricted Boltzmann machines, ICANN: likelihood that falls again.
    Melchior, Fischer & Wiskott (2016), How to center deep Boltzmann machines, JMLR 17(99).
    Ackley, Hinton & Sejnowski (1985), A learning algorithm for Boltzmann machines, Cognitive
        Science 9.
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.contrastive_divergence.bias import PART as BIAS
from pipeline.studies.contrastive_divergence.bias import ends
from pipeline.studies.contrastive_divergence.boltzmann import PART as BOLTZMANN
from pipeline.studies.contrastive_divergence.digits import PART as DIGITS
from pipeline.studies.contrastive_divergence.large import PART as LARGE
from pipeline.studies.contrastive_divergence.large import likelihoods
from pipeline.studies.contrastive_divergence.nudge import PART as NUDGE
from pipeline.studies.contrastive_divergence.small import PART as SMALL
from pipeline.studies.contrastive_divergence.small import divergences
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say how wrong the direction gets, what that costs, and what digits' likelihood comes to."""
    last = ends(rows_of(rows, "bias")).groupby("k")["cosine"]
    small = divergences(rows_of(rows, "small"))
    large = likelihoods(rows_of(rows, "large"))
    by_k = [(k, of) for k, of in last]
    cosines = " and ".join(f"{with_interval(of, 2)} by CD-{k:g}" for k, of in (by_k[0], by_k[-1]))
    kept = ", ".join(f"{with_interval(of)} ({by})" for by, of in small.items())
    told = ", ".join(f"{with_interval(of, 1)} by {by}" for by, of in large.items())
    return (
        f"At the end of learning the expected update has a cosine of {cosines} to likelihood's "
        f"gradient, and a model of bars and stripes is left at a divergence of {kept} nats from "
        f"its data. The log-likelihood of test digits is {told} nats."
    )


STUDY = join(
    __doc__,
    answer,
    "energy",
    bias=BIAS,
    small=SMALL,
    boltzmann=BOLTZMANN,
    digits=DIGITS,
    large=LARGE,
    nudge=NUDGE,
)
