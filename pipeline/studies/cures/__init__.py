"""What do the cures of exploding gradients do: clipping, decay of weights, small learning rates?

A gradient that explodes throws the weights far away, and with them all that was learned. It can be
cut: by the norm of the whole, entry by entry, or unit by unit in proportion to the unit's weights.
Weights can be kept small, so that nothing explodes; or steps. This study says which of these make
a simple recurrent network learn what it otherwise cannot (temporal order, adding) and what they do
where nothing has to be remembered for long (the next character), at which thresholds, and what is
lost where everything is clipped.

Expected:
    1. Temporal order at T = 20, Pascanu's table: without a clip about 1 of 5 starts gets there, at
       a threshold of 1 all 5; the gap is at least 3 of 5.
    2. Pascanu's rule: thresholds from 1/2 to 10 times the mean norm converge.
    3. Clipping by norm keeps the direction, so that even where everything is clipped, and length
       means nothing any more, learning goes on, later; clipping by value keeps little but signs.
    4. Clipping widens the range of learning rates; decay alone is no substitute, and strong decay
       undoes what clipping does.
    5. Zhang's finding: local smoothness grows with the gradient's norm along training.

References:
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks,
    ICML, arXiv:1211.5063.
    Zhang, He, Sra & Jadbabaie (2020), Why gradient clipping accelerates training: a theoretical
    justification for adaptivity, ICLR, arXiv:1905.11881.
    Mikolov (2012), Statistical language models based on neural networks, PhD thesis, Brno: clipping
    by value.
    Brock, De, Smith & Simonyan (2021), High-performance large-scale image recognition without
    normalization, ICML, arXiv:2102.06171: clipping by unit.
"""

from pipeline.studies.cures.learning import PART as LEARNING
from pipeline.studies.cures.smoothness import PART as SMOOTHNESS
from pipeline.study import join

STUDY = join(__doc__, learning=LEARNING, smoothness=SMOOTHNESS)
