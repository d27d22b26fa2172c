"""A unit-wise cell's steps: the exact first-order behaviour without a graph or a dense Jacobian.

    u_g  = Σ_k v_k C_kg                         credit on the pre-activations
    v'_j = Σ_k v_k E_kj + [j = 0] u W           credit on the state before, h being its block 0
    dL/dU = Σ u ⊗ x        dL/dW = Σ u ⊗ h        dL/db = Σ u

K and J are blocks of the state, G blocks of z, each with one entry a unit.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lightning_modules.interfaces import Trajectory


class Layout(NamedTuple):
    """How a unit-wise cell's state and pre-activations are laid out."""

    inputs: int
    hidden: int
    state_blocks: int
    blocks: int
    input_rows: slice
    recurrent_rows: slice
    held: slice
    """The blocks j of the state for which E_kj is kept; it is zero for the others."""

    def of_parameters(self) -> tuple[slice, slice, slice]:
        """Return where U, W and b lie in the flat parameters."""
        first = (self.input_rows.stop - self.input_rows.start) * self.inputs
        second = first + (self.recurrent_rows.stop - self.recurrent_rows.start) * self.hidden
        return slice(0, first), slice(first, second), slice(second, None)


class Step(NamedTuple):
    """One step's derivatives, cut into views that a backward pass uses as they are."""

    C: list[Tensor]
    """For each k, (B, 1, G, H)."""
    E: list[list[Tensor]]
    """For each held j, for each k, (B, 1, 1, H)."""
    keep: Tensor | None
    """0 for a sample that was reset before the step, else 1: (B, 1, 1, 1). None where all are 1."""
    W: Tensor


