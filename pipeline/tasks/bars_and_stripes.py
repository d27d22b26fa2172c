"""Bars and stripes: pictures of which each row is on or off, or each column, all as likely.

Of side n there are 2^(n+1) - 2 of them: all off and all on, which both ways give, count once. For
n = 3 these are 14. (Others draw the way first, so that those two are twice as likely: 16.)

References:
    MacKay (2003), Information Theory, Inference, and Learning Algorithms, chapter 43.
"""

import torch

from lightning_modules.checks import whole
from pipeline.tasks._whole import Whole


class BarsAndStripes(Whole):
    """All of them in every batch."""

    def __init__(self, seed: int, batch_size: int, held_out_size: int, side: int = 3):
        """``batch_size`` is a multiple of how many there are."""
        whole(2, side=side)
        on_NY = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * side)
        rows_NYX = on_NY[:, :, None].expand(-1, side, side)
        both_NYX = torch.cat([rows_NYX, rows_NYX.transpose(1, 2)[1:-1]])
        super().__init__(both_NYX.reshape(-1, side * side), seed, batch_size, held_out_size)
