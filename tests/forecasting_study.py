"""The study ``forecasting`` at a size of seconds, run once, on series of its own."""

import math
from typing import Any

import torch

from pipeline.data.sets._base import DatedSeries
from pipeline.studies.forecasting import STUDY
from tests.measured import Measured
from tests.toy import NOWHERE


def waves(train: int, held_out: int, per_year: int, first: int) -> DatedSeries:
    """Return two waves and some noise."""
    t_N = torch.arange(train + held_out, dtype=torch.float64)
    noise_N = torch.randn(len(t_N), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values_N = 50 + 40 * (2 * math.pi * t_N / 11).sin() + 5 * noise_N
    values_N += 10 * (2 * math.pi * t_N / 12).cos()
    return DatedSeries(values_N[:train], values_N[train:], NOWHERE, first, per_year)


DATA = {
    "yearly_sunspots": waves(221, 88, 1, 1700),
    "el_nino": waves(612, 120, 12, 1950),
}
TRAINED: dict[str, Any] = {
    "task": "next_value",
    "batch_size": 3,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "decay": "l2",
    "strength": 0.1,
    "steps": 4,
    "evaluations": 2,
    "held_out_size": 12,
}
SECTION: dict[str, dict[str, Any]] = {
    "sunspots": {
        **TRAINED,
        "dataset": "yearly_sunspots",
        "method": {
            "last value": {"rule": "last", "seeds": 1},
            "11 years ago": {"rule": "period", "seeds": 1},
            "train mean": {"rule": "mean", "seeds": 1},
            **{f"AR({p})": {"rule": "ar", "order": p, "seeds": 1} for p in (2, 9, 12)},
            "threshold AR": {"rule": "threshold_ar", "order": 3, "seeds": 1},
            "12-8-1": {"network": "tdnn", "options": {"hidden": [3], "delays": [12]}},
            "narx, free": {
                "network": "narx",
                "options": {"hidden": 3, "delays": 12, "known": 12},
                "length": 14,
            },
            "srn": {"cell": "srn", "options": {"hidden_size": 3}},
        },
        "length": 15,
        "warm_up": 11,
        "horizon": 3,
        "outputs": 1,
        "anomalies": False,
        "season": False,
        "intervals": {
            "1700–1920": [1700, 1920],
            "1921–1955": [1921, 1955],
            "1956–1979": [1956, 1979],
            "1980–2008": [1980, 2008],
        },
        "seeds": 2,
    },
    "el_nino": {
        **TRAINED,
        "dataset": "el_nino",
        "method": {
            "last value": {"rule": "last", "anomalies": False, "seeds": 1},
            "climatology": {"rule": "climatology", "anomalies": False, "seeds": 1},
            "anomaly persistence": {"rule": "persistence", "anomalies": False, "seeds": 1},
            "AR(2), anomalies": {"rule": "ar", "order": 2, "seeds": 1},
            "tdnn": {"network": "tdnn", "options": {"hidden": [3], "delays": [4]}},
            "narx": {
                "network": "narx",
                "options": {"hidden": 3, "delays": 4, "known": 5},
                "outputs": 1,
            },
            "gru": {"cell": "gru", "options": {"hidden_size": 3}},
        },
        "length": 10,
        "warm_up": 4,
        "horizon": 6,
        "outputs": 6,
        "anomalies": True,
        "season": True,
        "intervals": {"2001–2010": [2001, 2010]},
        "seeds": 2,
    },
}
MEASURED = Measured(STUDY, SECTION, DATA)
