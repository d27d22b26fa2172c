"""What can a recurrent network of fixed weights compute, and where do its numbers end?

Networks of saturated-linear units with rational weights compute all that a Turing machine does: a
single state can hold a stack without end. Each machine here runs in rationals, which are exact, and
from the same weights in float64, float32, float16 and bfloat16, until a state differs from the
exact one. Finite automata among them are the control: they have more to do and nothing to lose.
Beside them cells learn to count from short strings, which is another thing than to be able to.
Chance has a part in the last two expectations alone. p is a float's binary digits: 53, 24, 11, 8.

Expected:
    1. Parity and a binary counter, finite automata, are right in every type, as far as tried.
    2. A stack of ones, 1 - 2^-n, takes p pushes: 53 in float64, 24 in float32.
    3. A Cantor stack in base 4 takes 26 digits in float64, 27 where the 27th is a 0; 12 in float32.
    4. A counter that halves, 2^-n, counts to the least exponent: 1074 in float64, 149 in float32.
    5. Bits shifted into a fraction in base 2 last by content, in float64 from 53 to 67 or so: until
       more than p digits lie from the first 1 to the last.
    6. In rationals nothing is lost, as far as tried.
    7. What a machine is asked at the last depth that its numbers keep it answers right, one symbol
       deeper it does not.
    8. A Turing machine on two Cantor stacks is followed step by step, configuration by
       configuration, until its tape no longer fits the digits; the busy beaver of four states
       writes its 13 ones in 107 steps, in float64 too.
    9. An LSTM that learned a^n b^n from n up to 10 is right at least up to 20, and further than
       Elman's network and GRU, which have no counter.
    10. One LSTM unit learns Dyck-1, from half the starts at least.

References:
    Siegelmann & Sontag (1995), On the computational power of neural nets, Journal of Computer and
        System Sciences 50(1).
    Brady (1983), The determination of the value of Rado's noncomputable function Σ(k) for
        four-state Turing machines, Mathematics of Computation 40.
    Gers & Schmidhuber (2001), LSTM recurrent networks learn simple context-free and
        context-sensitive languages, IEEE Transactions on Neural Networks 12(6).
    Weiss, Goldberg & Yahav (2018), On the practical computational power of finite precision RNNs
        for language recognition, ACL: why LSTM counts and GRU does not.
    Suzgun, Gehrmann, Belinkov & Shieber (2019), LSTM networks can perform dynamic counting, ACL
        workshop on deep learning and formal languages, arXiv:1906.03648.
"""

import pandas as pd

from pipeline.measuring.statistics import median_and_range
from pipeline.studies.computability.counting import PART as COUNTING
from pipeline.studies.computability.counting import ends
from pipeline.studies.computability.depth import PART as DEPTH
from pipeline.studies.computability.depth import kept_in_words
from pipeline.studies.computability.steps import PART as STEPS
from pipeline.study import join, rows_of

TOLD = {"unary_stack": "ones", "palindromes": "digits in base 4", "halving_counter": "halvings"}
"""Machines of which the answer speaks, and what each keeps."""


def answer(rows: pd.DataFrame) -> str:
    """Say how deep a state holds what it is given in float64, what never ends, who learns to."""
    depth = rows_of(rows, "depth")
    float64 = depth[depth["number"] == "float64"]
    told = [
        f"{kept_in_words(of)} {TOLD[str(machine)]}"
        for machine, of in float64.groupby("machine", sort=False)
        if machine in TOLD
    ]
    rational = depth[depth["number"] == "rational"]
    lost = int(rational["lost"].astype(bool).sum())
    deep = f"{int(rational['limit'].max()):,} symbols"
    said = (
        "With rational numbers it computes whatever a Turing machine does: of "
        f"{len(rational)} runs of up to {deep} {lost} lost anything"
    )
    said += f"; in float64 one state keeps no more than {', '.join(told)}." if told else "."
    reach = ends(rows_of(rows, "counting"), "anbn", "reach")
    if "lstm" in reach:
        trained = int(rows.loc[rows["task"] == "anbn", "longest"].max())
        far = median_and_range(reach["lstm"])
        said += f" An LSTM that learned a^n b^n from n up to {trained} counts up to "
        said += f"n = {far}, median and range of starts."
    return said


STUDY = join(__doc__, answer, "sequences and text", depth=DEPTH, steps=STEPS, counting=COUNTING)
