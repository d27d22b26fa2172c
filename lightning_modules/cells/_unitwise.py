"""What every cell of affine maps and a unit-wise update has in common.

    z  = b,  z[input_rows] += U x,  z[recurrent_rows] += W h       h = s[:, :H]
    s' = update(z, s)

z is made of G blocks of H rows and s of K blocks, each with one entry a unit. A cell gives
``update`` and the rows; the rest follows. For speed it may also give ``advance``, the update in
place, and ``derivatives`` in closed form.

    C_kg = ds'_k/dz_g        E_kj = ds'_k/ds_j at fixed z        (one number for each unit)

E is kept for the blocks j in ``held`` alone, those that s' depends on other than through z.
"""

import abc
from typing import ClassVar

import torch
from torch import Tensor, nn

from lightning_modules.cells._factored import Factors
from lightning_modules.cells._layout import Layout
from lightning_modules.cells._steps import Fresh
from lightning_modules.cells._trajectory import UnitwiseTrajectory
from lightning_modules.interfaces import Cell, Trajectory


class UnitwiseCell(Cell):
    """A cell with parameters U (Zx, I), W (Zh, H) and b (Z), in this order.

    All start uniform in ±1/sqrt(H), as torch.nn's recurrent layers do.
    """

    held: ClassVar[slice]
    """The blocks of s that s' depends on other than through z."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        state_blocks: int,
        blocks: int,
        input_blocks: slice,
        recurrent_blocks: slice,
    ):
        """Lay out K ``state_blocks`` and G ``blocks`` of z, of which some get U x and some W h."""
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if size < 1:
                raise ValueError(f"{name} is {size}: it must be at least 1")
        self.layout = lay = Layout(
            input_size,
            hidden_size,
            state_blocks,
            blocks,
            input_blocks,
            recurrent_blocks,
            self.held,
        )
        self.input_size, self.hidden_size, self.state_size = input_size, hidden_size, lay.state_size
        self.U, self.W, self.b = (nn.Parameter(torch.empty(shape)) for shape in lay.shapes)
        for weights in self.parameters():
            nn.init.uniform_(weights, -(hidden_size**-0.5), hidden_size**-0.5)

    @property
    def input_rows(self) -> slice:
        """The rows of z that U x enters."""
        return self.layout.input_rows

    @property
    def recurrent_rows(self) -> slice:
        """The rows of z that W h enters."""
        return self.layout.recurrent_rows

    @abc.abstractmethod
    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return s', unit i of which depends on unit i of z and s alone; any leading shape."""

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write s' to ``next_BS``; z may be overwritten with what ``derivatives`` then needs."""
        next_BS.copy_(self.update(z_BZ, s_BS))

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C, (B, K, G, H), and the held part of E, (B, K, J, H); any leading shape."""
        del next_BS
        C_BKGH, E_BKKH = self.derivatives_by_autograd(z_BZ, s_BS)
        return C_BKGH, E_BKKH[..., self.held, :]

    def factors(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> Factors | None:
        """Return a shorter form of what ``derivatives`` returns; None if there is none."""
        return None

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates by name, (B, H) each, from what ``advance`` left; none by default."""
        return {}

    def derivatives_by_autograd(self, z_BZ: Tensor, s_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and all of E by one product with ones for each block k of s'.

        A sum over units loses nothing, since each unit of s' depends on its own z and s alone.
        """
        H = self.hidden_size
        with torch.enable_grad():
            point = z_BZ.detach().requires_grad_(), s_BS.detach().requires_grad_()
            totals = [block.sum() for block in self.update(*point).split(H, dim=-1)]
            rows = [
                torch.autograd.grad(total, point, retain_graph=True, materialize_grads=True)
                for total in totals
            ]
        C, E = (torch.stack(by_k, dim=-2) for by_k in zip(*rows, strict=True))
        return C.unflatten(-1, (-1, H)), E.unflatten(-1, (-1, H))

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Return the next state, (B, S)."""
        return self.update(self._pre_activations(x_BI, s_BS), s_BS)

    def _pre_activations(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Return z, (B, Z), out of place."""
        Z = self.b.shape[0]
        of_x, of_h = self.input_rows, self.recurrent_rows
        z_x = nn.functional.linear(x_BI, self.U)
        z_h = nn.functional.linear(s_BS[..., : self.hidden_size], self.W)
        z_x = nn.functional.pad(z_x, (of_x.start, Z - of_x.stop))
        return self.b + z_x + nn.functional.pad(z_h, (of_h.start, Z - of_h.stop))

    def _follow(self, x_TBI: Tensor, s_BS: Tensor, resets_TB: Tensor | None) -> Trajectory:
        """Run T steps: one product for all inputs, then a small one and the update in each."""
        if len(x_TBI) == 1 and resets_TB is None:
            return self._follow_one(x_TBI, s_BS)
        T, H, lay, z_TBZ = len(x_TBI), self.hidden_size, self.layout, self._of_inputs(x_TBI)
        W, z_T, of_h = self.W.clone(), z_TBZ.unbind(), lay.recurrent_rows
        W_HZ, into_T = W.t(), z_T if of_h == lay.all_rows else z_TBZ[..., of_h].unbind()
        all_TBS, zero = s_BS.new_empty(T + 1, *s_BS.shape), s_BS.new_zeros(())
        reset_TB1 = None if resets_TB is None else resets_TB.unsqueeze(-1)
        all_TBS[0] = s_BS
        past_TBS, states_TBS, all_T = all_TBS[:-1], all_TBS[1:], all_TBS.unbind()
        past_T = all_T[:-1]
        if reset_TB1 is not None:
            past_TBS = past_TBS.clone()
            past_T = past_TBS.unbind()
        h_TBH = past_TBS if self.state_size == H else past_TBS[..., :H]
        h_T = past_T if h_TBH is past_TBS else h_TBH.unbind()
        for t, past_BS in enumerate(past_T):
            if reset_TB1 is not None:
                torch.where(reset_TB1[t], zero, all_T[t], out=past_BS)
            into_T[t].addmm_(h_T[t], W_HZ)
            self.advance(z_T[t], past_BS, all_T[t + 1])
        steps = Fresh(x_TBI, h_TBH, reset_TB1, self, (z_TBZ, past_TBS, states_TBS))
        return UnitwiseTrajectory(lay, steps, (0, T), [W] * T, states_TBS)

    def _follow_one(self, x_1BI: Tensor, s_BS: Tensor) -> Trajectory:
        """Run a step with as few calls of torch as possible: they are what a small cell costs."""
        H, lay, z_1BZ, W = self.hidden_size, self.layout, self._of_inputs(x_1BI), self.W.clone()
        past_1BS, next_1BS, z_BZ = s_BS.unsqueeze(0), s_BS.new_empty(1, *s_BS.shape), z_1BZ[0]
        h_1BH = past_1BS if self.state_size == H else past_1BS[..., :H]
        of_h_BZ = z_BZ if lay.recurrent_rows == lay.all_rows else z_BZ[..., lay.recurrent_rows]
        of_h_BZ.addmm_(h_1BH[0], W.t())
        self.advance(z_BZ, s_BS, next_1BS[0])
        steps = Fresh(x_1BI, h_1BH, None, self, (z_1BZ, past_1BS, next_1BS))
        return UnitwiseTrajectory(lay, steps, (0, 1), [W], next_1BS)

    def _of_inputs(self, x_TBI: Tensor) -> Tensor:
        """Return z without the recurrent part, (T, B, Z)."""
        if self.U is self.W:
            raise ValueError("U is W: a cell needs weights of its own for x and for h")
        x_NI, of_x, leading = x_TBI.flatten(0, 1), self.layout.input_rows, x_TBI.shape[:-1]
        if of_x == self.layout.all_rows:
            return torch.addmm(self.b, x_NI, self.U.t()).unflatten(0, leading)
        z_NZ = self.b.expand(len(x_NI), -1).clone()
        z_NZ[:, of_x].addmm_(x_NI, self.U.t())
        return z_NZ.unflatten(0, leading)
