"""Grey pictures as text, so that a row can hold one and a page can show it: 16 shades, two a byte.

The text is ``<rows>x<columns>:<base64 of the shades, row by row>``.
"""

import base64
from typing import Any

import numpy as np

SHADES = 16


def packed(x_YX: Any) -> str:
    """Return a picture, (Y, X) numbers from 0 to 1 (others are clipped), as text."""
    shades_YX = np.rint(np.clip(np.asarray(x_YX, dtype=float), 0, 1) * (SHADES - 1))
    flat = shades_YX.astype(np.uint8).flatten()
    pairs = np.append(flat, np.zeros(len(flat) % 2, np.uint8)).reshape(-1, 2)
    text = base64.b64encode((pairs[:, 0] * SHADES + pairs[:, 1]).tobytes()).decode()
    Y, X = shades_YX.shape
    return f"{Y}x{X}:{text}"


def unpacked(text: str) -> np.ndarray:
    """Return the picture in a text made by ``packed``, (Y, X) bytes; ValueError for other texts."""
    size, _, shades = text.partition(":")
    Y, X = map(int, size.split("x"))
    pairs = np.frombuffer(base64.b64decode(shades, validate=True), np.uint8)
    flat = np.stack([pairs // SHADES, pairs % SHADES], axis=1).flatten()
    if len(flat) - Y * X not in (0, 1):
        raise ValueError(f"a picture of {Y}x{X} has {Y * X} shades, not {len(flat)}")
    return (flat[: Y * X] * (255 // (SHADES - 1))).reshape(Y, X)
