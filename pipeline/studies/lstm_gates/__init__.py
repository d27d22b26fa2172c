"""Which parts of the LSTM let it remember, and what does each do to the gradient?

Every gate is taken out, which leaves it open, or coupled to another; either activation is taken
out; the forget gate starts anywhere from shut to open, or with lengths of memory spread by chrono
initialisation. Beside them stand what came before gates and what came after: Elman's network, both
residual recurrences, GRU, and JANET, of whose gates the forget gate alone is left.

Expected:
    1. Forget bias: at the start error falls by e over 1.1, 2.0, 6.4 and 48 steps for a forget bias
       of -1, 0, 1 and 2, to 20 %.
    2. Memory: on the adding problem of 50 steps LSTM and GRU end below 0.005, Elman's network
       above 0.1. On the embedded Reber grammar LSTM gets 99 % of the strings right; Elman's
       network fails on the last symbol but one, which repeats the second.
    3. Of the five parts taken out one by one, the forget gate or the output activation costs most,
       on text as on what has to be remembered; coupling the gates costs less.
    4. Training saturates the gates.

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

from pipeline.studies.lstm_gates.bias import PART as BIAS
from pipeline.studies.lstm_gates.memory import PART as MEMORY
from pipeline.studies.lstm_gates.text import PART as TEXT
from pipeline.study import join

STUDY = join(__doc__, bias=BIAS, memory=MEMORY, text=TEXT)
