"""What does a stack of RBMs bring: to reading digits from few labels or many, and to making them?

Layers learn one after the other from pictures alone. Then they start a network that learns on by
back-propagation, beside one that starts at random; or, with the classes seen at the top, they learn
on by up-down and are asked for digits. (The deep autoencoder that such a stack starts stands beside
principal components in ``mnist_classifiers``.)

Expected:
    1. From 100 labels, and from 1,000, the deepest network is wrong less often where it begins with
       a stack than where it starts at random. With all labels too, though less: some report that it
       hurts there, so this is stated to be found out.
    2. From 100 labels it is wrong less often than the three nearest labelled digits.
    3. With all labels three layers from a stack are wrong less often than one.
    4. With all labels of MNIST, 784-500-500-2000 from a stack is wrong on at most 1.5 %.
    5. Of digits that are asked for the judge, who learned from others, takes at least 90 % for what
       was asked, and of no class less than half. (That the top learns by persistent chains, not by
       CD-3, was chosen after single runs of both.)
    6. Up-down takes errors away from what was learned greedily (published: 1.25 % wrong after many
       epochs; ours is shown, not gated), and reads better than independent pixels do.

References:
    Hinton, Osindero & Teh (2006), A fast learning algorithm for deep belief nets, Neural
        Computation 18(7).
    Bengio, Lamblin, Popovici & Larochelle (2007), Greedy layer-wise training of deep networks,
        NeurIPS.
    Erhan, Bengio, Courville, Manzagol, Vincent & Bengio (2010), Why does unsupervised pre-training
        help deep learning?, JMLR 11.
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
        networks, AISTATS: why it may not be needed.
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.deep_belief.digits import PART as GENERATION
from pipeline.studies.deep_belief.digits import by_stage
from pipeline.studies.deep_belief.generation import GREEDY, INDEPENDENT, TUNED
from pipeline.studies.deep_belief.labels import PART as LABELS
from pipeline.studies.deep_belief.labels import RANDOM, STACK, judged, wrong
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what a stack brings at the greatest depth, by labels, and how digits are made."""
    of = rows_of(rows, "labels")
    ends = judged(of)
    deepest = int(ends["depth"].max())
    told = [
        f"{with_interval(wrong(of, STACK, labels, deepest), 2)} % and "
        f"{with_interval(wrong(of, RANDOM, labels, deepest), 2)} % with {int(labels):,} labels"
        for labels in sorted(ends["labels"].unique())
    ]
    made = rows_of(rows, "generation")
    share = by_stage(made, "asked", "recognised")
    read = by_stage(made, "test", "wrong")
    return (
        f"Wrong on test digits are {deepest} layers that start from RBMs, and such that start at "
        f"random, by {', '.join(told)}. Asked for a digit, it makes one that "
        f"is recognised as what was asked in {with_interval(100 * share[TUNED], 1)} % of cases "
        f"(independent pixels in {with_interval(100 * share[INDEPENDENT], 1)} %); the same network "
        f"reads {with_interval(read[GREEDY], 2)} % of test digits wrongly before up-down and "
        f"{with_interval(read[TUNED], 2)} % after it."
    )


STUDY = join(__doc__, answer, "energy", labels=LABELS, generation=GENERATION)
