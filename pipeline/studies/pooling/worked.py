"""Do convolution and pooling give what one gets by hand?"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import identity
from pipeline.study import Claim, Count, Figure, Given, Part, Row, Rows, Trial

PICTURE = ((1, 1, 1, 0, 0), (0, 1, 1, 1, 0), (0, 0, 1, 1, 1), (0, 0, 1, 1, 0), (0, 1, 1, 0, 0))
FILTER = ((1, 0, 1), (0, 1, 0), (1, 0, 1))
BY_HAND = ((4, 3, 4), (2, 4, 3), (2, 3, 4))
"""What the filter sees in the picture, added up on paper."""


class Worked(Trial):
    """All examples at once; the larger picture's pixels are the sums of their row and place."""

    side: Count
    window: Count

    def measure(self, given: Given) -> Rows:
        """Return each pixel of each picture as a row."""
        import torch
        from torch.nn.functional import avg_pool2d, conv2d, max_pool2d

        picture, kernel = (torch.tensor(of).double() for of in (PICTURE, FILTER))
        along = torch.arange(self.side).double()
        rising = along[:, None] + along
        examples = {
            "picture": picture,
            "filter": kernel,
            "convolution": conv2d(picture[None, None], kernel[None, None])[0, 0],
            "rising": rising,
            "maximum": max_pool2d(rising[None], self.window)[0],
            "mean": avg_pool2d(rising[None], self.window)[0],
        }
        for name, seen in examples.items():
            yield from _pixels(name, seen.tolist())


def _pixels(name: str, seen: list[list[float]]) -> Iterator[Row]:
    for y, row in enumerate(seen):
        for x, value in enumerate(row):
            yield {"example": name, "row": y, "place": x, "value": value}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold every digit to what was worked out by hand, without the library."""
    seen = {str(k): _square(of) for k, of in rows.groupby("example")}
    found = seen["convolution"]
    claim = "a 3×3 filter on a 5×5 picture gives the 3×3 that one adds up by hand"
    yield identity(claim, found == [list(row) for row in BY_HAND], str(found), expected=4)
    side, window = len(seen["rising"]), int(rows["window"].iloc[0])
    corners = range(0, side - window + 1, window)
    last = [[y + x + 2 * (window - 1) for x in corners] for y in corners]
    claim = f"{side}×{side} pooled by {window}×{window}: the maximum is each window's last pixel"
    yield identity(claim, seen["maximum"] == last, str(seen["maximum"]), expected=4)
    middle = [[of - (window - 1) for of in row] for row in last]
    claim = f"{side}×{side} pooled by {window}×{window}: the mean is the window's middle"
    yield identity(claim, seen["mean"] == middle, str(seen["mean"]), expected=4)


def _square(of: pd.DataFrame) -> list[list[float]]:
    """Return the pixels row by row."""
    return of.pivot_table(index="row", columns="place", values="value").to_numpy().tolist()


PART = Part(
    __doc__,
    Worked,
    expects,
    figures=tuple(
        Figure(
            name=name,
            title=title,
            caption=caption,
            x="place",
            y="row",
            hue="value",
            column="example",
            kind="heatmap",
            where={"example": examples},
        )
        for name, title, caption, examples in (
            (
                "convolution",
                "A 5×5 picture, a 3×3 filter, and what it sees",
                "Each value is the sum of the pixels under the filter's ones.",
                ("picture", "filter", "convolution"),
            ),
            (
                "windows",
                "A picture of 20×20 pooled by 10×10",
                "Each pixel is its row plus its place, from 0; maximum and mean of windows side by "
                "side.",
                ("maximum", "mean"),
            ),
        )
    ),
)
