"""What can a single layer of threshold units do, and how many mistakes does it take to learn it?

Weights by hand, weights by the perceptron rule, the bound on its mistakes, and what becomes of it
where no weights are right.

Expected:
    1. Gates: McCulloch and Pitts' neuron is AND, OR and NOT by hand.
    2. Gates: the perceptron learns them from every start.
    3. Gates: on XOR it never settles, and at most 3 of 4 answers are right.
    4. Bound (Novikoff): from zero weights and at a constant rate, no separable problem takes more
       mistakes than (R/γ)², with the margin of a known separator and with the greatest margin
       alike, and all of them settle.
    5. Bound: none is known for a rate that decays, which takes no fewer mistakes.
    6. Digits, one perceptron per class on MNIST: the 50,000 that are trained on cannot be
       separated, so it never settles.
    7. Digits: at a constant rate the error keeps swinging, and a rate that decays swings less.
    8. Digits: a rate that decays ends lower.
    9. Digits: it ends within 2 points of the 12 % of LeCun's linear classifier.

References:
    McCulloch & Pitts (1943), A logical calculus of the ideas immanent in nervous activity,
        Bulletin of Mathematical Biophysics 5.
    Rosenblatt (1958), The perceptron, Psychological Review 65(6).
    Novikoff (1962), On convergence proofs on perceptrons, Symposium on the Mathematical Theory of
        Automata 12.
    Minsky & Papert (1969), Perceptrons, MIT Press: XOR.
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition,
        Proceedings of the IEEE 86(11): 12.0 % for a linear classifier.
"""

import pandas as pd

from pipeline.measuring.statistics import apart, listed, with_interval
from pipeline.studies.perceptron.bound import CONSTANT, DECAYING
from pipeline.studies.perceptron.bound import PART as BOUND
from pipeline.studies.perceptron.digits import PART as DIGITS
from pipeline.studies.perceptron.digits import last_errors
from pipeline.studies.perceptron.gates import IMPOSSIBLE
from pipeline.studies.perceptron.gates import PART as GATES
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what it can do, at how many mistakes, and what becomes of it where nothing is right."""
    gates, bound, digits = (rows_of(rows, part) for part in ("gates", "bound", "digits"))
    learned = gates[gates["rule"].notna()]
    starts, settled = (
        [int(of.sum()) for of in (learned[at != IMPOSSIBLE][name], learned[at == IMPOSSIBLE][name])]
        for at in (learned["gate"],)
        for name in ("starts", "settled")
    )
    only = settled[0] == starts[0] and settled[1] == 0
    constant = bound[bound["way"] == CONSTANT]
    most, problems = constant["most_of_widest"].max(), constant["problems"].sum()
    even, slow = (
        bound[bound["way"] == way].groupby("seed")["mistakes"].mean()
        for way in (CONSTANT, DECAYING)
    )
    fewer = " fewer," if apart(slow, even) else " more," if apart(even, slow) else ""
    errors = [
        f"{with_interval(100 * error, 1)} % at {_rate(float(str(decay)))}"
        for decay, error in last_errors(digits).items()
    ]
    return (
        f"A single layer learns {'' if only else 'mostly '}what a line separates, and nothing "
        f"else{'' if only else ' for sure'}: AND, OR and NOT from {settled[0]} of {starts[0]} "
        f"starts, XOR from {settled[1]} of {starts[1]}; on {problems:,.0f} problems that can be "
        f"separated it took {with_interval(even, 1)} mistakes on average, and never more than "
        f"{most:.2f} times Novikoff's bound. A rate that decays took{fewer} "
        f"{with_interval(slow, 1)}. Of the test digits of MNIST, one unit a digit, "
        f"{listed(errors)} are wrong"
        f"{', and no run settled' if not digits['separated'].any() else ''}."
    )


def _rate(decay: float) -> str:
    """Return a rate as words."""
    return f"a rate that decays ({decay:g} an epoch)" if decay else "a constant rate"


STUDY = join(__doc__, answer, "learning rules", gates=GATES, bound=BOUND, digits=DIGITS)
