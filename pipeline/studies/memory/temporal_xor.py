"""Does a network find the one bit in three that can be known?

Temporal XOR: of a stream of bits every third is the XOR of the two before it, and the next bit is
to be predicted. Only who holds on to a bit, and knows where in the triple it is, can say the
third; the other two are chance. Beside networks stands a table of what followed two bits, which
does not know the place: it expects the XOR one time in three, so that its squared error is 1/9 at
the third bit, and 1/4 + 1/36 at the others.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.measuring.evidence import below, within
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import SequenceTraining
from pipeline.study import Claim, Figure, Given, Part, Published, Rows, Table

CHANCE, LEARNED, NEAR = 0.25, 0.05, 0.02
"""The squared error of a guess; below what the third is learned; how near others stay to chance."""
TABLE = 1 / 9
"""The squared error of the table of two bits at the third."""
COUNTED = "last two bits"
"""The table of what followed two bits, which does not know the place."""
PLACES = "first", "second", "third"
PUBLISHED = Published(
    row="elman-temporal-xor",
    source="Elman (1990), figure 3",
    value="error falls at every third bit; a picture",
    tolerance=f"a squared error below {LEARNED:g} there, {CHANCE:g} ± {NEAR:g} at the others",
)


class Predicting(SequenceTraining):
    """A network that predicts the next bit, or a table that counts what followed the last two."""

    network: str
    """What it is called."""

    def measure(self, given: Given) -> Rows:
        """Return the evaluations, and the squared error by place in the triple at the end."""
        import torch

        if self.network == COUNTED:
            yield from self._counted(given)
            return
        learned = self.learn(given)
        yield from learned.rows
        off: list[torch.Tensor] = []
        with torch.no_grad():
            for batch, z_TBO in learned.learner.outputs(list(learned.source.held_out())):
                off.append((z_TBO - batch.y_TB).square()[..., 0])
        yield from _by_place(torch.cat(off, dim=1))

    def _counted(self, given: Given) -> Iterator[dict[str, Any]]:
        """Yield the errors of who counted, over as many sequences, what followed two bits."""
        import torch

        source = self.task_of(given)
        sums, counts = torch.zeros(4), torch.zeros(4)
        for index in range(self.steps):
            context_TB, y_TB = _in_context(source.batch(index))
            sums.scatter_add_(0, context_TB.flatten(), y_TB.flatten())
            counts += context_TB.flatten().bincount(minlength=4)
        mean = sums / counts.clamp(min=1)
        off = [
            (mean[context_TB] - y_TB).square()
            for context_TB, y_TB in map(_in_context, source.held_out())
        ]
        yield from _by_place(torch.cat(off, dim=1))


def _in_context(batch: Any) -> tuple[Any, Any]:
    """Return the last two bits as a number, 0 before the first, and what follows, (T, B)."""
    import torch

    bit_TB = batch.x_TBI[..., 0].long()
    before_TB = torch.cat([torch.zeros_like(bit_TB[:1]), bit_TB[:-1]])
    return 2 * before_TB + bit_TB, batch.y_TB[..., 0]


def _by_place(off_TB: Any) -> Iterator[dict[str, Any]]:
    """Yield the mean squared error of predicting each bit of a triple."""
    for place, called in enumerate(PLACES):
        # Step t predicts bit t + 1.
        seen = off_TB[(place - 1) % len(PLACES) :: len(PLACES)]
        yield {"record": "place", "place": called, "error": float(seen.mean())}


def _errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the error of each run by place."""
    ends = rows[rows["record"] == "place"]
    return ends.pivot_table(index=["network", "seed"], columns="place", values="error", sort=False)


def third(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the error at the third bit by network and seed."""
    by = _errors(rows)["third"].groupby("network", sort=False)
    return {str(name): of.droplevel("network") for name, of in by}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold networks to knowing the third bit, and to chance at the others."""
    for name, seen in third(rows).items():
        if name == COUNTED:
            claim = f"temporal XOR: {name}: the third bit has a squared error of 1/9 ± {NEAR:g}"
            yield within(claim, seen, TABLE - NEAR, TABLE + NEAR, expected=5)
            continue
        claim = f"temporal XOR: {name}: the third bit has a squared error below {LEARNED:g}"
        found = below(claim, seen, LEARNED, expected=4)
        yield found.stands_for(PUBLISHED) if name == "srn" else found
        of = _errors(rows).xs(name, level="network")
        others = (of["first"] + of["second"]) / 2
        claim = f"temporal XOR: {name}: the other two stay at {CHANCE:g} ± {NEAR:g}"
        yield within(claim, others, CHANCE - NEAR, CHANCE + NEAR, expected=4)


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of each network by place."""
    lines = []
    for name, of in _errors(rows).groupby("network", sort=False):
        by = {f"{place} bit": with_interval(of[place]) for place in PLACES}
        lines.append({"network": name, **by})
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Predicting,
    expects,
    speaks_of={"network": (COUNTED, "srn")},
    figures=(
        Table(
            name="temporal-xor",
            title="Temporal XOR: squared error of each bit of a triple",
            caption="On held-out sequences; mean ± 95 % interval over seeds. A guess has .25.",
            build=_table,
        ),
        Figure(
            name="places",
            title="Error by place in the triple",
            caption="Mean over seeds; only the third bit can be known.",
            x="place",
            y="error",
            where={"record": "place"},
            hue="network",
            kind="bar",
            labels={"error": "squared error", "place": "bit of the triple"},
        ),
    ),
)
