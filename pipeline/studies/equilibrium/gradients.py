"""How far is the difference of two rests from the gradient, by the size of the nudge?

The gradient of the cost at the free rest is solved for implicitly; both rests are gone to until no
unit moves any more. Counted as crossed are units that come to an end of the hard sigmoid's range,
or leave it, under the nudge: from there on the orders of β need not hold, and no slope is taken.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.measuring.evidence import below, every, within
from pipeline.measuring.statistics import exponent, with_interval
from pipeline.studies.equilibrium.relaxing import Relaxing
from pipeline.study import Claim, Figure, Given, Part, Rows, Table

ORDERS = {"one_sided": 1, "centred": 2}
"""The power of β that the error of each nudge is of."""
SLACK, FITTED, SMALL, NEAR = 0.05, 0.01, 0.001, 1e-5
"""How far a slope may be off, up to which β it is taken, and the bound at a β that is small."""
BEFOREHAND = {"one_sided": 0.88, "centred": 0.38}
"""The error over that power of β, seen beforehand on another network."""


class Gradients(Relaxing):
    """A network's gradient by two rests, of nudges of several sizes."""

    def measure(self, given: Given) -> Rows:
        """Return the relative error and the cosine to the implicit gradient, for each β."""
        from lightning_modules.energies._at_rest import implicit, nudged, rest
        from lightning_modules.norms import cosine, norm

        network, x_NI, t_NO = self.drawn()
        rest_NS, steps = rest(network, network.start(x_NI))
        exact_P = flat(implicit(network, rest_NS, t_NO))
        for beta in self.betas:
            network.beta = beta
            found, crossed = nudged(network, rest_NS, t_NO)
            g_P = flat(found)
            yield {
                "beta": beta,
                "error": float(norm(g_P - exact_P) / norm(exact_P)),
                "cosine": float(cosine(g_P, exact_P)),
                "crossed": crossed,
                "settled": steps,
            }


def flat(parts: Any) -> Any:
    """Return tensors as one vector."""
    import torch

    return torch.cat([part.flatten() for part in parts])


def slopes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the slope of each run's error by β, on logarithms, and the error over β's power."""
    fitted = rows[(rows["beta"] <= FITTED) & (rows["crossed"] == 0)]
    by = ["activation", "nudge", "seed"]
    return pd.DataFrame(
        dict(zip(by, key, strict=True))
        | {
            "slope": exponent(of["beta"].tolist(), of["error"].tolist())[0],
            "share": float((of["error"] / of["beta"] ** ORDERS[str(key[1])]).median()),
        }
        for key, of in fitted.groupby(by, sort=False)
        if len(of) > 1
    )


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold every slope to its order, and the centred error to its bound where β is small."""
    for nudge, found in slopes(rows).groupby("nudge", sort=False):
        order = ORDERS[str(nudge)]
        claim = f"{str(nudge).replace('_', '-')}: the error falls with β to the power {order}"
        yield every(
            claim,
            [
                within(
                    str(activation).replace("_", " "),
                    of.set_index("seed")["slope"],
                    order - SLACK,
                    order + SLACK,
                    expected=1,
                )
                for activation, of in found.groupby("activation", sort=False)
            ],
        )
    small = rows[(rows["nudge"] == "centred") & (rows["beta"] == SMALL)]
    if len(small):
        yield every(
            f"centred, at β = {SMALL:g}: the error is below {NEAR:g}",
            [
                below(
                    str(activation).replace("_", " "),
                    of.set_index("seed")["error"],
                    NEAR,
                    expected=2,
                )
                for activation, of in small.groupby("activation", sort=False)
            ],
        )


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each nudge's order and what stands before it."""
    return pd.DataFrame(
        {
            "activation": str(activation).replace("_", " "),
            "nudge": str(nudge).replace("_", "-"),
            "slope": with_interval(of["slope"]),
            "error over β's power": with_interval(of["share"], 2),
            "beforehand": BEFOREHAND[str(nudge)],
        }
        for (activation, nudge), of in slopes(rows).groupby(["activation", "nudge"], sort=False)
    )


LABELS = {
    "beta": "β",
    "error": "relative error",
    "one_sided": "one-sided",
    "hard_sigmoid": "hard sigmoid",
    "crossed": "units that crossed",
}
PART = Part(
    __doc__,
    Gradients,
    expects,
    figures=(
        Figure(
            name="orders",
            title="Error of the difference of two rests",
            caption="‖g_β - g‖ / ‖g‖, g the implicit gradient, mean and range over seeds. The hard "
            "sigmoid's error jumps where a unit comes to an end of its range.",
            x="beta",
            y="error",
            hue="nudge",
            column="activation",
            log_x=True,
            log_y=True,
            labels=LABELS,
        ),
        Table(
            name="slopes",
            title="The order of the error in β",
            caption=f"Slopes on logarithms up to β = {FITTED:g}, where no unit crossed an end, and "
            "the error over β (one-sided) or β² (centred): mean and 95 % interval over seeds. "
            "Beforehand: as seen on another network.",
            build=_table,
        ),
    ),
)
