"""Dyck-1: beginnings of balanced brackets, and after each bracket whether one is still open.

    ( ( ) ( ) ) ( …        1 1 1 1 1 0 1 …

Where nothing is open "(" alone may come, and does; otherwise "(" and ")" are as likely. To know
which brackets may come is to know whether one is open, and that is to count: the class at each
step stands for the set of those that may come, as Suzgun's targets do.

References:
    Suzgun, Gehrmann, Belinkov & Shieber (2019), LSTM networks can perform dynamic counting, ACL
        workshop on deep learning and formal languages, arXiv:1906.03648.
"""

import numpy as np
import torch
from torch.nn.functional import one_hot

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step

OPEN, CLOSE = range(2)


class Dyck1(Generated):
    """Inputs are one-hot brackets; every step counts."""

    input_size, output_size, loss = 2, 2, "cross_entropy"

    def __init__(self, seed: int, batch_size: int, length: int, held_out_size: int):
        """``held_out_size`` counts sequences of ``length`` brackets."""
        super().__init__(seed, batch_size, held_out_size)
        whole(2, length=length)
        self.length = length

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Walk from 0 on, up where 0 is."""
        coins_TB = random.integers(0, 2, (self.length, size))
        depth_B, brackets_TB = np.zeros(size, np.int64), np.empty_like(coins_TB)
        depths_TB = np.empty_like(coins_TB)
        for t, coins_B in enumerate(coins_TB):
            brackets_TB[t] = np.where(depth_B == 0, OPEN, coins_B)
            depth_B = depth_B + np.where(brackets_TB[t] == OPEN, 1, -1)
            depths_TB[t] = depth_B
        x_TBI = one_hot(torch.from_numpy(brackets_TB), 2).float()
        y_TB = torch.from_numpy((depths_TB > 0).astype(np.int64))
        start_TB = first_step(self.length, size)
        return Batch(x_TBI, y_TB, torch.ones_like(start_TB), start_TB)
