"""Who holds on to what came long ago, and which of it could have been guessed?

The latching problem is the oldest test of memory: a sign is shown, noise follows, and at the end
the sign is asked for. A NARX network has jumps in its past, a gated one a path that nothing
shortens. But a network of random weights holds a sign as well if its weights are strong, so how
long a sign is held says something of learning alone; guessing stands beside every network.

Expected:
    1. Latching: a NARX network of the most delays holds at least twice as long as a simple
       recurrent network of as many units, and more delays hold no less.
    2. Guessing weights solves latching, in 85 draws at most, whatever the length.
    3. Temporal order and adding it does not solve: from fewer than half of the seeds, in as many
       draws as the table says. GRU and LSTM learn them from most starts.
    4. Temporal XOR: a simple recurrent network learns the one bit in three that can be known, to a
       squared error below .05, and stays at .25, that of a guess, at the other two.
    5. A table of what follows two bits, which does not know the place, has 1/9 there.

References:
    Elman (1990), Finding structure in time, Cognitive Science 14: temporal XOR.
    Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is
        difficult, IEEE Transactions on Neural Networks 5(2): latching.
    Lin, Horne, Tiňo & Giles (1996), Learning long-term dependencies in NARX recurrent neural
        networks, IEEE Transactions on Neural Networks 7(6): 2 to 3 times longer.
    Hochreiter & Schmidhuber (1997), LSTM can solve hard long time lag problems, NIPS 9: guessing.
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8): temporal
        order and adding.
"""

import pandas as pd

from pipeline.measuring.statistics import median_and_range, share_in_words, with_interval
from pipeline.studies.memory.lags import PART as LAGS
from pipeline.studies.memory.lags import longest, narx
from pipeline.studies.memory.runs import GUESSING, ends
from pipeline.studies.memory.tasks import PART as TASKS
from pipeline.studies.memory.temporal_xor import CHANCE, third
from pipeline.studies.memory.temporal_xor import PART as TEMPORAL_XOR
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say how long networks hold a sign, and what guessing solves."""
    lags, tasks = rows_of(rows, "lags"), ends(rows_of(rows, "tasks"))
    held, by_delays = longest(lags), narx(lags)
    of = {
        "srn": "a simple network",
        "residual_recurrent": "a residual one",
        "gru": "a GRU",
        "lstm": "an LSTM",
    }
    of |= {name: f"a NARX network of {delays} delays" for delays, name in by_delays.items()}
    said = [f"{of[n]} {median_and_range(held[n])}" for n in held if n in of]
    guessed = ends(lags[lags["network"] == GUESSING])
    other = tasks[tasks["network"] == GUESSING]
    sentences = []
    if said:
        sentences.append(
            f"The median seed holds a sign for so many steps (range over seeds): {', '.join(said)}."
        )
    if len(guessed):
        sentences.append(
            f"Weights drawn at random hold it in {share_in_words(guessed['solved'])} searches, "
            f"after {guessed['guessed'].mean():.0f} draws on average"
            + (f"; other tasks in {share_in_words(other['solved'])}." if len(other) else ".")
        )
    error = third(rows_of(rows, "temporal_xor")).get("srn")
    if error is not None:
        sentences.append(
            "Of a bit that is the XOR of the two before it a simple network's prediction has a "
            f"squared error of {with_interval(error)} ({CHANCE:g} is that of a guess)."
        )
    return " ".join(sentences)


STUDY = join(
    __doc__, answer, "sequences and text", lags=LAGS, tasks=TASKS, temporal_xor=TEMPORAL_XOR
)
