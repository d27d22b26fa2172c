"""The loop that every algorithm shares which carries influence forward and never looks back."""

import abc
from typing import Any

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.interfaces import Algorithm, Cell, Credit, Run, Trajectory


class OnlineAlgorithm(Algorithm):
    """An algorithm of one step: its memory is all that it knows of the past."""

    @abc.abstractmethod
    def start(self, path: Trajectory, s_BS: Tensor, parameters: int) -> Any:
        """Return the memory before the first step; the arguments give sizes and dtype only."""

    @abc.abstractmethod
    def advance(self, memory: Any, path: Trajectory, t: int, c_BS: Tensor) -> tuple[Any, Tensor]:
        """Take step t: return the memory after it, and its share of the gradient, (P,)."""

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Any = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Take the steps one by one and add up their shares."""
        path = cell.follow(x_TBI, s_BS, resets_TB)
        if memory is None:
            memory = self.start(path, s_BS, sum(w.numel() for w in cell.parameters()))
        total_P: Tensor | None = None
        for t, c_BS in enumerate(credits_of(credit, path.states_TBS).unbind()):
            memory, share_P = self.advance(memory, path, t, c_BS)
            total_P = share_P if total_P is None else total_P.add_(share_P)
        assert total_P is not None
        return Run(total_P, path.states_TBS[-1].clone(), memory)
