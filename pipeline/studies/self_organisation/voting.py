"""ARTs in one pass over examples in an order, and the vote of several; what needs no network."""

import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.maps._map import Map


def asked(
    task: Any, size: int, order: int, scratch: pathlib.Path, build: Callable[["Tensor"], "Map"]
) -> tuple[Any, dict[str, float]]:
    """Return the classes of the test part, None of a map without, and facts of the one pass.

    ``build`` makes a map of the examples that it is to learn from, for their bounds. Facts are how
    many categories there are, and which share of classes is right.
    """
    from lightning_modules.training.fit import fit
    from lightning_modules.training.map import MapLearner
    from pipeline.tasks._ordered import Ordered

    source = Ordered(task, size, size, order)
    made = build(source.x_NI).double()
    fit(
        MapLearner(made, source.loss),
        source,
        steps=1,
        evaluate_every=1,
        seed=order,
        scratch=scratch / f"order-{order}",
    )
    x_NI, y_N = last_look(task)
    facts = {"categories": float(made.facts(x_NI)["categories"])}
    classes_N = made.classes(x_NI.double())
    if classes_N is not None:
        facts["right"] = float((classes_N == y_N).double().mean())
    return classes_N, facts


def voted(found: Sequence["Tensor"], task: Any) -> float:
    """Return the share that is right by the vote of several orders, the lowest class where even."""
    import torch

    _, y_N = last_look(task)
    ballots_VNC = torch.stack([torch.nn.functional.one_hot(c_N, task.output_size) for c_N in found])
    return float((ballots_VNC.sum(0).argmax(1) == y_N).double().mean())


def nearest(task: Any, size: int) -> float:
    """Return the share of the test part that is right by the nearest of the same examples."""
    from sklearn.neighbors import KNeighborsClassifier

    from pipeline.tasks._ordered import Ordered

    source, (x_NI, y_N) = Ordered(task, size, size, 0), last_look(task)
    of = KNeighborsClassifier(1).fit(source.x_NI.numpy(), source.y_N.numpy())
    return float((of.predict(x_NI.numpy()) == y_N.numpy()).mean())


def last_look(task: Any) -> tuple["Tensor", "Tensor"]:
    """Return the test part's inputs, (N, I), and classes, (N,)."""
    import torch

    parts = [(batch.x_TBI[0], batch.y_TB[0]) for batch in task.test()]
    x_NI, y_N = zip(*parts, strict=True)
    return torch.cat(x_NI), torch.cat(y_N)
