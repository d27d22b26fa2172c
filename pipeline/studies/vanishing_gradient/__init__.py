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
    3. Chance: who remembers nothing answers 1, at a squared error of 1/6; the .1767 that Le et al.
       give for it, and many since, is not reached.
    4. Adding, beside what this project had measured before, on a set-up that is not recorded: GRU,
       LSTM and IRNN end no higher (.0004, .0029, .0011), and tanh units, .158 then, within a fifth
       of chance. (Stated after a look at five seeds.)
    5. ReLU units whose recurrent weights start from an identity, the IRNN: an error goes back whole
       where a unit is on, and not at all where it is off, so that no step keeps more than all. From
       most starts they learn to add. (Stated after a look at five seeds, of which four did.)

References:
    Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen, diploma thesis, TU München.
    Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is
        difficult, IEEE Transactions on Neural Networks 5(2).
    Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear
        units, arXiv:1504.00941: the IRNN, and adding.
    Arjovsky, Shah & Bengio (2016), Unitary evolution recurrent neural networks, ICML.
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML.
    Engelken, Wolf & Abbott (2023), Lyapunov spectra of chaotic recurrent neural networks, Physical
        Review Research 5, arXiv:2006.02427.
"""

import math

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.vanishing_gradient.chance import PART as CHANCE
from pipeline.studies.vanishing_gradient.decay import PART as DECAY
from pipeline.studies.vanishing_gradient.decay import kept_by_seed
from pipeline.studies.vanishing_gradient.learning import LEARNED, LENGTH, losses
from pipeline.studies.vanishing_gradient.learning import PART as LEARNING
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what a step keeps of error, and who learns."""
    decay, loss = rows_of(rows, "decay"), losses(rows_of(rows, "learning"))
    networks = decay[decay["kind"] == "network"]
    left = [
        f"{with_interval(kept.map(math.exp).mul(100), 1)} % in {words}"
        for name, words in (("srn", "a network of tanh units"), ("lstm", "an LSTM"))
        if len(kept := kept_by_seed(networks, name))
    ]
    ends = [
        f"{words} {with_interval(loss[name], digits)}"
        for name, words, digits in (("lstm", "an LSTM to", 4), ("tanh", "tanh units to", 3))
        if name in loss
    ]
    always = [name for name, of in loss.items() if (of < LEARNED).all()]
    return (
        "Because every step back multiplies error by a Jacobian, it shrinks or grows as a power of "
        f"the distance: before training a step keeps {' and '.join(left) or 'what is not known'}. "
        f"Adding two numbers {LENGTH} steps apart is learned from every start by "
        f"{' and '.join(always) or 'no network'}: the squared error comes down for "
        f"{' and for '.join(ends)}; remembering nothing leaves 0.167."
    )


STUDY = join(
    __doc__,
    answer,
    "vanishing gradients and their cures",
    decay=DECAY,
    chance=CHANCE,
    learning=LEARNING,
)