class UnitwiseTrajectory(Trajectory):
    """Steps of a unit-wise cell, fresh from ``follow`` or joined into a record."""

    def __init__(
        self,
        layout: Layout,
        storage: tuple[Tensor, Tensor],
        bounds: tuple[int, int],
        steps: Sequence[Step] | Callable[[], Sequence[Step]],
        states_TBS: Tensor,
        owned: bool = False,
    ):
        """Take the inputs and the h before each step from ``storage``, between ``bounds``.

        ``steps`` may be a function: whoever wants the states alone never pays for derivatives.
        ``owned`` says that the storage is this record's own and may be written to behind it.
        """
        self._layout, self._storage, self._bounds, self._owned = layout, storage, bounds, owned
        self._given, self.states_TBS = steps, states_TBS
        self.pre_activations = layout.blocks * layout.hidden

    @cached_property
    def _steps(self) -> Sequence[Step]:
        """The derivatives of each step."""
        return self._given() if callable(self._given) else self._given

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: plain tensors, the storage whole so that it stays aligned."""
        return {**self.__dict__, "_given": self._steps}

    def __len__(self) -> int:
        """Count the steps."""
        return self._bounds[1] - self._bounds[0]

    def _inputs(self) -> tuple[Tensor, Tensor]:
        """Return x, (T, B, I), and the h before each step, (T, B, H)."""
        x, h = self._storage
        return x[slice(*self._bounds)], h[slice(*self._bounds)]

    def sweep(self, c_TBRS: Tensor) -> tuple[Tensor, Tensor]:
        """Back-propagate R rows: credits on all pre-activations and on the state before."""
        lay, T, given = self._layout, len(self), len(c_TBRS)
        B, R = c_TBRS.shape[1:3]
        u_TBRZ = c_TBRS.new_empty(T, B, R, self.pre_activations)
        u_T = u_TBRZ.view(T, B, R, lay.blocks, lay.hidden).unbind()
        of_h_T = u_TBRZ.view(T, B * R, -1)[..., lay.recurrent_rows].unbind()
        c_T = _cut(c_TBRS, lay.hidden)
        v, steps = c_T[-1], self._steps
        for t in range(T - 1, -1, -1):
            before = t - 1 - T + given
            v = _pull(steps[t], v, u_T[t], of_h_T[t], c_T[before] if before >= 0 else None, lay)
        return u_TBRZ, torch.cat(v, dim=-1).squeeze(2) if len(v) > 1 else v[0].squeeze(2)

    def pull(self, t: int, v_BRS: Tensor) -> tuple[Tensor, Tensor]:
        """Pull R row vectors back through step t."""
        u_TBRZ, v_BRS = self.part(t, t + 1).sweep(v_BRS.unsqueeze(0))
        return u_TBRZ[0], v_BRS

    @cached_property
    def _together(self) -> Step:
        """All steps as one whose batch is (T B); its W is (T, Zh, H) where the weights differ."""
        first, *_ = steps = self._steps
        C = [torch.cat(parts) for parts in zip(*(s.C for s in steps), strict=True)]
        E = [
            [torch.cat(parts) for parts in zip(*of_j, strict=True)]
            for of_j in zip(*(s.E for s in steps), strict=True)
        ]
        one = torch.ones_like(first.C[0][..., :1, :1])
        cut = any(s.keep is not None for s in steps)
        keep = torch.cat([one if s.keep is None else s.keep for s in steps]) if cut else None
        same = all(s.W is first.W for s in steps)
        return Step(C, E, keep, first.W if same else torch.stack([s.W for s in steps]))

    def pull_each(self, v_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Pull one row back through every step at once, each through its own."""
        lay, (T, B, S) = self._layout, v_TBS.shape
        u_TBZ = v_TBS.new_empty(T, B, self.pre_activations)
        u = u_TBZ.view(T * B, 1, lay.blocks, lay.hidden)
        v = _cut(v_TBS.reshape(1, T * B, 1, S), lay.hidden)[0]
        v = _pull(self._together, v, u, u_TBZ[..., lay.recurrent_rows], None, lay)
        return u_TBZ, torch.cat(v, dim=-1).view(T, B, S)

    def inject(self, t: int, m_BSP: Tensor) -> None:
        """Add step t's immediate influence, which is nonzero on the diagonal of units alone."""
        H, (x_TBI, h_TBH) = self._layout.hidden, self._inputs()
        of_U, of_W, of_b = self._layout.of_parameters()
        for k, C_B1GH in enumerate(self._steps[t].C):
            m_BHP, C_BG1H = m_BSP[:, k * H : (k + 1) * H], C_B1GH.transpose(1, 2)
            for of, rows, a_BA in (
                (of_U, self._layout.input_rows, x_TBI[t]),
                (of_W, self._layout.recurrent_rows, h_TBH[t]),
            ):
                blocks = slice(rows.start // H, rows.stop // H)
                m_BHGHA = m_BHP[..., of].unflatten(-1, (-1, H, a_BA.shape[-1]))
                m_BGAH = m_BHGHA.diagonal(dim1=1, dim2=3)
                m_BGAH.addcmul_(C_BG1H[:, blocks], a_BA[:, None, :, None])
            m_BHP[..., of_b].unflatten(-1, (-1, H)).diagonal(dim1=1, dim2=3).add_(C_B1GH[:, 0])

    def accumulate(self, u_TBRZ: Tensor, m_BRP: Tensor) -> None:
        """Add the parameter gradients of R credits on the pre-activations to m in place."""
        x_TBI, h_TBH = self._inputs()
        of_U, of_W, of_b = self._layout.of_parameters()
        for b, m_RP in enumerate(m_BRP):
            u_RZT = u_TBRZ[:, b].permute(1, 2, 0)
            for of, rows, a_TA in (
                (of_U, self._layout.input_rows, x_TBI[:, b]),
                (of_W, self._layout.recurrent_rows, h_TBH[:, b]),
            ):
                a_RTA = a_TA.expand(len(m_RP), -1, -1)
                m_RP[:, of].unflatten(-1, (-1, a_TA.shape[-1])).baddbmm_(u_RZT[:, rows], a_RTA)
            m_RP[:, of_b] += u_RZT.sum(-1)

    def gradient(self, u_TBZ: Tensor) -> Tensor:
        """Return the parameter gradient: one product for U, one for W, and a sum for b."""
        (x_TBI, h_TBH), lay = self._inputs(), self._layout
        u_NZ, x_NI, h_NH = u_TBZ.flatten(0, 1), x_TBI.flatten(0, 1), h_TBH.flatten(0, 1)
        of_U = u_NZ[:, lay.input_rows].t() @ x_NI
        of_W = u_NZ[:, lay.recurrent_rows].t() @ h_NH
        return torch.cat([of_U.flatten(), of_W.flatten(), u_NZ.sum(0)])

    def part(self, first: int, last: int) -> "UnitwiseTrajectory":
        """Return the steps from ``first`` up to ``last`` (excluded), sharing storage."""
        start, stop = self._bounds
        return UnitwiseTrajectory(
            self._layout,
            self._storage,
            (start + first, start + last),
            self._steps[first:last],
            self.states_TBS[first:last],
            self._owned and start + last == stop,
        )

    def followed_by(self, then: Trajectory) -> "UnitwiseTrajectory":
        """Return these steps and the ones after in storage of its own, which grows by doubling."""
        assert isinstance(then, UnitwiseTrajectory)
        start, last = self._bounds
        storage, stop = self._storage, last + len(then)
        if not self._owned or stop > len(storage[0]):
            room = 2 * (stop - start)
            storage = tuple(_grown(a, room) for a in self._inputs())
            start, last, stop = 0, last - start, stop - start
        for into, new in zip(storage, then._inputs(), strict=True):
            into[last:stop] = new
        steps = [*self._steps, *_own(then._steps, self._steps)]
        none = self.states_TBS.new_empty(0)
        return UnitwiseTrajectory(self._layout, storage, (start, stop), steps, none, owned=True)


def steps_of(
    C_TBKGH: Tensor, E_TBKJH: Tensor, keep_T: list[Tensor | None], W: Tensor
) -> list[Step]:
    """Cut the derivatives of T steps into what a backward pass uses."""
    K, J = C_TBKGH.shape[2], E_TBKJH.shape[3]
    C = [C_TBKGH[:, :, k, None].unbind() for k in range(K)]
    E = [[E_TBKJH[:, :, k, None, j, None].unbind() for k in range(K)] for j in range(J)]
    return [
        Step(
            [of_k[t] for of_k in C],
            [[of_k[t] for of_k in of_j] for of_j in E],
            None if keep_B1 is None else keep_B1[..., None, None],
            W,
        )
        for t, keep_B1 in enumerate(keep_T)
    ]


def _pull(
    step: Step, v: list[Tensor], u: Tensor, of_h: Tensor, base: list[Tensor] | None, lay: Layout
) -> list[Tensor]:
    """Pull blocks v_k, (B, R, 1, H), back through a step; add ``base``; write u, (B, R, G, H).

    ``of_h`` are the rows of u that W h enters, as a matrix.
    """
    torch.mul(v[0], step.C[0], out=u)
    for v_k, C_k in zip(v[1:], step.C[1:], strict=True):
        u.addcmul_(v_k, C_k)
    late = base if step.keep is not None else None
    start: list[Any] = [None] * len(v) if base is None or late else list(base)
    for j, E_j in enumerate(step.E, lay.held.start):
        for v_k, E_kj in zip(v, E_j, strict=True):
            start[j] = v_k * E_kj if start[j] is None else torch.addcmul(start[j], v_k, E_kj)
    start[0] = _through(of_h, step.W, start[0], v[0])
    before = [torch.zeros_like(v[0]) if a is None else a for a in start]
    if step.keep is not None:
        before = [a * step.keep for a in before]
    return [a + c for a, c in zip(before, late, strict=True)] if late else before


def _through(of_h: Tensor, W: Tensor, start: Tensor | None, like: Tensor) -> Tensor:
    """Return u W plus ``start``, in the shape of a block."""
    if of_h.dim() == 2 and start is not None:
        return torch.addmm(start.view(of_h.shape[0], -1), of_h, W).view(like.shape)
    product = (of_h @ W).view(like.shape)
    return product if start is None else product + start


def _cut(c_TBRS: Tensor, hidden: int) -> list[list[Tensor]]:
    """Cut credits into each step's blocks, (B, R, 1, H)."""
    blocks = [block.unsqueeze(-2).unbind() for block in c_TBRS.split(hidden, dim=-1)]
    return [list(of_t) for of_t in zip(*blocks, strict=True)]


def _grown(a_TBA: Tensor, room: int) -> Tensor:
    """Return storage for ``room`` steps that begins with these."""
    storage = a_TBA.new_zeros(room, *a_TBA.shape[1:])
    storage[: len(a_TBA)] = a_TBA
    return storage


def _own(new: Sequence[Step], old: Sequence[Step]) -> list[Step]:
    """Return the new steps off the longer run's storage; weights that have not moved are shared."""
    copies: dict[int, Tensor] = {}
    if new and old and torch.equal(old[-1].W, new[0].W):
        copies[id(new[0].W)] = old[-1].W
    return [
        Step(
            [C_k.clone() for C_k in s.C],
            [[E_kj.clone() for E_kj in E_j] for E_j in s.E],
            s.keep,
            copies.get(id(s.W), s.W),
        )
        for s in new
    ]
