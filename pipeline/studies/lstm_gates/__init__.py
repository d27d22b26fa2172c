"""Which parts of the LSTM let it remember, and what does each do to the gradient?

Every gate is taken out, which leaves it open, or coupled to another; either activation is taken
out; the forget gate starts anywhere from shut to open, or with lengths of memory spread by chrono
initialisation. Beside them stand what came before gates and what came after: Elman's network, both
residual recurrences, GRU, and JANET, of whose gates the forget gate alone is left.

Expected:
    1. In an LSTM of 128 units and 32 inputs that was just drawn, error falls by e over 1.1, 2.0,
       6.4 and 48 steps for a forget bias of -1, 0, 1 and 2, to 20 %.
    2. In every cell whose gate forgets, error falls the more slowly the higher that gate's bias.
    3. On the adding problem of 50 steps LSTM and GRU end below 0.005, Elman's network above 0.1.
    4. Of the embedded Reber grammar LSTM gets 99 % of the strings right; Elman's network fails on
       the last symbol but one, which repeats the second, by BPTT as by the one step back that it
       was first trained with: right in less than 3 of 4 strings, halfway between guessing and
       knowing.
    5. The first residual form, whose state is a sum without order, confuses two of the four
       temporal orders, as it must: at most 3 of 4 right.
    6. On text LSTM and GRU do better than Elman's network.
    7. It costs something to take out the forget gate, or the output activation: of the starts that
       solve what has to be remembered, one in five; on text 0.02 nats. (First stated otherwise: of
       five parts one of these two costs most of all, which chance alone grants in two of five.)
    8. Coupling the gates costs less on text than taking out either, and no more elsewhere.
    9. Training saturates the gates, by a hundredth of their values at least.
    10. Early in training error falls the more slowly on its way back the higher LSTM's forget bias.
    11. Nothing bounds the memory of the residual recurrences: as they are drawn, along noise, |h|
       grows without end, in the first form as the root of steps or faster, in the second, which
       saturates, in proportion to steps. LSTM's and GRU's stays below 1, and does not grow. Once
       trained, more of |h| is above .9 than in LSTM, by a quarter of its values.
    12. What has grown saturates what it feeds: after 1,000 steps an input moves the state of the
       second form by less than a tenth of what the first did; that of the first form, which h does
       not enter, LSTM's and GRU's by half or more.

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8).
    Gers, Schmidhuber & Cummins (2000), Learning to forget, Neural Computation 12(10).
    Greff, Srivastava, Koutník, Steunebrink & Schmidhuber (2017), LSTM: a search space odyssey,
    IEEE Transactions on Neural Networks and Learning Systems 28(10).
    Jozefowicz, Zaremba & Sutskever (2015), An empirical exploration of recurrent network
    architectures, ICML.
    Tallec & Ollivier (2018), Can recurrent neural networks warp time?, ICLR, arXiv:1804.11188.
    van der Westhuizen & Lasenby (2018), The unreasonable effectiveness of the forget gate,
    arXiv:1804.04849.
    Karpathy, Johnson & Li (2016), Visualizing and understanding recurrent networks, ICLR workshop,
    arXiv:1506.02078.
"""

import pandas as pd

from pipeline.measuring.statistics import half_width, share_in_words, with_interval
from pipeline.studies.lstm_gates.bias import PART as BIAS
from pipeline.studies.lstm_gates.bias import horizon, rates_by_bias
from pipeline.studies.lstm_gates.comparison import by_network, failed, parts
from pipeline.studies.lstm_gates.memory import PART as MEMORY
from pipeline.studies.lstm_gates.saturation import PART as SATURATION
from pipeline.studies.lstm_gates.text import PART as TEXT
from pipeline.study import join, rows_of

SHUT_AND_OPEN = -1.0, 2.0
"""Forget biases of which the answer speaks."""


def answer(rows: pd.DataFrame) -> str:
    """Say what each part is worth on text and where something is held, and to the gradient."""
    said = _read(rows_of(rows, "text")), _remembered(rows_of(rows, "memory"))
    return " ".join(filter(None, (*said, _kept(rows_of(rows, "bias")))))


def _read(rows: pd.DataFrame) -> str:
    """Say which part costs most on text, of those that surely cost something."""
    loss = by_network(rows, "held_out_loss")
    if "lstm" not in loss:
        return ""
    whole = loss["lstm"][~failed(loss["lstm"])]
    costs = {part: (of[~failed(of)] - whole).dropna() for part, of in parts(loss).items()}
    sure = {part: of for part, of in costs.items() if of.mean() > half_width(of)}
    if not sure:
        return "On text these seeds do not tell which part is worth something."
    part = max(sure, key=lambda one: sure[one].mean())
    others = " and ".join(_called(one) for one in sure if one != part) or "no other part"
    cost = f"{with_interval(sure[part], 2)} nats"
    return (
        f"On text it is the {_called(part)}: taken out, it costs {cost}, and {others} is sure to "
        "cost any."
    )


def _remembered(rows: pd.DataFrame) -> str:
    """Say where the lack of a part lets fewest starts solve a task, beside the whole LSTM."""
    found: list[tuple[float, str]] = []
    for task, seen in rows.groupby("task", sort=False):
        solved = {name: of.astype(bool) for name, of in by_network(seen, "solved").items()}
        found += [
            (
                of.mean() - solved["lstm"].mean(),
                f"{str(task).replace('_', ' ').capitalize()} was solved from {share_in_words(of)} "
                f"starts without the {_called(part)}, from {share_in_words(solved['lstm'])} "
                "with it.",
            )
            for part, of in parts(solved).items()
            if "lstm" in solved
        ]
    return min(found, key=lambda one: one[0])[1] if found else ""


def _called(part: str) -> str:
    """Return a part as a sentence has it."""
    return part if part.endswith("activation") else f"{part} gate"


def _kept(rows: pd.DataFrame) -> str:
    """Say how long error lasts in an LSTM before training, by its forget bias."""
    rates = rates_by_bias(rows, "lstm")
    each = [
        f"{horizon(rates[bias])} at a bias of {bias:g}" for bias in SHUT_AND_OPEN if bias in rates
    ]
    return (
        "The bias of the forget gate sets how far error reaches: before training it falls by e, "
        f"in steps, over {' and over '.join(each)}."
        if each
        else ""
    )


STUDY = join(
    __doc__,
    answer,
    "vanishing gradients and their cures",
    bias=BIAS,
    saturation=SATURATION,
    memory=MEMORY,
    text=TEXT,
)
