"""What can a single layer of threshold units do, and how many mistakes does it take to learn it?

Weights by hand, weights by the perceptron rule, the bound on its mistakes, and what becomes of it
where no weights are right.

Expected:
    1. Gates: McCulloch and Pitts' neuron is AND, OR and NOT by hand. The perceptron learns them
       from every start; on XOR it never settles, and at most 3 of 4 answers are right.
    2. Bound (Novikoff): from zero weights and at a constant rate, no separable problem takes more
       mistakes than (R/γ)², with the margin of a known separator and with the greatest margin
       alike. No such bound is known for a rate that decays; it takes no fewer mistakes.
    3. Digits: one perceptron per class on MNIST. All 60,000 cannot be separated: it never settles.
       At a constant rate the error keeps swinging; a rate that decays swings less and ends lower,
       within 2 points of the 12 % of LeCun's linear classifier.

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

from pipeline.studies.perceptron.bound import PART as BOUND
from pipeline.studies.perceptron.digits import PART as DIGITS
from pipeline.studies.perceptron.gates import PART as GATES
from pipeline.study import join

STUDY = join(__doc__, gates=GATES, bound=BOUND, digits=DIGITS)
