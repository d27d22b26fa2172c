"""A unit-wise cell's steps: exact first derivatives without an autograd graph.

    u_g  = Σ_k v_k C_kg                         credit on the pre-activations
    v'_j = Σ_k v_k E_kj + [j = 0] u W           credit on the state before, h being its block 0
    J    = E + C W                              the same as a matrix
    dL/dU = Σ u ⊗ x        dL/dW = Σ u ⊗ h        dL/db = Σ u

k and j number the blocks of the state, g those of z, each with one entry a unit.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.cells._factored import sweep_factored
from lightning_modules.cells._kernels import jacobians, pull_back, sweep, within
from lightning_modules.cells._layout import Layout
from lightning_modules.cells._steps import Fresh, Steps
from lightning_modules.interfaces import Trajectory


@final
class UnitwiseTrajectory(Trajectory):
    """Steps of a unit-wise cell, fresh from ``follow`` or joined into a record."""

    def __init__(
        self,
        layout: Layout,
        storage: Steps | Fresh,
        bounds: tuple[int, int],
        weights: list[Tensor],
        states_TBS: Tensor,
        owned: bool = False,
    ):
        """Take the steps between ``bounds`` of ``storage``, ``owned`` if it may be written to."""
        self._layout, self._given, self._bounds = layout, storage, bounds
        self._weights, self._owned = weights, owned
        self._fresh = storage if isinstance(storage, Fresh) else None
        self.states_TBS = states_TBS
        self.pre_activations, self.parameters = layout.pre_activations, layout.parameters

    @property
    def _storage(self) -> Steps:
        """The whole storage, with room before and behind these steps."""
        if isinstance(self._given, Fresh):
            self._given = self._given.steps()
        return self._given

    @property
    def _steps(self) -> Steps:
        """The steps alone."""
        whole = self._bounds == (0, len(self._storage.x_TBI))
        return self._storage if whole else self._storage.part(*self._bounds)

    @property
    def resets_TB(self) -> Tensor | None:  # noqa: N802
        """Which samples were reset before which step."""
        reset_TB1 = self._given.reset_TB1
        return None if reset_TB1 is None else reset_TB1[self._span(0, len(self)), :, 0]

    def _span(self, first: int, count: int) -> slice:
        """Return where ``count`` steps from ``first`` on lie in the storage."""
        return slice(self._bounds[0] + first, self._bounds[0] + first + count)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the storage whole, so that views stay aligned as they are."""
        return {**self.__dict__, "_given": self._storage, "_fresh": None}

    def __len__(self) -> int:
        """Count the steps."""
        return self._bounds[1] - self._bounds[0]

    def sweep(self, c_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Back-propagate: credits on every z and on every state."""
        (given, B, S), T, fresh = c_TBS.shape, len(self), self._given
        u_TBZ, v_TBS = c_TBS.new_empty(T, B, self.pre_activations), c_TBS.new_empty(T + 1, B, S)
        v_TBS[: T - given + 1] = 0
        v_TBS[T - given + 1 :] = c_TBS
        if isinstance(fresh, Fresh) and (factors := fresh.cell.factors(*fresh.around)) is not None:
            sweep_factored(factors, self._weights[0], fresh.reset_TB1, u_TBZ, v_TBS)
        else:
            sweep(self._layout, self._steps, self._weights, u_TBZ, v_TBS)
        return u_TBZ, v_TBS

    def pull(self, v_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Pull each step's row back through that step alone."""
        lay, (T, B, _), steps = self._layout, v_TBS.shape, self._steps
        u_TBZ = v_TBS.new_empty(T, B, lay.pre_activations)
        W_TZH = self._weights[0]
        if any(W is not W_TZH for W in self._weights):
            W_TZH = torch.stack(self._weights)
        before_TBS = torch.zeros_like(v_TBS)
        pull_back(
            v_TBS.split(lay.hidden, dim=-1),
            steps.C_TBKGH.permute(2, 3, 0, 1, 4),
            steps.E_TBKJH.permute(3, 2, 0, 1, 4),
            W_TZH,
            u_TBZ.unflatten(-1, (-1, lay.hidden)).permute(2, 0, 1, 3),
            u_TBZ[..., lay.recurrent_rows],
            steps.reset_TB1,
            lay.held.start,
            before_TBS.split(lay.hidden, dim=-1),
        )
        return u_TBZ, before_TBS

    def jacobians(self, first: int, into_TBSS: Tensor) -> None:
        """Write E + C W of the steps from ``first`` on."""
        (_, _, C_TBKGH, E_TBKJH, reset_TB1), T = self._storage, len(into_TBSS)
        span, weights = self._span(first, T), self._weights[first : first + T]
        jacobians(self._layout, C_TBKGH[span], E_TBKJH[span], weights, into_TBSS)
        if reset_TB1 is not None:
            into_TBSS.masked_fill_(reset_TB1[span].unsqueeze(-1), 0)

    def within(self) -> tuple[Tensor, Tensor]:
        """Return E, and Σ_g C_g W_g on the diagonals of W."""
        return within(self._layout, self._steps, self._weights)

    def gates(self) -> dict[str, Tensor]:
        """Return the cell's gates; none unless these are the very steps that ``follow`` made."""
        return {} if self._fresh is None else self._fresh.cell.gates(*self._fresh.around)

    def immediate(self, v_TBRS: Tensor, first: int = 0, into_TBRZ: Tensor | None = None) -> Tensor:
        """Return v C for R rows at each of the steps from ``first`` on."""
        T, B, R, _ = v_TBRS.shape
        K, H = self._layout.state_blocks, self._layout.hidden
        if into_TBRZ is None:
            into_TBRZ = v_TBRS.new_empty(T, B, R, self.pre_activations)
        C_TBKGH = self._storage.C_TBKGH[self._span(first, T)]
        u_TBRGH = into_TBRZ.unflatten(-1, (-1, H))
        if K == 1:  # its axis serves as that of the rows
            torch.mul(v_TBRS.unsqueeze(3), C_TBKGH, out=u_TBRGH)
            return into_TBRZ
        v_KTBR1H = v_TBRS.unflatten(-1, (-1, 1, H)).unbind(3)
        C_KTB1GH = C_TBKGH.unsqueeze(2).unbind(3)
        torch.mul(v_KTBR1H[0], C_KTB1GH[0], out=u_TBRGH)
        for v_TBR1H, C_TB1GH in zip(v_KTBR1H[1:], C_KTB1GH[1:], strict=True):
            u_TBRGH.addcmul_(v_TBR1H, C_TB1GH)
        return into_TBRZ

    def inject(self, t: int, m_BSP: Tensor) -> None:
        """Add step t's immediate influence, which is nonzero on the diagonal of units alone."""
        lay, H, steps = self._layout, self._layout.hidden, self._steps
        for k, C_BGH in enumerate(steps.C_TBKGH[t].unbind(1)):
            m_BHP, C_BG1H = m_BSP[:, k * H : (k + 1) * H], C_BGH.unsqueeze(2)
            for map_, a_TBA in zip(lay.maps, steps[:2], strict=True):
                m_BHGHA = m_BHP[..., map_.of].unflatten(-1, (-1, H, a_TBA.shape[-1]))
                m_BGAH = m_BHGHA.diagonal(dim1=1, dim2=3)
                m_BGAH.addcmul_(C_BG1H[:, map_.blocks], a_TBA[t, :, None, :, None])
            m_BHP[..., lay.of_b].unflatten(-1, (-1, H)).diagonal(dim1=1, dim2=3).add_(C_BGH)

    def accumulate(self, u_TBRZ: Tensor, first: int, m_BRP: Tensor) -> None:
        """Add R parameter gradients to m; rows or samples, whichever are fewer, take turns."""
        (T, B, R, _), maps = u_TBRZ.shape, zip(self._layout.maps, self._storage[:2], strict=True)
        in_turn = (2, 1, 3, 0) if R < B else (1, 2, 3, 0)
        u_NMZT, m_NMP = u_TBRZ.permute(in_turn), m_BRP.transpose(0, 1) if R < B else m_BRP
        for map_, a_TBA in maps:
            a_BTA = a_TBA[self._span(first, T)].transpose(0, 1)
            for n, (u_MZT, m_MP) in enumerate(zip(u_NMZT, m_NMP, strict=True)):
                m_MZA = m_MP[:, map_.of].unflatten(-1, map_.shape)
                a_MTA = a_BTA if R < B else a_BTA[n].expand(R, -1, -1)
                m_MZA.baddbmm_(u_MZT[:, map_.rows], a_MTA)
        m_BRP[..., self._layout.of_b] += u_TBRZ.sum(0)

    def gradient(self, u_TBZ: Tensor) -> Tensor:
        """Return the parameter gradient: one product for U, one for W, and a sum for b."""
        lay, u_NZ, span = self._layout, u_TBZ.flatten(0, 1), self._span(0, len(self))
        g_P = u_TBZ.new_empty(lay.parameters)
        *of_maps, of_b = g_P.split(lay.sizes)
        for map_, a_TBA, of in zip(lay.maps, self._given[:2], of_maps, strict=True):
            of_NZ = u_NZ if map_.rows == lay.all_rows else u_NZ[:, map_.rows]
            torch.mm(of_NZ.t(), a_TBA[span].flatten(0, 1), out=of.view(map_.shape))
        torch.sum(u_NZ, 0, out=of_b)
        return g_P

    def part(self, first: int, last: int) -> "UnitwiseTrajectory":
        """Return some steps, sharing storage; the last ones, or none, may still write behind it."""
        start, stop = self._bounds
        return UnitwiseTrajectory(
            self._layout,
            self._storage,
            (start + first, start + last),
            self._weights[first:last],
            self.states_TBS[first:last],
            self._owned and (start + last == stop or first == last),
        )

    def without(self, gone_TB: Tensor) -> "UnitwiseTrajectory":
        """Return these steps in storage of its own; those that are gone hold zeros."""
        steps, bounds = self._steps.without(gone_TB), (0, len(self))
        return UnitwiseTrajectory(
            self._layout, steps, bounds, self._weights, self.states_TBS, owned=True
        )

    def followed_by(self, then: Trajectory) -> "UnitwiseTrajectory":
        """Return these steps and the ones after in storage of its own, which grows by doubling."""
        assert isinstance(then, UnitwiseTrajectory)
        storage, (start, last) = self._storage, self._bounds
        stop = last + len(then)
        if not self._owned or stop > len(storage.x_TBI):
            storage = self._steps.grown(2 * (stop - start))
            start, last, stop = 0, last - start, stop - start
        storage = storage.write(last, then._steps)
        weights, none = self._weights + then._weights, self.states_TBS.new_empty(0)
        return UnitwiseTrajectory(self._layout, storage, (start, stop), weights, none, True)
