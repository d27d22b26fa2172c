"""The encoder: one of n units is on, and so is the unit of the same number in a second group.

All n such states of 2 n units are as likely. Whoever tells the one group from the other through
fewer hidden units than n has to find a code; log₂ n units suffice.

References:
    Ackley, Hinton & Sejnowski (1985), A learning algorithm for Boltzmann machines, Cognitive
        Science 9: 4-2-4, 8-3-8 and 40-10-40.
"""

import torch

from lightning_modules.checks import whole
from pipeline.tasks._whole import Whole


class Encoder(Whole):
    """All states in every batch."""

    def __init__(self, seed: int, batch_size: int, held_out_size: int, units: int = 8):
        """``batch_size`` is a multiple of ``units``, n."""
        whole(2, units=units)
        one_NI = torch.eye(units)
        super().__init__(torch.cat([one_NI, one_NI], 1), seed, batch_size, held_out_size)
