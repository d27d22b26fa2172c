"""How likely are digits under a machine of many hidden units, by each way to its gradient?

ln Z cannot be counted: annealed importance sampling estimates it from below on average, and from
above on the way back; what is told of likelihood is the worse of the two. Digits are in black and
white. Machines of the pixels' own means stand beside.
"""

from collections.abc import Iterator
from typing import Any, Literal

import pandas as pd

from pipeline.measuring.evidence import above, below, ordered
from pipeline.measuring.pictures import packed
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import DataSet
from pipeline.studies.contrastive_divergence.digits import WHOLE, filters
from pipeline.studies.contrastive_divergence.runs import EnergyTraining, gradient_by
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table

GOAL = -90.0
BEST = "PCD-1, centred"
REMEMBERED = {"CD-1": -125.5, "CD-3": -105.5, "CD-25": -86.3}
"""Of Salakhutdinov & Murray (2008), from memory, of grey digits: not gated on."""
SAMPLES = 10


class Large(EnergyTraining):
    """One machine, one way to its gradient."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["binary_images"]  # pyright: ignore[reportIncompatibleVariableOverride]
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    temperatures: Count
    chains: Count

    def measure(self, given: Given) -> Rows:
        """Return likelihoods both ways, filters, and where chains came to from digits."""
        import torch

        from lightning_modules.energies.partitions.annealed import Annealed
        from lightning_modules.energies.partitions.reverse_annealed import ReverseAnnealed
        from pipeline.tasks.binary_images import BinaryImages

        torch.manual_seed(self.seed)
        (pictures,) = self.read(given)
        source = BinaryImages(pictures, self.seed, self.batch_size, self.held_out_size)
        some_NV = torch.cat([source.batch(i).x_TBI[0] for i in range(20)])
        learned = self.train(given, source, self.rbm(source, some_NV.mean(dim=0)))
        net: Any = learned.learner.energy
        test_NV = torch.cat([batch.x_TBI[0] for batch in source.test()])
        by = gradient_by(self.estimator, self.sweeps, self.centred)
        forth = Annealed(self.temperatures, self.chains).sum(net, some_NV)
        back = ReverseAnnealed(self.temperatures, self.chains).sum(net, some_NV)
        with torch.no_grad():
            free = -float(net.free_energy(test_NV).double().mean())
        last = [row for row in learned.rows if "probe" not in row][-1]
        yield {
            "record": "end",
            "by": by,
            "log_p": free - max(forth.log_Z, back.log_Z),
            "forth": free - forth.log_Z,
            "forth_error": forth.error,
            "back": free - back.log_Z,
            "reconstruction": last["held_out_loss"],
            "tested": len(test_NV),
        }
        for row in learned.rows:
            if row.get("probe") == "chains":
                yield {"record": "probe", "by": by, **row}
        yield from filters(net.W.detach(), source.shape_YX, by)
        with torch.no_grad():
            v_NV = test_NV[:SAMPLES]
            for _ in range(self.temperatures):
                v_NV = net.sampled(net.hidden(v_NV))
            dreamt_NV = net.visible(net.hidden(v_NV))
        for n, v_V in enumerate(dreamt_NV):
            picture = packed(v_V.view(*source.shape_YX))
            yield {"record": "sample", "model": by, "number": n, "picture": picture}


def likelihoods(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the worse of both likelihoods, by way to the gradient, by seed."""
    end = rows[rows["record"] == "end"].set_index("seed")
    return {str(by): of["log_p"] for by, of in end.groupby("by", sort=False)}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold ways to their order, and the best of them to the goal."""
    by = likelihoods(rows)
    for less, more in (("CD-1", "CD-3"), ("CD-3", "CD-25"), ("CD-1", BEST)):
        if {less, more} <= set(by):
            claim = f"digits are likelier by {more} than by {less}"
            yield ordered(claim, by[less], by[more], expected=8)
    end = rows[rows["record"] == "end"]
    if BEST in by and end["tested"].min() >= WHOLE:
        claim = f"{BEST}: above {GOAL:g} nats by the worse of both ways of annealing"
        yield above(claim, by[BEST], GOAL, expected=8, digits=4).if_missed(SHORT)
    best = end[end["by"] == BEST].set_index("seed")
    if len(best):
        claim = f"{BEST}: both ways of annealing are within 5 nats"
        yield below(claim, (best["forth"] - best["back"]).abs(), 5, expected=8)


SHORT = "likelihood was still rising when training ended"


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return likelihoods by way to the gradient."""
    end = rows[rows["record"] == "end"]
    return pd.DataFrame(
        {
            "gradient": by,
            "ln p by AIS": with_interval(of["forth"], 1),
            "by reverse AIS": with_interval(of["back"], 1),
            "the worse": with_interval(of["log_p"], 1),
            "error of AIS": f"{of['forth_error'].mean():.2f}",
            "reconstruction error": f"{of['reconstruction'].mean():.4f}",
            "remembered, grey digits": REMEMBERED.get(str(by)),
        }
        for by, of in end.groupby("by", sort=False)
    )


PART = Part(
    __doc__,
    Large,
    expects,
    figures=(
        Table(
            name="large",
            title="Likelihood of test digits, annealed both ways",
            caption="In nats a digit, means over seeds with their 95 % intervals. What is "
            "remembered of a paper is of grey digits, and not gated on.",
            build=table,
        ),
        Figure(
            name="large_filters",
            title="What hidden units look for",
            caption="Weights of the first hidden units; of the first seed.",
            x="unit",
            y="line",
            where={"record": "filter"},
            hue="picture",
            column="model",
            kind="pictures",
        ),
        Figure(
            name="samples",
            title="Where chains come to from test digits",
            caption="Means of the pixels after as many sweeps as annealing has temperatures; of "
            "the first seed.",
            x="number",
            y="model",
            where={"record": "sample"},
            hue="picture",
            kind="pictures",
        ),
    ),
)
