"""Pictures as text in rows, and as pictures in pages."""

import base64
import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.measuring.pictures import SHADES, packed, unpacked
from pipeline.reporting.exhibits import exhibit
from pipeline.reporting.figures import draw, hidden
from pipeline.study import Figure

GRID = Figure("grid", "Grid", "All.", "copy", "digit", hue="picture", column="by", kind="pictures")


@pytest.mark.parametrize("shape", [(3, 2), (1, 1), (5, 3), (28, 28)])
def test_a_picture_comes_back_from_its_text_to_a_shade(shape: tuple[int, int]) -> None:
    x_YX = np.random.default_rng(0).random(shape)
    back_YX = unpacked(packed(x_YX))
    assert back_YX.shape == shape
    assert np.abs(back_YX / 255 - x_YX).max() <= 0.5 / (SHADES - 1) + 1e-12


def test_what_is_beyond_black_and_white_is_cut_off() -> None:
    assert unpacked(packed([[-3.0, 0.0], [1.0, 7.0]])).tolist() == [[0, 0], [255, 255]]


def test_a_text_that_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="a picture of 3x3 has 9 shades, not 4"):
        unpacked(packed(np.zeros((2, 2))).replace("2x2", "3x3"))


def rows() -> pd.DataFrame:
    """Return two panels of 3 × 2 pictures by two seeds, one of which lacks one."""
    return pd.DataFrame(
        {"by": by, "digit": digit, "copy": copy, "seed": seed}
        | {"picture": packed(np.full((2, 3), (digit + copy + seed) / 9))}
        for seed in (0, 1)
        for by in ("one", "other")
        for digit in (0, 1, 2)
        for copy in (0, 1)
        if (seed, by, digit) != (1, "one", 2)
    )


def test_a_grid_shows_the_first_picture_of_each_cell_and_counts_what_is_missing() -> None:
    drawn = draw(GRID, rows())
    told = json.loads(drawn.chart)["spec"]["data"]["values"]
    assert len(told) == 2 * 3 * 2
    (cell,) = [r for r in told if (r["x"], r["y"], r["_column"]) == (1, 2, "by: one")]
    kind, _, data = cell["url"].partition("base64,")
    assert kind == "data:image/png;"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert pixels.shape == (2, 3)
    assert set(pixels.flatten()) == {round(3 / 9 * 15) * 17}
    assert len([of for of in ET.fromstring(drawn.svg).iter() if of.tag.endswith("image")]) == 12
    assert drawn.png.startswith(b"\x89PNG")
    lost = rows().assign(picture=lambda r: r["picture"].where(r["copy"] == 0))
    assert hidden(GRID, lost) == 6


def test_a_page_calls_pictures_pictures() -> None:
    shown = exhibit(GRID, rows())
    assert shown.alt.startswith("Pictures: digit against copy")
    assert shown.numbers == {"pictures": 22}
