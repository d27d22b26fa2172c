"""Why do gradients vanish or explode on their way back through time, and who still learns?

Error on its way back is multiplied by one Jacobian a step. This study says how fast it shrinks or
grows, by activation, gain, start and architecture, beside what theory says of it, and which of
the networks then learn to add two numbers that are many steps apart.

Expected:
    1. Decay: a linear recurrence by an orthogonal matrix times σ keeps exactly σ^k of the error k
       steps back. Through logistic units no step keeps more than a quarter of W's largest
       singular value. The first residual form keeps all of it. Over 100 steps and more the rate
       of decay is the largest Lyapunov exponent, to 5 %, where W mixes the units: from an identity
       each unit has an exponent of its own. An LSTM that starts with a forget bias keeps more
       than a network of tanh units from the usual start.
    2. Learning: GRU and LSTM learn to add numbers 50 steps apart (squared error below .005),
       tanh units from the usual start do not (above .1).

References:
    Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen, diploma thesis, TU München.
    Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is
        difficult, IEEE Transactions on Neural Networks 5(2).
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML.
    Engelken, Wolf & Abbott (2023), Lyapunov spectra of chaotic recurrent neural networks, Physical
        Review Research 5, arXiv:2006.02427.
"""

import math

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.vanishing_gradient.decay import PART as DECAY
from pipeline.studies.vanishing_gradient.decay import USUAL, kept_by_seed
from pipeline.studies.vanishing_gradient.learning import LENGTH, losses
from pipeline.studies.vanishing_gradient.learning import PART as LEARNING
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what is left of error, and who learns."""
    decay = rows_of(rows, "decay")
    networks = decay[decay["kind"] == "network"]
    left = ", ".join(
        f"{name} {with_interval(kept.map(math.exp).mul(100), 1)} %"
        for name in networks.loc[networks["start"] == USUAL, "cell"].unique()
        if len(kept := kept_by_seed(networks, name))
    )
    ends = ", ".join(
        f"{name} {with_interval(loss, 4)}"
        for name, loss in losses(rows_of(rows, "learning")).items()
    )
    return (
        "Because error is multiplied by one Jacobian a step, it shrinks or grows by a factor of "
        f"the network's own; as they are drawn, a step keeps: {left}. Who keeps it learns: adding "
        f"numbers {LENGTH} steps apart, where remembering nothing costs 0.1667, ends at a squared "
        f"error of: {ends}."
    )


STUDY = join(__doc__, answer, "vanishing gradients and their cures", decay=DECAY, learning=LEARNING)
