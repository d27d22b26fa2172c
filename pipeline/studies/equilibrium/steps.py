"""Is each nudged step a step of back-propagation through time?

Back-propagation goes back through a free relaxation that rests for its last steps; its terms are
taken one by one from the end. Nudged step k adds to the difference of rests what the k-th term from
the end adds to the gradient. A relaxation that is cut short, before the network rests, is the
control: there is nothing that promises it.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import below, every, ordered, within
from pipeline.measuring.statistics import exponent
from pipeline.studies.equilibrium.gradients import LABELS, ORDERS, SLACK, flat
from pipeline.studies.equilibrium.relaxing import Relaxing
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Whole

RESTED, CUT = "rested", "cut short"
"""The records: of a free relaxation that came to rest, and of one that did not."""
NEAR, FAR = 1e-3, 100
"""How near every term is at the least β, and how many times as far some are where the relaxation
was cut short."""
PUBLISHED = Published(
    row="equilibrium-propagation",
    source="Ernoult, Grollier, Querlioz, Bengio & Scellier (2019), theorem 1 and figure 2",
    value="equal, step by step, as β -> 0",
    tolerance=f"off by less than {NEAR:g} of the largest term at the least β, and by its order",
)


class Steps(Relaxing):
    """Nudged steps beside the terms of back-propagation."""

    steps: Count
    """Nudged steps."""
    free: Whole
    """Steps of a free relaxation that is cut short; 0 lets it come to rest."""

    def measure(self, given: Given) -> Rows:
        """Return, for each β and step, both norms and how far they are apart.

        That is over the largest term's norm.
        """
        from lightning_modules.energies._at_rest import moves, rest, terms
        from lightning_modules.norms import norm

        network, x_NI, t_NO = self.drawn()
        start_NS = network.start(x_NI)
        if not self.free:
            end_NS, settled = rest(network, start_NS)
            free = settled + self.steps  # so that it rests during all the last ones
        else:
            end_NS, free = network.relax(start_NS, self.free).detach(), self.free
        back = [flat(term) for term in terms(network, start_NS, t_NO, free, self.steps)]
        largest = max(float(norm(term_P)) for term_P in back)
        for beta in self.betas:
            network.beta = beta
            added = map(flat, moves(network, end_NS, t_NO, len(back)))
            for step, (term_P, move_P) in enumerate(zip(back, added, strict=True)):
                yield {
                    "record": CUT if self.free else RESTED,
                    "beta": beta,
                    "step": step,
                    "bptt": float(norm(term_P)),
                    "nudged": float(norm(move_P)),
                    "off": float(norm(move_P - term_P)) / largest,
                }


def worst(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how far the worst term is off, by record, run and β."""
    by = ["record", "activation", "nudge", "seed", "beta"]
    return rows.groupby(by, sort=False)["off"].max().reset_index()


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the worst term to its bound and to its order in β, and the control to being off."""
    ends = worst(rows)
    rested, least = ends[ends["record"] == RESTED], ends["beta"].min()
    at_least = rested[rested["beta"] == least].groupby(["activation", "nudge"], sort=False)
    yield every(
        f"at β = {least:g} every nudged step is its step of back-propagation through time",
        [
            below(_called(key), of.set_index("seed")["off"], NEAR, expected=3)
            for key, of in at_least
        ],
    ).stands_for(PUBLISHED)
    for nudge, found in rested.groupby("nudge", sort=False):
        order = ORDERS[str(nudge)]
        yield every(
            f"{str(nudge).replace('_', '-')}: steps differ by β to the power {order}",
            [
                within(_called(key), _orders(of), order - SLACK, order + SLACK, expected=3)
                for key, of in found.groupby(["activation"], sort=False)
            ],
        )
    cut = ends[(ends["record"] == CUT) & (ends["beta"] == least)]
    pairs = [
        ordered(
            _called(key),
            rested[(rested["beta"] == least) & _is(rested, key)].set_index("seed")["off"],
            of.set_index("seed")["off"],
            by=FAR - 1,
            ratio=True,
            expected=3,
        )
        for key, of in cut.groupby(["activation", "nudge"], sort=False)
    ]
    if pairs:
        claim = f"where the free relaxation was cut short some step is {FAR:g} times as far off"
        yield every(claim, pairs)


def _is(rows: pd.DataFrame, key: tuple[object, ...]) -> pd.Series:
    """Return which rows are of an activation and a nudge."""
    return (rows["activation"] == key[0]) & (rows["nudge"] == key[1])


def _called(key: tuple[object, ...]) -> str:
    return ", ".join(str(one).replace("_", " ") for one in key)


def _orders(of: pd.DataFrame) -> pd.Series:
    """Return the slope of each seed's worst term by β, on logarithms."""
    return pd.Series(
        {
            seed: exponent(one["beta"].tolist(), one["off"].tolist())[0]
            for seed, one in of.groupby("seed")
        }
    )


PART = Part(
    __doc__,
    Steps,
    expects,
    figures=(
        Figure(
            name="steps",
            title="What each nudged step adds, beside back-propagation",
            caption="Norm of what nudged step k adds to the difference of rests, mean and range "
            "over seeds and nudges; dashed: of the k-th term of back-propagation through time, "
            "from the end.",
            x="step",
            y="nudged",
            where={"record": RESTED},
            hue="beta",
            column="activation",
            theory="bptt",
            log_y=True,
            labels={**LABELS, "step": "nudged step, or steps back", "nudged": "norm"},
        ),
        Figure(
            name="off",
            title="How far each step is from its step of back-propagation",
            caption="Over the largest term's norm; mean and range over seeds.",
            x="step",
            y="off",
            where={"record": RESTED},
            hue="beta",
            column="activation",
            row="nudge",
            log_y=True,
            labels={**LABELS, "step": "nudged step", "off": "off"},
        ),
    ),
)
