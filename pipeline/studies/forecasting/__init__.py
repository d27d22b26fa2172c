"""How well do networks forecast a series, and is it better than a few lines of least squares?

Two series of the literature: the yearly sunspots, on which networks were said to win, and the
temperature off Peru, whose months hardly tell of more than the next. Every method forecasts at all
horizons from rolling origins and sees nothing that comes after: neither its scale, nor its lags,
nor its weights know a later value.

Expected:
    1. Autoregressions of the sunspots by least squares have the literature's errors, to the digit.
    2. A 12-8-1 network is better than the best of them on 1921–1955, by 10 % at least, and worse
       on 1956–1979, by as much: those cycles are larger than any that was learned from. Its errors
       are the published ones, within the standard error of so few years, 25 %.
    3. El Niño: the last value, climatology, persistence and an autoregression of anomalies have
       the errors that were printed beforehand.
    4. Networks are better than the autoregression a month ahead, .450 °C, and better than the
       climatology, .801 °C, from three months on.

References:
    Yule (1927), On a method of investigating periodicities in disturbed series, Philosophical
        Transactions of the Royal Society A 226.
    Tong & Lim (1980), Threshold autoregression, limit cycles and cyclical data, Journal of the
        Royal Statistical Society B 42(3).
    Weigend, Huberman & Rumelhart (1990), Predicting the future: a connectionist approach,
        International Journal of Neural Systems 1(3).
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.forecasting.el_nino import NETWORKS, RIVALS, rmse
from pipeline.studies.forecasting.el_nino import PART as EL_NINO
from pipeline.studies.forecasting.sunspots import EARLY, LATE, NET, arv
from pipeline.studies.forecasting.sunspots import PART as SUNSPOTS
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say where networks win and lose, a step ahead and further."""
    sunspots, el_nino = rows_of(rows, "sunspots"), rows_of(rows, "el_nino")
    said = []
    by = {at: arv(sunspots, at) for at in (EARLY, LATE)}
    if all({NET, "AR(9)"} <= of.keys() for of in by.values()):
        parts = [
            f"{with_interval(of[NET])} against {of['AR(9)'].mean():.3f} by least squares on {at}"
            for at, of in by.items()
        ]
        said.append(f"Sunspots, relative variance a year ahead: {NET} has {', and '.join(parts)}.")
    for months, rival in RIVALS.items():
        of = rmse(el_nino, months)
        nets = {name: of[name] for name in NETWORKS if name in of}
        if nets and rival in of:
            best = min(nets, key=lambda name: nets[name].mean())
            said.append(
                f"El Niño, {months} {'month' if months == 1 else 'months'} ahead: {best} is off by "
                f"{with_interval(nets[best])} °C, {rival} by {of[rival].mean():.3f}."
            )
    return " ".join(said)


STUDY = join(__doc__, answer, "sequences and text", sunspots=SUNSPOTS, el_nino=EL_NINO)
