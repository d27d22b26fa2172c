"""What does each rule recall of ten digits, which are not patterns at random?

One picture of each class is stored, in black and white. Then each is shown with its lower half
hidden, or with some of its pixels turned over. Digits have most of their pixels in common, which
Hebb's rule takes for what all of them are; a projection takes no notice.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from lightning_modules.energies.storage import STORAGE
from pipeline.measuring.evidence import ordered
from pipeline.measuring.pictures import packed
from pipeline.measuring.training import DataSet
from pipeline.studies.hopfield_capacity.patterns import RECALLED, flipped, stored
from pipeline.study import Claim, Figure, Given, Part, Rows, Table, Trial, named


class Digits(Trial):
    """One rule, and ten pictures that the seed chooses."""

    dataset: DataSet
    storage: Annotated[str, named(STORAGE)]
    flips: Annotated[float, Field(ge=0, le=0.5)]

    def measure(self, given: Given) -> Rows:
        """Return what was recalled of each digit, as a picture, by what was shown of it."""
        import torch

        from lightning_modules.energies.hopfield import overlap

        torch.manual_seed(self.seed)
        data = given.data[self.dataset]
        order_N = torch.randperm(len(data.train_y_N))
        y_N = data.train_y_N[order_N]
        first_K = torch.stack([(y_N == k).nonzero()[0, 0] for k in range(data.classes)])
        x_KYX = (data.train_x_NHW[order_N[first_K]] > 127).double() * 2 - 1
        shape_YX, x_KS = x_KYX.shape[1:], x_KYX.flatten(1)
        net = stored(STORAGE[self.storage](), x_KS)
        half_KYX = x_KYX.clone()
        half_KYX[:, shape_YX[0] // 2 :] = -1
        shown = {"lower half hidden": half_KYX.flatten(1), "noise": flipped(x_KS, self.flips)}
        for name, start_KS in shown.items():
            end_KS = net.settle(start_KS).states_NS
            m_K = overlap(end_KS, x_KS)
            for k in range(data.classes):
                row: dict[str, Any] = {"shown": name, "digit": k, "overlap": float(m_K[k])}
                yield {**row, "what": _name(self.storage), "picture": _drawn(end_KS[k], shape_YX)}
                if self.storage == "hebb":
                    picture = _drawn(start_KS[k], shape_YX)
                    yield {"shown": name, "digit": k, "what": "shown", "picture": picture}


def _drawn(s_S: Any, shape_YX: Any) -> str:
    """Return a state as a picture; which side is ink is that of most pixels' other."""
    return packed((s_S.view(*shape_YX) + 1) / 2)


def _name(storage: str) -> str:
    return {"pseudo_inverse": "projection", "perceptron_rule": "perceptron"}.get(storage, storage)


def recalled(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the share of digits that each rule recalled, by seed."""
    of = rows.dropna(subset=["overlap"])
    of = of.assign(recalled=of["overlap"].astype(float) > RECALLED)
    return {
        str(rule): one.groupby("seed")["recalled"].mean()
        for rule, one in of.groupby("storage", sort=False)
    }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the projection to recall more digits than Hebb's rule does."""
    by = recalled(rows)
    if {"hebb", "pseudo_inverse"} <= set(by):
        claim = "of ten digits the projection recalls more than Hebb's rule"
        yield ordered(claim, by["hebb"], by["pseudo_inverse"], expected=6)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the share of digits recalled, by rule and by what was shown."""
    of = rows.dropna(subset=["overlap"])
    shares = of.assign(recalled=of["overlap"].astype(float) > RECALLED)
    by = shares.groupby(["what", "shown"], sort=False)["recalled"].mean().unstack()
    return (100 * by).round(0).add_suffix(", %").rename_axis("rule").reset_index()


PART = Part(
    __doc__,
    Digits,
    expects,
    speaks_of={"storage": ("hebb", "pseudo_inverse")},
    figures=(
        Figure(
            name="digits",
            title="Digits recalled",
            caption="What each rule makes of what is shown; of the first seed.",
            x="digit",
            y="what",
            hue="picture",
            column="shown",
            kind="pictures",
        ),
        Table(
            name="digits_recalled",
            title="Digits that are recalled",
            caption=f"Overlap above {RECALLED}, share of ten digits over all seeds.",
            build=table,
        ),
    ),
)
