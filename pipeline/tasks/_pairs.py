"""Pairs of sequences as batches for an encoder–decoder.

Column 0 of x is the source, column 1 what the decoder is fed: BEGIN and the target; y is the target
and END; the mask is true where a target counts. Padding stands at the ends.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.interfaces import Batch

PADDING, UNKNOWN, BEGIN, END = range(4)
RESERVED = 4
"""The first token that is none of these."""
COLUMNS = 2
"""Of x."""


def batch_of(sources: Sequence[Tensor], targets: Sequence[Tensor]) -> Batch:
    """Return pairs of token sequences, without BEGIN and END, as a batch."""
    fed = [torch.cat([target.new_tensor([BEGIN]), target]) for target in targets]
    wanted = [torch.cat([target, target.new_tensor([END])]) for target in targets]
    columns = pad_sequence([*sources, *fed]).unflatten(1, (COLUMNS, len(sources)))
    x_TBI = columns.permute(0, 2, 1).contiguous()
    y_TB = pad_sequence(wanted)
    y_TB = torch.nn.functional.pad(y_TB, (0, 0, 0, len(x_TBI) - len(y_TB)))
    resets_TB = torch.zeros_like(y_TB, dtype=torch.bool)
    resets_TB[0] = True
    return Batch(x_TBI, y_TB, y_TB != PADDING, resets_TB)
