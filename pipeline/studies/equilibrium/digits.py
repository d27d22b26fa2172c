"""Who learns digits: a network that relaxes, back-propagation in one of the same size, a line?

All learn by Adam from the same batches. The relaxing networks take one-hot targets and squared
error, the others cross-entropy. Along with errors on digits stands how the update that moves the
weights, of a finite nudge and few steps, points to the gradient through that same relaxation,
by back-propagation through time.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat, model_validator

from lightning_modules.energies import ENERGIES
from lightning_modules.networks import NETWORKS
from pipeline.measuring.classifying import LABELS, curves, ends, in_percent
from pipeline.measuring.evidence import below, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import DataSet, Training, tested
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Row,
    Rows,
    Table,
    named,
)
from pipeline.tasks import TASKS

CENTRED, ONE_SIDED, APART = "centred", "one-sided", "centred, weights apart"
BACK, LINEAR = "back-propagation", "linear"
LEARNERS = CENTRED, ONE_SIDED, APART, BACK, LINEAR
TWICE, MORE = 2.0, 1.5
"""How many times the errors of back-propagation the symmetric network has at most, and how many
times its own where weights are apart."""
RUN = "learner", "seed"
LOOKED = 200
"""Held-out digits of which the gradient is taken."""


class Digits(Training):
    """What learns digits; the fields of a relaxation are those of networks that relax."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["images"]  # pyright: ignore[reportIncompatibleVariableOverride]
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    learner: Annotated[str, named(LEARNERS)]
    network: Annotated[str, named((*ENERGIES, *NETWORKS))]
    hidden: Annotated[list[Count], *AS_TEXT]
    activation: str
    nudge: str | None = None
    beta: PositiveFloat | None = None
    relaxation: PositiveFloat | None = None
    """ε."""
    free_steps: Count | None = None
    nudged_steps: Count | None = None
    apart: NonNegativeFloat | None = None
    train_size: Count | None = None
    """Digits that are learned from; None is all."""

    @model_validator(mode="after")
    def _relaxes(self) -> "Digits":
        of = self.nudge, self.beta, self.relaxation, self.free_steps, self.nudged_steps, self.apart
        if any((value is None) == (self.network in ENERGIES) for value in of):
            raise ValueError(
                "nudge, beta, relaxation, free_steps, nudged_steps and apart go with networks that "
                f"relax, all of them: {', '.join(ENERGIES)}"
            )
        return self

    def measure(self, given: Given) -> Rows:
        """Train; return evaluations, the test part's, and how updates point, before and after."""
        import torch

        (images,) = self.read(given)
        source = TASKS[self.task](
            images, self.seed, self.batch_size, self.held_out_size, train_size=self.train_size
        )
        torch.manual_seed(self.seed)
        learner = self._learner(source)
        facts = {
            "parameters": sum(w.numel() for w in learner.parameters()),
            "pictures": len(images.train_y_N),
        }
        if self.network in ENERGIES:
            yield {"record": "aligned", "step": 0, **self._aligned(learner, source)}
        rows = self.fit(learner, source, given)
        for row in [*rows, tested(learner, source, rows)]:
            yield {"record": "curve", **row, "wrong": in_percent(row["held_out_accuracy"])} | facts
        if self.network in ENERGIES:
            yield {"record": "aligned", "step": self.steps, **self._aligned(learner, source)}

    def _learner(self, source: Any) -> Any:
        """Return what learns."""
        from lightning_modules.training.backprop import BackpropLearner
        from lightning_modules.training.energy import EnergyLearner

        sizes = source.input_size, source.output_size, self.hidden
        of = source.loss, self.optimizer, self.learning_rate
        if self.network in NETWORKS:
            network = NETWORKS[self.network](*sizes, self.activation)
            return BackpropLearner(network, *of, anneal=True)
        network = ENERGIES[self.network](
            *sizes,
            self.activation,
            self.nudge,
            self.beta,
            self.relaxation,
            self.free_steps,
            self.nudged_steps,
            self.apart,
        )
        return EnergyLearner(network, *of, anneal=True)

    def _aligned(self, learner: Any, source: Any) -> Row:
        """Return cosine and ratio of norms of an update to the gradient through the relaxation."""
        import torch

        from lightning_modules.norms import cosine, norm, ratio
        from pipeline.studies.equilibrium.gradients import flat

        batch, network = next(iter(source.held_out())), learner.energy
        x_NI, y_N = batch.x_TBI[0, :LOOKED], batch.y_TB[0, :LOOKED]
        x_NI = x_NI.to(learner.device)
        t_NO = torch.nn.functional.one_hot(y_N, source.output_size).to(x_NI)
        g_P = flat(network.learn(x_NI, t_NO).gradient)
        s_NS = network.relax(network.start(x_NI), network.steps)
        of = torch.autograd.grad(network.cost(s_NS, t_NO).mean(), list(network.parameters()))
        back_P = flat(of)
        lengths = ratio(norm(g_P), norm(back_P))
        return {"cosine": float(cosine(g_P, back_P)), "norm_ratio": float(lengths)}


