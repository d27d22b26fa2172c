"""What counting says of an expression's value, with no network and no tree."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from lightning_modules.interfaces import Batch
from pipeline.tasks._expressions import DIGITS, Expressions

COUNTED = 10_000
"""Expressions that are counted, of those that networks would be trained on."""
Says = Callable[[np.ndarray], np.ndarray]


def counted(name: str, source: Expressions, depths: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Iterate over depths and the share that ``name`` gets right at each."""
    says = {"majority": _majority, "first_digit": _first_digit, "bag_of_tokens": _bag_of_tokens}
    told = says[name](source)
    for depth in depths:
        read = [_read(batch) for batch in source.of_depth(depth)]
        right = np.concatenate([told(ids_BT) == y_B for ids_BT, y_B in read])
        yield depth, float(right.mean())


def _majority(source: Expressions) -> Says:
    """Say the value that is most frequent."""
    y_N = np.concatenate([y_B for _, y_B in _trained(source)])
    most = np.bincount(y_N).argmax()
    return lambda ids_BT: np.full(len(ids_BT), most)


def _first_digit(source: Expressions) -> Says:
    """Say the first digit, as a class."""
    del source

    def says(ids_BT: np.ndarray) -> np.ndarray:
        is_digit_BT = (ids_BT > 0) & (ids_BT <= DIGITS)
        return ids_BT[np.arange(len(ids_BT)), is_digit_BT.argmax(axis=1)] - 1

    return says


def _bag_of_tokens(source: Expressions) -> Says:
    """Say what a logistic regression makes of how often each token occurs."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def bags(ids_BT: np.ndarray) -> np.ndarray:
        return np.stack([(ids_BT == i).sum(axis=1) for i in range(1, len(source.symbols))], axis=1)

    read = list(_trained(source))
    x_NV, y_N = (
        np.concatenate(of) for of in ([bags(ids) for ids, _ in read], [y for _, y in read])
    )
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)).fit(x_NV, y_N)
    return lambda ids_BT: fitted.predict(bags(ids_BT))


def _trained(source: Expressions) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Iterate over as many training expressions as are counted."""
    for index in range(-(-COUNTED // source.batch_size)):
        yield _read(source.batch(index))


def _read(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch's tokens, (B, T), and values, (B,)."""
    ids_BT, last_B = batch.x_TBI[..., 0].t(), batch.mask_TB.int().argmax(dim=0)
    return ids_BT.numpy(), batch.y_TB.gather(0, last_B[None])[0].numpy()
