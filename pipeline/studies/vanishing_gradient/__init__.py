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

from pipeline.measuring.statistics import half_width, share_in_words, with_interval
from pipeline.studies.vanishing_gradient.chance import CHANCE
from pipeline.studies.vanishing_gradient.chance import PART as CHANCE_PART
from pipeline.studies.vanishing_gradient.decay import PART as DECAY
from pipeline.studies.vanishing_gradient.decay import kept_by_seed
from pipeline.studies.vanishing_gradient.learning import LEARNED, LENGTH, learned, losses
from pipeline.studies.vanishing_gradient.learning import PART as LEARNING
from pipeline.study import join, rows_of

CALLED = {
    "srn": "a network of tanh units",
    "lstm": "an LSTM",
    "residual_recurrent": "a residual recurrence",
}
"""The networks of which the answer says what a step keeps of error before training."""
NAMES = {"gru": "GRU", "lstm": "LSTM", "irnn": "IRNN"}


def answer(rows: pd.DataFrame) -> str:
    """Say what a step keeps of error, and who learns over how many steps."""
    decay, learning = rows_of(rows, "decay"), rows_of(rows, "learning")
    networks = decay[decay["kind"] == "network"]
    left = [
        f"{with_interval(kept.map(math.exp).mul(100), 1)} % in {words}"
        for name, words in CALLED.items()
        if len(kept := kept_by_seed(networks, name))
    ]
    by_length = learned(learning)
    longest = max(by_length)
    at_most = by_length[longest]
    always = [NAMES.get(name, name) for name, of in at_most.items() if of.all()]
    return (
        "Every step back multiplies error by a Jacobian, so that over time it shrinks or grows "
        "exponentially in the number of steps; adding two numbers "
        f"{longest} steps apart is learned from every start by {_listed(always)}"
        f"{' and by no other' if always else ''} of {len(at_most)} networks. What a step "
        "keeps of the error's length before training is on average "
        f"{_listed(left)}. {_ends(by_length)}"
        f"{_stuck(losses(learning))}"
    )


def _listed(names: list[str]) -> str:
    """Return names as a sentence has them."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "none"


def _ends(by_length: dict[int, dict[str, pd.Series]]) -> str:
    """Say how many starts of each network learn, at each length, of those that ever do."""
    lines = []
    for network in dict.fromkeys(name for of in by_length.values() for name in of):
        tried = [of[network] for of in by_length.values() if network in of]
        if any(of.any() for of in tried):
            counts = ", ".join(f"{int(of.sum())} of {len(of)}" for of in tried[:-1])
            last = share_in_words(tried[-1])
            said = f"{counts} and {last}" if counts else last
            lines.append((sum(of.mean() for of in tried), f"{NAMES.get(network, network)} {said}"))
    told = "; ".join(said for _, said in sorted(lines, key=lambda line: -line[0]))
    steps = _listed([str(length) for length in by_length])
    return (
        f"Starts that come below a squared error of {LEARNED} over {steps} steps: "
        f"{told or 'none'}; of the other networks none."
    )


def _stuck(loss: dict[str, pd.Series]) -> str:
    """Say how tanh units end, beside remembering nothing."""
    if "tanh" not in loss:
        return ""
    ends = loss["tanh"]
    better = ends.mean() + half_width(ends) < CHANCE
    return (
        f" Tanh units end at {with_interval(ends)} over {LENGTH} steps, "
        f"{'' if better else 'not surely '}below the {CHANCE:.3f} of remembering nothing."
    )


STUDY = join(
    __doc__,
    answer,
    "vanishing gradients and their cures",
    decay=DECAY,
    chance=CHANCE_PART,
    learning=LEARNING,
)
