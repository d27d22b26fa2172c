"""Does it help to begin with a stack that saw pictures alone, by depth and by number of labels?

RBMs learn from all pictures that are not held out, without labels; the first of them then start a
network of logistic units that learns from few labels, or all. Beside it learns the same network
from a start at random (normalised, times 4, which makes up for the slope of a logistic unit), and
the three nearest of the labelled pictures vote, which needs no network. As many updates each.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import Field, model_validator

from pipeline.measuring.classifying import in_percent
from pipeline.measuring.evidence import below, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import tested
from pipeline.studies.deep_belief.stacking import Stacked
from pipeline.study import AS_TEXT, Claim, Count, Figure, Given, Part, Published, Rows, Table, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from lightning_modules.energies.rbm import RBM
    from pipeline.data.sets._base import PictureSet

STACK, RANDOM, NEAREST = "from a stack", "from a random start", "nearest neighbours"
METHODS = STACK, RANDOM, NEAREST
GAIN, NEIGHBOURS = 4.0, 3
GOAL, WHOLE = 1.5, 60_000
"""Percent wrong of the deepest network from a stack, on all of MNIST."""
PUBLISHED = Published(
    row="deep-belief-backpropagation",
    source="Larochelle et al.'s stack as Theano's tutorials train it: 3×1000, 50,000 digits",
    value="1.34 % wrong, after 615 minutes",
    tolerance=f"at most {GOAL:g} % wrong, of fewer units and a fiftieth of the time",
)


class Labels(Stacked):
    """One way to learn digits, at each depth, from each number of labels."""

    method: Annotated[str, named(METHODS)]
    depths: Annotated[list[Count], Field(min_length=1), *AS_TEXT]
    """How many of the hidden layers are used."""
    labels: Annotated[list[Count], Field(min_length=1), *AS_TEXT]
    """Pictures whose class is known; the largest number stands for all, however many there are."""
    few_steps: Count
    """Batches where labels are few: ``steps`` is where all are known."""

    @model_validator(mode="after")
    def _deep_enough(self) -> "Labels":
        if max(self.depths) > len(self.hidden):
            raise ValueError(f"depths are {self.depths}: there are {len(self.hidden)} layers")
        return self

    def measure(self, given: Given) -> Rows:
        """Return evaluations and the test part's, by depth and labels."""
        (images,) = self.read(given)
        every = self._source(images, max(self.labels))
        rbms = self.stack(every, given) if self.method == STACK else []
        for labels in self.labels:
            source = self._source(images, labels)
            facts = {"labels": labels, "known": source.trained, "pictures": len(images.train_y_N)}
            if self.method == NEAREST:
                wrong = in_percent(_nearest(source))
                yield {"record": "test", "step": 0, "depth": 0, "wrong": wrong, **facts}
                continue
            for depth in self.depths:
                for row in self._learned(source, rbms[:depth], depth, given):
                    yield {"depth": depth, **row, **facts}

    def _source(self, images: "PictureSet", labels: int) -> Any:
        """Return the task of so many labels; of the largest number, of all there are."""
        size = None if labels == max(self.labels) else labels
        batch = min(self.batch_size, labels)
        return TASKS[self.task](images, self.seed, batch, self.held_out_size, train_size=size)

    def _learned(
        self, source: Any, rbms: "list[RBM]", depth: int, given: Given
    ) -> Iterator[dict[str, Any]]:
        """Train a network of some depth, and iterate over its evaluations, the test part's last."""
        import torch

        from lightning_modules.networks import _starts
        from lightning_modules.networks.mlp import MLP
        from lightning_modules.training.backprop import BackpropLearner
        from lightning_modules.training.stacks import into_mlp

        torch.manual_seed(self.seed)
        sizes = source.input_size, source.output_size, self.hidden[:depth]
        network = MLP(*sizes, "logistic")
        _starts.start(network, "normalised", GAIN)
        if rbms:
            into_mlp(rbms, network)
        learner = BackpropLearner(
            network, source.loss, self.optimizer, self.learning_rate, anneal=True
        )
        own = given._replace(scratch=given.scratch / f"depth-{depth}-of-{source.trained}")
        steps = self.steps if source.trained >= max(self.labels) else self.few_steps
        every = max(1, steps // (self.evaluations or 1))
        rows = self.fit(learner, source, own, steps=steps, every=every)
        for row in [*rows, tested(learner, source, rows)]:
            yield {"record": "curve", **row, "wrong": in_percent(row["held_out_accuracy"])}


def _nearest(source: Any) -> float:
    """Return how often the nearest of the labelled pictures are right on the test part."""
    import torch
    from sklearn.neighbors import KNeighborsClassifier

    size = len(source.batch(0).x_TBI[0])
    known = [source.batch(index) for index in range(source.trained // size)]
    x_NI, y_N = (torch.cat([batch[i][0] for batch in known]).numpy() for i in (0, 1))
    voting = KNeighborsClassifier(min(NEIGHBOURS, len(x_NI)), algorithm="brute").fit(x_NI, y_N)
    right, count = 0, 0
    for batch in source.test():
        found_N = voting.predict(batch.x_TBI[0].numpy())
        right, count = right + int((found_N == batch.y_TB[0].numpy()).sum()), count + len(found_N)
    return right / count


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many of a hundred test digits are wrong, by run, depth and labels."""
    ends = rows[rows["record"] == "test"]
    return ends.assign(wrong=pd.to_numeric(ends["wrong"]).fillna(100.0)).astype({"depth": int})


def wrong(rows: pd.DataFrame, method: str, labels: int, depth: int) -> pd.Series:
    """Return that of one method, by seed."""
    ends = judged(rows)
    of = ends[(ends["method"] == method) & (ends["labels"] == labels) & (ends["depth"] == depth)]
    return of.set_index("seed")["wrong"]


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare both starts at the greatest depth, and hold the stack's to the literature."""
    ends = judged(rows)
    deepest = int(ends["depth"].max())
    for labels in sorted(ends["labels"].astype(int).unique()):
        by = {m: wrong(rows, m, labels, deepest) for m in (STACK, RANDOM)}
        if not all(map(len, by.values())):
            continue
        claim = f"{labels:,} labels, {deepest} layers: fewer wrong from a stack"
        yield ordered(claim, by[STACK], by[RANDOM], expected=1).if_missed(LATE)
        near = wrong(rows, NEAREST, labels, 0)
        if len(near) and labels == min(ends["labels"]):
            claim = f"{labels:,} labels: fewer wrong from a stack than by nearest neighbours"
            yield ordered(claim, by[STACK], near, expected=2)
    most, layers = int(ends["labels"].max()), ends.loc[ends["method"] == STACK, "depth"]
    if layers.empty:
        return
    deep, shallow = (wrong(rows, STACK, most, depth) for depth in (layers.max(), layers.min()))
    claim = f"{most:,} labels: depth takes errors away from a stack's network"
    yield ordered(claim, deep, shallow, expected=3)
    if bool((rows["pictures"] == WHOLE).all()):
        claim = f"from a stack, all labels: at most {GOAL:g} % wrong"
        yield below(claim, deep, GOAL, expected=4).stands_for(PUBLISHED)


LATE = (
    "a start that is normalised, and Adam, leave little to be cured: that pre-training helps was "
    "found where plain gradient descent started from small weights"
)
"""Why a stack would not help."""


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what is wrong, by labels, depth and method."""
    ends = judged(rows)
    return pd.DataFrame(
        {"labels": f"{int(labels):,}", "layers": int(depth)}  # pyright: ignore[reportArgumentType]
        | {
            str(method): with_interval(of["wrong"], 2)
            for method, of in at.groupby("method", sort=False)
        }
        for (labels, depth), at in ends.groupby(["labels", "depth"])
    )


LABELS = {
    "wrong": "wrong, %",
    "depth": "hidden layers",
    "labels": "labels",
    "step": "batches",
    "method": "start",
}
PART = Part(
    __doc__,
    Labels,
    expects,
    speaks_of={"method": METHODS},
    figures=(
        Figure(
            name="labels",
            title="Wrong by labels and depth",
            caption="Percent of the test digits, looked at once, mean and range over seeds. "
            "Nearest neighbours have no layers.",
            x="depth",
            y="wrong",
            where={"record": "test"},
            hue="method",
            column="labels",
            log_y=True,
            labels=LABELS,
        ),
        Table(
            name="labels-wrong",
            title="Wrong by labels and depth, %",
            caption="On the test part: mean ± 95 % interval over seeds. All labels are those "
            "of the digits that are not held out.",
            build=_table,
        ),
        Figure(
            name="fine-tuning",
            title="Wrong along fine-tuning",
            caption="Held-out digits, mean and range over seeds, with all labels.",
            x="step",
            y="wrong",
            where={"record": "curve"},
            hue="method",
            row="labels",
            column="depth",
            log_y=True,
            labels=LABELS,
        ),
    ),
)
