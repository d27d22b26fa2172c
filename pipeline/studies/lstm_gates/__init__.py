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

from pipeline.measuring.evidence import rarer
from pipeline.measuring.statistics import half_width, share_interval, with_interval
from pipeline.studies.lstm_gates.bias import PART as BIAS
from pipeline.studies.lstm_gates.bias import horizon, rates_by_bias
from pipeline.studies.lstm_gates.comparison import by_network, failed, parts
from pipeline.studies.lstm_gates.memory import PART as MEMORY
from pipeline.studies.lstm_gates.saturation import PART as SATURATION
from pipeline.studies.lstm_gates.text import PART as TEXT
from pipeline.study import join, rows_of

SHUT_AND_OPEN = -1.0, 2.0
"""Forget biases of which the answer speaks."""
COUPLED = "coupled_lstm"
NAMES = {"embedded_reber": "embedded Reber grammar"}


def answer(rows: pd.DataFrame) -> str:
    """Say what each part is worth where something is held, to the gradient, and on text."""
    held, kept = _remembered(rows_of(rows, "memory")), _kept(rows_of(rows, "bias"))
    first = "; ".join(filter(None, (held, kept)))
    return " ".join(f"{said}." for said in (first, _read(rows_of(rows, "text"))) if said)


def _remembered(rows: pd.DataFrame) -> str:
    """Say which lacks surely let fewer starts solve a task than the whole LSTM, the worst first."""
    found: list[tuple[float, str]] = []
    tasks: list[str] = []
    for task, seen in rows.groupby("task", sort=False):
        solved = {name: of.astype(bool) for name, of in by_network(seen, "solved").items()}
        if "lstm" not in solved:
            continue
        whole, name = solved["lstm"], NAMES.get(str(task), str(task).replace("_", " "))
        tasks.append(name)
        without = {f"the {_called(part)}": of for part, of in parts(solved).items()}
        if COUPLED in solved:
            without["gates that are not coupled"] = solved[COUPLED]
        for words, of in without.items():
            fewer = rarer(words, of, whole, expected=7)
            if fewer.low > 0:
                against = f"{int(whole.sum())} of {len(whole)}"
                said = f"{words} ({name}: {_share(of)} starts without, {against} with)"
                found.append((-fewer.estimate, said))
    if not tasks:
        return ""
    if not found:
        return f"No part is sure to be needed to remember ({', '.join(tasks)})"
    needs = ", ".join(said for _, said in sorted(found))
    return f"To remember, the LSTM needs, by how many starts solve a task, {needs}"


def _share(solved: pd.Series) -> str:
    """Return a share with its interval, to stand in brackets."""
    low, high = share_interval(solved)
    return f"{int(solved.sum())} of {len(solved)} [{low:.0%} to {high:.0%}]"


def _read(rows: pd.DataFrame) -> str:
    """Say which parts cost something on text, and without which some runs failed."""
    loss = by_network(rows, "held_out_loss")
    if "lstm" not in loss:
        return ""
    whole = loss["lstm"][~failed(loss["lstm"])]
    costs = {part: (of[~failed(of)] - whole).dropna() for part, of in parts(loss).items()}
    sure = {part: of for part, of in costs.items() if of.mean() > half_width(of)}
    told = [
        f"{with_interval(of, 2)} nats a character without the {_called(part)}"
        for part, of in sorted(sure.items(), key=lambda one: -one[1].mean())
    ]
    lost = [
        f"without the {_called(part)} {int(failed(of).sum())} of {len(of)} runs failed"
        for part, of in parts(loss).items()
        if failed(of).any()
    ]
    little = ""
    if "srn" in loss and len(whole):
        simple = loss["srn"][~failed(loss["srn"])]
        little = (
            f" (LSTM {with_interval(whole, 2)}, Elman's network {with_interval(simple, 2)} nats)"
        )
    cost = (
        f"held-out loss is higher by {' and by '.join(told)}, and not surely without any other part"
        if told
        else "these seeds do not tell which part is worth something"
    )
    return f"On text{little} {'; '.join([cost, *lost])}"


def _called(part: str) -> str:
    """Return a part as a sentence has it."""
    return part if part.endswith("activation") else f"{part} gate"


def _kept(rows: pd.DataFrame) -> str:
    """Say how long error lasts in an LSTM before training, by its forget bias."""
    rates = rates_by_bias(rows, "lstm")
    each = [
        f"{horizon(rates[bias])} steps at a bias of {bias:g}"
        for bias in SHUT_AND_OPEN
        if bias in rates
    ]
    return (
        "the bias of the forget gate sets how far error reaches: before training it falls by a "
        f"factor of e within {' and '.join(each)}"
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
