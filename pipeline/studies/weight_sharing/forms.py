"""What the comparisons of trained forms share: how they are asked for, and how they ended."""

import itertools
from collections.abc import Iterator
from typing import Any

import pandas as pd
from pydantic import PositiveInt

from pipeline.measuring import judged
from pipeline.measuring.classifying import Classifier
from pipeline.measuring.probing import Attached, flat
from pipeline.study import Section, Table, Trial

RUN = "form", "train_size", "seed"


class Forms(Section):
    """Every form, on several numbers of pictures; no more are used than there are."""

    forms: dict[str, Classifier]
    train_sizes: list[PositiveInt]
    evaluations: PositiveInt
    held_out_size: PositiveInt
    probes: Attached
    seeds: PositiveInt


def trials(p: Forms) -> Iterator[Trial]:
    """Every form on every number of pictures under every seed."""
    shared = p.model_dump(include={"evaluations", "held_out_size"}) | flat(p.probes)
    for (form, of), size, seed in itertools.product(p.forms.items(), p.train_sizes, range(p.seeds)):
        yield {"form": form, **of.flat(), "train_size": size, **shared, "seed": seed}


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each run ended."""
    return judged.ends(rows, RUN).astype({"train_size": int})


def wrong(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of what is wrong, in percent: sizes down, forms across."""
    return ends(rows).groupby(["train_size", "form"])["wrong"].mean().unstack("form")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often each form is wrong, by the number of pictures that it learned from."""
    lines: dict[Any, dict[str, Any]] = {}
    for (form, size), runs in ends(rows).groupby(["form", "train_size"], sort=False):
        line = lines.setdefault(form, {"parameters": f"{int(runs['parameters'].iloc[0]):,}"})
        line[f"{size:,}"] = judged.spread(runs["wrong"])
    return pd.DataFrame([{"form": form, **line} for form, line in lines.items()])


TABLE = Table(
    name="wrong-final",
    title="Wrong, in percent, by how many digits were learned from",
    caption="Held out, at the end; mean ± standard deviation over seeds.",
    build=_table,
)
CURVES = judged.curves("form", "train_size")
