"""How well do the classical networks read digits, and how much of a digit fits into thirty numbers?

One record of them all on the same pictures: a perceptron of several layers, LeNet-5 as of 1998 and
in today's dress, AlexNet at a quarter of its width on digits drawn larger, a recurrent network that
reads row by row; and a deep autoencoder beside the principal components.

Expected:
    1. Wrong at the end, on MNIST: at most 2.2 % of the perceptron 784-300-10, 1.2 % of LeNet-5
       (its paper: 0.95 %) and of its modern form, 1.5 % of AlexNet, 3 % of the recurrent network.
    2. Thirty principal components leave a squared error of 13.87 ± 0.2 a picture.
    3. The deep autoencoder of as many code units leaves less than 5 from a stack of RBMs that
       learned greedily, less than 6 without (its paper, fine-tuned for longer: 3.00).

References:
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11).
    Krizhevsky, Sutskever & Hinton (2012), ImageNet classification with deep convolutional neural
        networks, NeurIPS.
    Hinton & Salakhutdinov (2006), Reducing the dimensionality of data with neural networks,
        Science 313.
"""

import pandas as pd

from pipeline.measuring.statistics import apart, with_interval
from pipeline.studies.mnist_classifiers.classifiers import PART as CLASSIFIERS
from pipeline.studies.mnist_classifiers.classifiers import wrong_by_name
from pipeline.studies.mnist_classifiers.reconstruction import PART as RECONSTRUCTION
from pipeline.studies.mnist_classifiers.reconstruction import (
    code_size,
    errors_by_method,
)
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say which network is wrong least often and which most, and what a code leaves of a digit."""
    wrong = wrong_by_name(rows_of(rows, "classifiers"))
    ranked = sorted(wrong.items(), key=lambda item: item[1].mean())
    (best, least), (worst, most) = ranked[0], ranked[-1]
    rivals = [name for name, of in ranked[1:] if not apart(least, of)]
    codes = rows_of(rows, "reconstruction")
    left = [
        f"{with_interval(of, 2)} ({name})"
        for name, of in sorted(errors_by_method(codes).items(), key=lambda item: -item[1].mean())
    ]
    return (
        f"{best} reads digits best: {with_interval(least, 2)} % of the test digits are wrong"
        + (f"; not surely fewer than by {' or by '.join(rivals)}" if rivals else "")
        + f". Last of {len(ranked)} networks comes {worst}, with {with_interval(most, 2)} %. Of a "
        f"digit told in {code_size(codes)} numbers a squared error is left of {', '.join(left)}."
    )


STUDY = join(
    __doc__,
    answer,
    "pictures",
    classifiers=CLASSIFIERS,
    reconstruction=RECONSTRUCTION,
)