def wrong_by_learner(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return how many of a hundred test digits each learner has wrong, by seed."""
    last = ends(rows, RUN).set_index("seed")
    return {str(name): of["wrong"] for name, of in last.groupby("learner", sort=False)}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare the symmetric network with the others, seed by seed."""
    wrong = wrong_by_learner(rows)
    if {CENTRED, LINEAR} <= set(wrong):
        claim = "the symmetric network is wrong less often than a line"
        yield ordered(claim, wrong[CENTRED], wrong[LINEAR], expected=5)
    if {CENTRED, BACK} <= set(wrong):
        claim = f"and at most {TWICE:g} times as often as back-propagation"
        times = wrong[CENTRED] / wrong[BACK]
        yield below(claim, times, TWICE, expected=5).if_missed(SATURATED)
    if {CENTRED, APART} <= set(wrong):
        claim = f"weights back of their own cost less than {MORE - 1:.0%} more errors"
        yield below(claim, wrong[APART] / wrong[CENTRED], MORE, expected=6)


SATURATED = (
    "outputs that rest at an end of the hard sigmoid's range are moved by a nudge that is large "
    "enough alone, so that the update is no small nudge's"
)
"""Why a symmetric network would be wrong much more often."""


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each ended, and where its updates point to."""
    aligned = rows[rows["record"] == "aligned"]
    return pd.DataFrame(
        {
            "learner": name,
            "parameters": f"{int(of['parameters'].iloc[0]):,}",
            "wrong, %": with_interval(of["wrong"], 2),
        }
        | {
            f"cosine, {'after' if step else 'before'}": with_interval(at["cosine"], 2)
            for step, at in aligned[aligned["learner"] == name].groupby("step")
        }
        for name, of in ends(rows, RUN).groupby("learner", sort=False)
    )


PART = Part(
    __doc__,
    Digits,
    expects,
    speaks_of={"learner": LEARNERS},
    figures=(
        curves("learner", x="examples"),
        Table(
            name="digits",
            title="Wrong at the end, and where updates point",
            caption="On the test part, looked at once: mean ± 95 % interval over seeds. "
            "Cosine of the update to the gradient through the same free relaxation, before and "
            "after learning. Scellier & Bengio (2017) have between 2 and 3 % wrong (from memory), "
            "of one to three layers of 500 that learn for much longer.",
            build=_table,
        ),
        Figure(
            name="aligned",
            title="Updates beside back-propagation through the relaxation",
            caption="Cosine of a network's update to the gradient, before and after learning.",
            x="learner",
            y="cosine",
            where={"record": "aligned"},
            hue="step",
            kind="bar",
            labels={**LABELS, "step": "after batches"},
        ),
    ),
)
