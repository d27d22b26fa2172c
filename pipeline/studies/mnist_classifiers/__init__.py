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

from pipeline.measuring.statistics import apart, listed, with_interval
from pipeline.studies.mnist_classifiers.classifiers import PART as CLASSIFIERS
from pipeline.studies.mnist_classifiers.classifiers import wrong_by_name
from pipeline.studies.mnist_classifiers.reconstruction import METHODS, code_size, errors_by_method
from pipeline.studies.mnist_classifiers.reconstruction import PART as RECONSTRUCTION
from pipeline.study import join, rows_of

COMPONENTS, PLAIN, PRETRAINED = METHODS
Values = dict[str, pd.Series]


def answer(rows: pd.DataFrame) -> str:
    """Say which networks are wrong least often and most, and what a code leaves of a digit."""
    found = wrong_by_name(rows_of(rows, "classifiers"))
    wrong = {name: found[name] for name in sorted(found, key=lambda name: found[name].mean())}
    codes = rows_of(rows, "reconstruction")
    left = errors_by_method(codes)
    each = [f"{_called(name)} {with_interval(of, 2)} %" for name, of in wrong.items()]
    errors = [
        f"{with_interval(left[name], 2)} by {words}"
        for name, words in ((PLAIN, "an autoencoder"), (COMPONENTS, COMPONENTS))
        if name in left
    ]
    return (
        f"{_readers(wrong)}, and a code of {code_size(codes)} numbers leaves a squared error a "
        f"digit of {listed(errors)}. From best to worst, the networks misread: {listed(each)}."
        f"{_pretraining(left)}"
    )


def _readers(wrong: Values) -> str:
    """Return which networks read best and worst; ``wrong`` is in that order."""
    names = list(wrong)
    least, most = wrong[names[0]], wrong[names[-1]]
    first = [names[0], *(name for name in names[1:] if not apart(least, wrong[name]))]
    last = [*(name for name in names[:-1] if not apart(wrong[name], most)), names[-1]]
    if names[-1] in first:
        return (
            f"Which of {len(names)} networks reads digits best these seeds do not tell "
            f"({with_interval(least, 2)} to {with_interval(most, 2)} % are wrong)"
        )
    read = "read" if len(first) > 1 else "reads"
    return (
        f"Of {len(names)} networks {_group(first)} {read} digits best, misreading "
        f"{_shares(wrong, first)}, {_group(last)} worst, misreading {_shares(wrong, last)}"
    )


def _group(names: list[str]) -> str:
    """Return the names of networks that are not told apart."""
    return listed([_called(name) for name in names])


def _shares(wrong: Values, names: list[str]) -> str:
    """Return what each has wrong."""
    each = listed([f"{with_interval(wrong[name], 2)} %" for name in names])
    return f"{each} (not told apart)" if len(names) > 1 else each


def _called(name: str) -> str:
    """Return a network's name, with what tells it from others of its kind in brackets."""
    kind, _, form = name.partition(", ")
    return f"{kind} ({form})" if form else kind


def _pretraining(left: Values) -> str:
    """Return whether a start from a stack of RBMs helped the autoencoder."""
    if not {PLAIN, PRETRAINED} <= left.keys():
        return ""
    plain, pretrained = left[PLAIN], left[PRETRAINED]
    seen = f"{with_interval(pretrained, 2)} in place of {with_interval(plain, 2)}"
    if apart(plain, pretrained):
        return f" Pre-training by RBMs, expected to help the autoencoder, made it worse: {seen}."
    if apart(pretrained, plain):
        return f" Pre-training by RBMs made the autoencoder better: {seen}."
    return f" Whether pre-training by RBMs helps the autoencoder is not decided: {seen}."


STUDY = join(
    __doc__,
    answer,
    "pictures",
    classifiers=CLASSIFIERS,
    reconstruction=RECONSTRUCTION,
)
