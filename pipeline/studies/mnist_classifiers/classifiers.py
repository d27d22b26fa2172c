"""Which network reads digits best, and what error comes back to its layers?

``at_most`` says what is expected of each at this scale, in percent of the held-out pictures; the
literature's figures are meant for MNIST and for long training.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import PositiveFloat, PositiveInt

from pipeline.measuring import judged
from pipeline.measuring.classifying import DATA, Classifier, learn
from pipeline.measuring.probing import Attached, flat
from pipeline.study import Check, Rows, Section, Study, Table, Trial

RUN = "classifier", "seed"


class Judged(Classifier):
    """A classifier and what is expected of it."""

    at_most: PositiveFloat
    """Percent of the held-out pictures that are wrong."""
    seeds: PositiveInt


class Params(Section):
    """The classifiers by what they are called."""

    classifiers: dict[str, Judged]
    evaluations: PositiveInt
    train_size: PositiveInt | None
    held_out_size: PositiveInt
    probes: Attached


def trials(p: Params) -> Iterator[Trial]:
    """Every classifier under each of its seeds."""
    shared = p.model_dump(include={"evaluations", "train_size", "held_out_size"}) | flat(p.probes)
    for name, of in p.classifiers.items():
        for seed in range(of.seeds):
            yield {"classifier": name, **of.flat(), **shared, "seed": seed}


def measure(
    classifier: str, at_most: float, seeds: int, data: Any, scratch: Path, **settings: Any
) -> Rows:
    """Train one and return its evaluations and the norms of its layers' errors."""
    del classifier, at_most, seeds
    return learn(data[DATA], scratch=scratch, **settings).rows


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold each classifier's mean to what is expected of it."""
    for name, runs in judged.ends(rows, RUN).groupby("classifier", sort=False):
        most, wrong = float(runs["at_most"].iloc[0]), runs["wrong"].mean()
        yield Check(f"{name}: at most {most:g} % wrong", bool(wrong <= most), f"{wrong:.2f} %")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each classifier's size and how it ended."""
    return pd.DataFrame(
        {
            "classifier": name,
            "parameters": f"{int(runs['parameters'].iloc[0]):,}",
            "batches": int(runs["step"].iloc[0]),
            "wrong, %": judged.spread(runs["wrong"]),
            "best, %": f"{runs['wrong'].min():.2f}",
            "seeds": len(runs),
        }
        for name, runs in judged.ends(rows, RUN).groupby("classifier", sort=False)
    )


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    data=(DATA,),
    figures=(
        judged.curves("classifier", x="examples"),
        Table(
            name="wrong-final",
            title="Wrong at the end",
            caption="Mean ± standard deviation over seeds.",
            build=_table,
        ),
        judged.errors("classifier", x="layer"),
    ),
)
