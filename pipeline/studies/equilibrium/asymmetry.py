"""What is left of the gradient where the weights back leave those forth?

The weights back are those forth and noise of a share ``apart`` of their norm; the rule and its
nudges stay. The gradient is that of the cost at the rest of the network as it is, by what weights
forth and back share, solved for implicitly.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import Field, NonNegativeFloat

from pipeline.measuring.evidence import above, every, within
from pipeline.measuring.statistics import exponent
from pipeline.studies.equilibrium.gradients import LABELS, flat
from pipeline.studies.equilibrium.relaxing import Relaxing
from pipeline.study import AS_TEXT, Claim, Figure, Given, Part, Rows

FITTED, SLACK = 0.03, 0.1
"""Up to which share the slope is taken, and how far it may be off."""


class Asymmetry(Relaxing):
    """A network whose weights back leave those forth by several shares."""

    aparts: Annotated[list[NonNegativeFloat], Field(min_length=1), *AS_TEXT]

    def measure(self, given: Given) -> Rows:
        """Return the relative error and the cosine to the implicit gradient, by share and β."""
        from lightning_modules.energies._at_rest import implicit, nudged, rest
        from lightning_modules.norms import cosine, norm

        for apart in self.aparts:
            network, x_NI, t_NO = self.drawn(apart)
            rest_NS, _ = rest(network, network.start(x_NI))
            exact_P = flat(implicit(network, rest_NS, t_NO))
            for beta in self.betas:
                network.beta = beta
                g_P = flat(nudged(network, rest_NS, t_NO)[0])
                yield {
                    "apart": apart,
                    "beta": beta,
                    "error": float(norm(g_P - exact_P) / norm(exact_P)),
                    "cosine": float(cosine(g_P, exact_P)),
                }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the error to the share, whatever β is, and the cosine above 0 where it is 1."""
    least = rows[rows["beta"] == rows["beta"].min()]
    by = ["activation"]
    yield every(
        "the error is of the order of the share",
        [
            within(_called(key), _orders(of), 1 - SLACK, 1 + SLACK, expected=4)
            for key, of in least.groupby(by, sort=False)
        ],
    )
    small = rows[(rows["apart"] > 0) & (rows["apart"] <= FITTED)]
    most = small[small["apart"] == small["apart"].max()]
    ends = most[most["beta"].isin([most["beta"].min(), most["beta"].max()])]
    if most["beta"].nunique() > 1:
        yield every(
            f"at a share of {ends['apart'].max():g} a smaller β takes less than a tenth of it",
            [
                within(_called(key), _left(of), 0.9, 1.1, expected=4)
                for key, of in ends.groupby(by, sort=False)
            ],
        )
    whole = least[least["apart"] == 1]
    if len(whole):
        yield every(
            "where the share is 1 the cosine to the gradient is above 0",
            [
                above(_called(key), of.set_index("seed")["cosine"], 0.0, expected=4)
                for key, of in whole.groupby(by, sort=False)
            ],
        )


def _called(key: tuple[object, ...]) -> str:
    return ", ".join(str(one).replace("_", " ") for one in key)


def _orders(of: pd.DataFrame) -> pd.Series:
    """Return the slope of each seed's error by the share, on logarithms."""
    fitted = of[(of["apart"] > 0) & (of["apart"] <= FITTED)]
    return pd.Series(
        {
            seed: exponent(one["apart"].tolist(), one["error"].tolist())[0]
            for seed, one in fitted.groupby("seed")
        }
    )


def _left(of: pd.DataFrame) -> pd.Series:
    """Return each seed's error at the least β over that at the greatest."""
    by = of.set_index(["seed", "beta"])["error"].unstack()
    return by.iloc[:, 0] / by.iloc[:, -1]


PART = Part(
    __doc__,
    Asymmetry,
    expects,
    figures=(
        Figure(
            name="asymmetry",
            title="Error where the weights back leave those forth",
            caption="‖g_β - g‖ / ‖g‖, centred, mean and range over seeds; 0 is not on the axis: "
            "there the error is that of the nudge.",
            x="apart",
            y="error",
            hue="beta",
            column="activation",
            log_x=True,
            log_y=True,
            labels={**LABELS, "apart": "noise in the weights back, of their norm"},
        ),
        Figure(
            name="asymmetry-cosine",
            title="Which way it points",
            caption="Cosine of the centred difference to the gradient, mean and range over seeds.",
            x="apart",
            y="cosine",
            hue="beta",
            column="activation",
            labels={**LABELS, "apart": "noise in the weights back, of their norm"},
        ),
    ),
)
