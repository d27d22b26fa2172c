"""A call of a torch.nn recurrent layer: its arguments, and the gradients that came back to it.

Arguments are noted at the call, since weights, modes and states may have changed by the backward
pass. The returned tensors are not kept: the hooks on them refer to this note, so they would keep
each other alive for ever.
"""

from collections.abc import Mapping
from typing import Any, final

import torch
from torch import Tensor, nn

from lightning_modules.interfaces import Cell, Credit, Run
from lightning_modules.norms import norm
from lightning_modules.probes._seen import Passage
from lightning_modules.training.torch_layers import Weights, joint


def outputs(output: Any) -> tuple[Tensor, ...] | None:
    """Return what a layer returned side by side: the h of all steps, the last h, the last c.

    None where it is something else, as of a layer whose forward is a user's own.
    """
    match output:
        case (Tensor() as h, Tensor() as last):
            return h, last
        case (Tensor() as h, (Tensor() as last, Tensor() as c)):
            return h, last, c
    return None


@final
class Call:
    """One call."""

    def __init__(
        self,
        net: nn.RNNBase,
        weights: Weights,
        x: Tensor,
        start: Any,
        returned: tuple[Tensor, ...],
    ):
        """Note the call; ``start`` is None, h, or h and c."""
        self.weights = weights
        self._batched, self._batch_first = x.dim() == 3, net.batch_first
        starts = () if start is None else start if isinstance(start, tuple) else (start,)
        self.x, self._starts = x.detach(), tuple(part.detach() for part in starts)
        self._versions = [part._version for part in (self.x, *self._starts)]
        self._last = [part.shape for part in returned[1:]]
        self._first = self._steps_first(returned[0].detach())[0].clone()
        # Of a view that is written to, autograd forgets the node that the hook is at.
        self._views = [
            (place, part.detach(), part._version)
            for place, part in enumerate(returned)
            if part._is_view()
        ]

    @property
    def changed(self) -> str:
        """What was written to since, input or weights; empty where nothing was."""
        if [part._version for part in (self.x, *self._starts)] != self._versions:
            return "input"
        return "weights" if self.weights.changed else ""

    def lost(self, back: Mapping[int, Tensor]) -> bool:
        """Tell whether more error than ``back`` may have come, lost since a view was written to."""
        return any(
            place not in back and part._version != version for place, part, version in self._views
        )

    @torch.no_grad()
    def passage(self, cell: Cell, back: Mapping[int, Tensor]) -> Passage | None:
        """Return the passage of the call's steps, in the cell's type.

        ``back`` holds the gradients of the returned tensors, by place. None where the cell's h
        differs from the returned one at the first step; at later steps rounding would add up.
        """
        like = next(cell.parameters())
        x_TBI = self._steps_first(self.x).to(like.dtype)
        T, B, _ = x_TBI.shape
        if self._starts:
            s_BS = joint(self._starts, B).to(like.dtype)
        else:
            s_BS = x_TBI.new_zeros(B, cell.state_size)
        c_TBS = x_TBI.new_zeros(T, B, cell.state_size)
        if 0 in back:
            c_TBS[..., : cell.hidden_size] += self._steps_first(back[0])
        ends = [
            back[place] if place in back else x_TBI.new_zeros(shape)
            for place, shape in enumerate(self._last, 1)
        ]
        c_TBS[-1] += joint(tuple(ends), B)
        path = cell.follow(x_TBI, s_BS)
        h_BH = path.states_TBS[0, :, : cell.hidden_size]
        allowed = max(0.01, 16 * torch.finfo(self._first.dtype).eps)
        if norm(h_BH - self._first.to(h_BH.dtype)) > allowed * norm(h_BH):
            return None
        u_TBZ, total_TBS = path.sweep(c_TBS)
        run = Run(path.gradient(u_TBZ), path.states_TBS[-1], None, path, total_TBS)
        return Passage(cell, x_TBI, s_BS, None, run, _Given(c_TBS), 1, given_TBS=c_TBS)

    def _steps_first(self, v: Tensor) -> Tensor:
        """Return v as (T, B, …)."""
        if not self._batched:
            return v.unsqueeze(1)
        return v.transpose(0, 1) if self._batch_first else v


class _Given:
    """Losses of which only the derivative by each state is known."""

    def __init__(self, c_TBS: Tensor):
        self._c_TBS = c_TBS

    def direct(self, samples: slice, states_TBS: Tensor) -> Tensor:
        """Return it."""
        del states_TBS
        return self._c_TBS[:, samples]

    def credit(self, samples: slice) -> Credit:
        """Return it, step by step."""
        return lambda t, s_BS: self._c_TBS[t, samples]

    def counted(self, samples: slice) -> int:
        """Return 1: L is whatever was differentiated."""
        del samples
        return 1

    def loss(self, samples: slice, h_TBH: Tensor, shift_P: Tensor) -> Tensor:
        """Raise ValueError: no value is known."""
        raise ValueError("the loss of a watched model is not known: use a learner")
