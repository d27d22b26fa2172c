"""What decides whether back-propagation learns: start range, rate, size, stopping rule, depth?

Back-propagation as it was first taught (logistic units, squared error, an update after each
example), and what was found, later, to be the matter with deep networks.

Expected:
    1. XOR: from U(-1/2, 1/2) and U(-1, 1), 4 hidden units and more solve it from at least 9 of 10
       starts at the best rate.
    2. XOR: more hidden units need fewer epochs (Rumelhart, Hinton & Williams report it of Chauvin's
       experiments).
    3. XOR: a start range of 0.1 needs more epochs than one of 1.
    4. XOR: stopping at still weights also stops on plateaus: fewer of the runs that it ends have
       solved it than of those that the share of right answers ends.
    5. Attributes: where inputs are discrete, with one unit a value, it solves the MONK's problems
       as published (100, 100 and 93.1 % right), or at most 5 points less.
    6. Digits: 784-300-10 by the classical rule comes to LeCun's 4.7 % or below.
    7. Digits: U(-1, 1), made for few inputs, ends worse than 1/√I where inputs are many.
    8. Digits: ReLU, cross-entropy and Adam come to 2.2 % or below.
    9. Saturation: from the usual start, U(±1/√I), error on its way down five layers of tanh units
       shrinks to some 1/√3 = .58 of its length a layer (.45 to .65), from the normalised start it
       keeps it (.8 to 1.2), and logistic units leave less than 1/4.
    10. Saturation: in training, logistic networks' highest hidden layer is pushed down most.
    11. Saturation: it saturates most, by a hundredth of its units at least. (How many was said
        after a look: no layer of them saturated at all, so nothing had been compared.)
    12. Saturation: logistic networks end worst.
    13. Saturation: softsign saturates less than tanh, by a hundredth of its units at least.
    14. Saturation: tanh ends better from the normalised start than from the usual one, by 5 % of
        the loss at least.
    15. Depth: linear networks that start orthogonal need no more steps the deeper they are (at most
        twice as many at the greatest depth as at the least), at a rate that is inverse to depth.
    16. Depth: from a Gaussian start of the same mean size they need more than twice as many.
    17. Modes: from a small start, a network with one hidden layer learns the singular values of
        what it has to learn one by one, the largest first.
    18. Modes: each is half learned at the time ln(2 s / ε²) / (2 s), to 15 %.

References:
    Rumelhart, Hinton & Williams (1986), Learning internal representations by error propagation,
        Parallel Distributed Processing 1.
    Thrun et al. (1991), The MONK's problems: a performance comparison of different learning
        algorithms, CMU-CS-91-197, Carnegie Mellon University.
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition,
        Proceedings of the IEEE 86(11): 4.7 %.
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
        networks, AISTATS.
    Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep
        linear neural networks, ICLR, arXiv:1312.6120.
"""

import pandas as pd

from pipeline.studies.backpropagation import deciding
from pipeline.studies.backpropagation.attributes import PART as ATTRIBUTES
from pipeline.studies.backpropagation.depth import PART as DEPTH
from pipeline.studies.backpropagation.digits import PART as DIGITS
from pipeline.studies.backpropagation.modes import PART as MODES
from pipeline.studies.backpropagation.saturation import PART as SATURATION
from pipeline.studies.backpropagation.xor import PART as XOR
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say which setting decides most on XOR, and what depth costs from which start."""
    xor = rows_of(rows, "xor")
    decided, numbers = deciding.slowed(rows_of(rows, "depth"))
    said = f"{deciding.ranked(xor)}; {decided}.", deciding.sizes(xor), numbers
    return " ".join(filter(None, said))


STUDY = join(
    __doc__,
    answer,
    "learning rules",
    xor=XOR,
    attributes=ATTRIBUTES,
    digits=DIGITS,
    saturation=SATURATION,
    depth=DEPTH,
    modes=MODES,
)
