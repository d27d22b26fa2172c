"""What is expected of modes, and how the page shows who found them."""

from collections.abc import Iterator, Mapping

import pandas as pd

from pipeline.measuring.evidence import above, every, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.studies.adversarial_dynamics.modes import (
    DENSITY,
    DOC,
    GAMES,
    ONE,
    PLAIN,
    R1,
    Modes,
)
from pipeline.study import Claim, Figure, Part, Table


def ends(rows: pd.DataFrame, arrangement: str, column: str) -> dict[str, pd.Series]:
    """Return what each method came to on an arrangement, by seed."""
    end = rows[(rows["record"] == "end") & (rows["arrangement"] == arrangement)]
    return {
        str(method): of.set_index("seed")[column].astype(float)
        for method, of in end.groupby("method", sort=False)
    }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold R1 to finding the modes, and players to being better than one Gaussian."""
    for arrangement, wanted in (("ring", 7), ("square", 20)):
        modes = ends(rows, arrangement, "modes")
        good = ends(rows, arrangement, "good")
        if R1 in modes:
            of = int(rows.loc[rows["arrangement"] == arrangement, "of"].max())
            yield above(
                f"{arrangement}: with R1 at least {wanted} of {of} modes are found",
                modes[R1],
                wanted - 0.5,
                expected=7,
            ).if_missed(SMALL)
        if {R1, ONE} <= good.keys():
            yield ordered(
                f"{arrangement}: more samples are good with R1 than of one Gaussian, by .3",
                good[ONE],
                good[R1],
                by=0.3,
                expected=7,
            ).if_missed(SMALL)
        if {R1, DENSITY} <= good.keys():
            yield ordered(
                f"{arrangement}: a kernel density has more good samples than any game",
                pd.concat([good[name] for name in GAMES if name in good], axis=1).max(axis=1),
                good[DENSITY],
                expected=8,
            )
    calm = [
        ordered(arrangement, turning[R1], turning[PLAIN], expected=9)
        for arrangement in ("ring", "square")
        for turning in [rotation(rows, arrangement)]
        if {R1, PLAIN} <= turning.keys()
    ]
    if calm:
        yield every("in the end less of the field turns with R1 than without", calm)


def rotation(rows: pd.DataFrame, arrangement: str) -> dict[str, pd.Series]:
    """Return the share of eigenvalues that turn at the last look, by method and seed."""
    if "quantity" not in rows:
        return {}
    seen = rows[(rows["record"] == "probe") & (rows["quantity"] == "rotation")]
    seen = seen[seen["arrangement"] == arrangement]
    last = seen[seen["step"] == seen["step"].max()]
    return {
        str(method): of.set_index("seed")["value"].astype(float)
        for method, of in last.groupby("method", sort=False)
    }


ELSEWHERE: Mapping[tuple[str, str], str] = {("ring", PLAIN): "1", ("square", PLAIN): "3.3"}
"""Modes that are told of, second-hand, for other networks (Metz, Poole, Pfau & Sohl-Dickstein 2017;
Srivastava, Valkov, Russell, Gutmann & Sutton 2017): nothing here is held to them."""
SMALL = "players are small and batches few; both are more at scale paper"


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each method found."""
    end, lines = rows[rows["record"] == "end"], []
    for (arrangement, method), of in end.groupby(["arrangement", "method"], sort=False):
        lines.append(
            {
                "arrangement": arrangement,
                "method": method,
                "modes": f"{with_interval(of['modes'], 1)} of {int(of['of'].iloc[0])}",
                "elsewhere": ELSEWHERE.get((str(arrangement), str(method)), "–"),
                "good samples, %": with_interval(100 * of["good"], 1),
                "unevenness, nats": with_interval(of["uneven"], 3),
            }
        )
    return pd.DataFrame(lines)


LABELS: dict[str, str] = {
    "step": "batches",
    "x1": "first entry",
    "x2": "second entry",
    "real": "Re λ",
    "imaginary": "Im λ",
    "rotation": "share that turns",
    "turning": "largest |Im λ|",
    "abscissa": "largest Re λ",
}
PART = Part(
    DOC,
    Modes,
    expects,
    speaks_of={"arrangement": ("ring", "square")},
    figures=(
        Table(
            name="modes",
            title="Modes found",
            caption="Mean and 95 % interval over seeds; good samples lie within three spreads of a "
            "place, unevenness is the divergence of their histogram from an even one. Elsewhere: "
            "second-hand, of other networks.",
            build=table,
        ),
        Figure(
            name="samples",
            title="Samples of a square of modes, without a penalty and with one",
            caption="Of the first seed.",
            x="x1",
            y="x2",
            where={"record": "sample", "arrangement": "square", "method": ("plain", "R1")},
            column="method",
            kind="scatter",
            labels=LABELS,
        ),
        Figure(
            name="eigenvalues-of-games",
            title="Eigenvalues of the game's Jacobian along training",
            caption="The longest of each look, of the first seed; what turns lies far from the "
            "real axis.",
            x="real",
            y="imaginary",
            where={
                "record": "eigenvalue",
                "arrangement": "ring",
                "method": ("plain", "R1"),
                "seed": 0,
            },
            hue="step",
            column="method",
            kind="scatter",
            labels=LABELS,
        ),
        Figure(
            name="field",
            title="The field along training",
            caption="Of the eigenvalues of the game's Jacobian on a batch: the largest real part, "
            "the largest imaginary one, and the share that turns faster than it grows or shrinks. "
            "Mean and range over seeds.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "game_spectrum"},
            hue="method",
            column="quantity",
            row="arrangement",
            labels=LABELS,
        ),
        Figure(
            name="gradients",
            title="Both players' gradients",
            caption="Norms, mean since the evaluation before; mean and range over seeds.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "players", "quantity": "norm"},
            hue="method",
            column="player",
            row="arrangement",
            log_y=True,
            labels={**LABELS, "value": "‖∂L/∂w‖"},
        ),
        Figure(
            name="turns",
            title="Cosine of successive steps",
            caption="Of both players together, mean since the evaluation before.",
            x="step",
            y="value",
            where={"record": "probe", "probe": "players", "quantity": "cosine", "player": "both"},
            hue="method",
            column="arrangement",
            labels={**LABELS, "value": "cosine"},
        ),
    ),
)
