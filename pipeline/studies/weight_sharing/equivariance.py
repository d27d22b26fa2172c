"""Does what a layer sees of a picture move with the picture?

A digit is moved by as many pixels as filters are apart, so that what a filter saw its neighbour
should see now. ``off`` is the largest distance between what is seen of the moved picture and what
was seen, moved, over the largest of both, in float64, before training. The dense layer's units
stand in the same places as the filters; digits are so far from the edges that nothing is lost.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd

from lightning_modules.networks import NETWORKS
from pipeline.measuring.evidence import above, exact
from pipeline.measuring.training import DataSet
from pipeline.study import Claim, Count, Given, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

FORMS = "shared", "local", "dense"
EXACT, FAR = 1e-12, 0.01


class MovedPictures(Trial):
    """One layer as it was drawn, and how many digits it sees."""

    dataset: DataSet
    form: Annotated[str, named(FORMS)]
    network: Annotated[str, named(NETWORKS)]
    maps: Count
    size: Count
    stride: Count
    pictures: Count

    def measure(self, given: Given) -> Rows:
        """Return how far the layer is from moving with the picture."""
        import torch
        from torch.nn.functional import pad

        from lightning_modules.networks._pictures import positions

        torch.manual_seed(self.seed)
        digits = given.data[self.dataset]
        there = len(digits.test_x_NHW)
        moved = digits.provenance.as_many(there, "held-out pictures", pictures=self.pictures)
        digits_NYX = digits.test_x_NHW[:moved].double() / 255
        x_NYX = pad(digits_NYX, [self.size] * 4)
        shape_CYX = 1, x_NYX.shape[1], x_NYX.shape[2]
        places = positions(shape_CYX, self.size, self.stride)
        layer = self._layer(shape_CYX, places).double()

        def seen(moved_NYX: "Tensor") -> "Tensor":
            of = moved_NYX.flatten(1) if self.form == "dense" else moved_NYX.unsqueeze(1)
            return layer(of).reshape(len(of), self.maps, *places)

        with torch.no_grad():
            before, after = seen(x_NYX), seen(x_NYX.roll(self.stride, -1))
        distance = (after[..., 1:] - before[..., :-1]).abs().max()
        return {"off": float(distance / torch.stack([after, before]).abs().max())}

    def _layer(self, shape_CYX: tuple[int, int, int], places: tuple[int, int]) -> Any:
        """Return the layer below all others."""
        kind = NETWORKS[self.network]
        if self.form == "dense":
            units = self.maps * math.prod(places)
            return next(kind(math.prod(shape_CYX), 1, [units]).children())
        return kind(shape_CYX, 1, maps=self.maps, size=self.size, stride=self.stride).filters


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the shared form to exactness, the others to its absence."""
    by = {str(form): seen["off"] for form, seen in rows.set_index("seed").groupby("form")}
    if "shared" in by:
        claim = f"what shared filters see moves with the picture ({EXACT:g})"
        yield exact(claim, by["shared"].max(), EXACT, expected=5)
    for form in ("local", "dense"):
        if form in by:
            claim = f"what {form} units see does not (off by more than {FAR:g})"
            yield above(claim, by[form], FAR, expected=5)


PART = Part(
    __doc__,
    MovedPictures,
    expects,
    figures=(
        Table(
            name="equivariance",
            title="How far from moving with the picture",
            caption="The largest distance over the largest value, the worst of all seeds.",
            build=lambda rows: rows.groupby("form", sort=False)["off"].max().reset_index(),
        ),
    ),
)
