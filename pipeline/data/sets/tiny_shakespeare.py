"""Tiny Shakespeare: 1,115,394 characters of the plays, 65 distinct, in one file.

There is no official split; it is cut in order, 90 % / 5 % / 5 %, for training, validation, testing.

References:
    Karpathy (2015), char-rnn, https://github.com/karpathy/char-rnn.
"""

from pathlib import Path

import numpy as np
import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, Text


class TinyShakespeare(Dataset[Text]):
    """The file as published, or another text in its place."""

    def read(self, folder: Path, provenance: Provenance) -> Text:
        """Return the text; its alphabet is the sorted characters of all three parts."""
        path = folder / "input.txt"
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"byte {error.start} is {error.object[error.start]:#04x}"
            raise BadFileError(f"{path}: not UTF-8, {found}") from None
        points_N = np.frombuffer(text.encode("utf-32-le"), "<u4")
        alphabet, ids_N = np.unique(points_N, return_inverse=True)
        if len(ids_N) < 20:
            raise BadFileError(f"{path}: {len(ids_N)} characters, too few to be cut in three")
        cuts = [len(ids_N) * 90 // 100, len(ids_N) * 95 // 100]
        train_N, valid_N, test_N = torch.from_numpy(ids_N.astype(np.int64)).tensor_split(cuts)
        return Text(train_N, valid_N, test_N, "".join(map(chr, alphabet)), provenance)
