"""The steps of a stack of cells; its derivatives are composed of the layers' own.

Layer l's input is layer l - 1's new h, so within a step credit goes down as it goes back:

    u_l = v_l ds'_l/dz_l        v_{l-1}[h] += u_l U_l        for l from the top to the bottom

and the joint Jacobian is block-triangular, with X_l = ds'_l/dx_l = (ds'_l/dz_l) U_l:

    J_ll = J_l        J_lk = X_l J_{l-1,k}[h]  for k < l        J_lk = 0  for k > l

For a cell that defines ``forward`` alone z is s', so ds'/dx takes the place of U; there is one for
each sample and step.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from lightning_modules.cells._forward import ForwardTrajectory
from lightning_modules.interfaces import Trajectory


class Place(NamedTuple):
    """Where a layer lies in the joint state, pre-activations and parameters."""

    states: slice
    rows: slice
    weights: slice
    input_rows: slice
    """The rows of the layer's own z that U x enters."""
    hidden: int


@final
class StackedTrajectory(Trajectory):
    """Steps of a stack; layers are listed from the bottom up, the joint state from the top down."""

    def __init__(
        self,
        places: list[Place],
        layers: list[Trajectory],
        U_LT: list[list[Tensor]],
        states_TBS: Tensor,
    ):
        """Take each layer's steps and its U at each of them; an empty list for one without U."""
        self._places, self._layers, self._U_LT, self.states_TBS = places, layers, U_LT, states_TBS
        self.pre_activations = places[-1].rows.stop
        self.parameters = places[-1].weights.stop

    def __len__(self) -> int:
        """Count the steps."""
        return len(self._layers[0])

    def sweep(self, c_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Back-propagate all steps of a layer, then all of the one below."""
        T, (given, B, _) = len(self), c_TBS.shape
        u_TBZ, down_TBH = c_TBS.new_empty(T, B, self.pre_activations), None
        v_TBS = c_TBS.new_empty(T + 1, *c_TBS.shape[1:])
        for level, place in self._from_the_top():
            c = c_TBS[..., place.states]
            if down_TBH is not None:
                whole = c.new_zeros(T, B, c.shape[-1])
                whole[T - given :] = c
                whole[..., : place.hidden] += down_TBH
                c = whole
            u, v_TBS[..., place.states] = self._layers[level].sweep(c)
            u_TBZ[..., place.rows] = u
            down_TBH = self._to_input(level, u.unsqueeze(2)).squeeze(2) if level else None
        return u_TBZ, v_TBS

    def pull(self, v_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Pull each step's row back through that step alone, from layer to layer."""
        u_TBZ = v_TBS.new_empty(*v_TBS.shape[:2], self.pre_activations)
        parts, down_TBH = [], None
        for level, place in self._from_the_top():
            v = _added(v_TBS[..., place.states], down_TBH)
            u, before = self._layers[level].pull(v)
            u_TBZ[..., place.rows] = u
            parts.append(before)
            down_TBH = self._to_input(level, u.unsqueeze(2)).squeeze(2) if level else None
        return u_TBZ, torch.cat(parts, dim=-1)

    def jacobians(self, first: int, into_TBSS: Tensor) -> None:
        """Write the layers' own Jacobians on the diagonal, and beside them those from below."""
        T, B = into_TBSS.shape[:2]
        into_TBSS.zero_()
        for level, (place, layer) in enumerate(zip(self._places, self._layers, strict=True)):
            of_l = place.states
            layer.jacobians(first, into_TBSS[..., of_l, of_l])
            if level > 0:
                S_l = of_l.stop - of_l.start
                eye_SS = torch.eye(S_l, dtype=into_TBSS.dtype, device=into_TBSS.device)
                u_TBSZ = layer.immediate(eye_SS.expand(T, B, -1, -1), first)[..., place.input_rows]
                # One product for each step and sample, so that a step's is the same bit for bit
                # whether others are asked for beside it or not.
                x_TBSI = u_TBSZ @ self._maps(level, first, T)
                below = self._places[level - 1]
                h = slice(below.states.start, below.states.start + below.hidden)
                into_TBSS[..., of_l, of_l.stop :] = x_TBSI @ into_TBSS[..., h, of_l.stop :]

    def within(self) -> tuple[Tensor, Tensor]:
        """Raise ValueError: a parameter of a stack reaches the units of the layers above."""
        raise ValueError("a stack has no units of its own: take an algorithm that needs none")

    def gates(self) -> dict[str, Tensor]:
        """Return every layer's gates, named by the layer's number from the bottom: ``0.forget``."""
        return {
            f"{level}.{name}": gate_TBH
            for level, layer in enumerate(self._layers)
            for name, gate_TBH in layer.gates().items()
        }

    def immediate(self, v_TBRS: Tensor, first: int = 0, into_TBRZ: Tensor | None = None) -> Tensor:
        """Return v ds'/dz for R rows at each of the steps from ``first`` on, from the top down."""
        if into_TBRZ is None:
            into_TBRZ = v_TBRS.new_empty(*v_TBRS.shape[:3], self.pre_activations)
        down_TBRH = None
        for level, place in self._from_the_top():
            v, u = _added(v_TBRS[..., place.states], down_TBRH), into_TBRZ[..., place.rows]
            self._layers[level].immediate(v, first, u)
            down_TBRH = self._to_input(level, u, first) if level else None
        return into_TBRZ

    def inject(self, t: int, m_BSP: Tensor) -> None:
        """Add step t's immediate influence: each layer's on itself and on those above it."""
        B, S, _ = m_BSP.shape
        eye_SS = torch.eye(S, dtype=m_BSP.dtype, device=m_BSP.device)
        u_TBSZ = self.immediate(eye_SS.expand(1, B, S, S), t)
        for place, layer in zip(self._places, self._layers, strict=True):
            reached = slice(0, place.states.stop)
            layer.accumulate(u_TBSZ[:, :, reached, place.rows], t, m_BSP[:, reached, place.weights])

    def accumulate(self, u_TBRZ: Tensor, first: int, m_BRP: Tensor) -> None:
        """Add R parameter gradients to m, layer by layer."""
        for place, layer in zip(self._places, self._layers, strict=True):
            layer.accumulate(u_TBRZ[..., place.rows], first, m_BRP[..., place.weights])

    def gradient(self, u_TBZ: Tensor) -> Tensor:
        """Return the layers' parameter gradients, one after the other."""
        layers = zip(self._places, self._layers, strict=True)
        return torch.cat([layer.gradient(u_TBZ[..., place.rows]) for place, layer in layers])

    def part(self, first: int, last: int) -> "StackedTrajectory":
        """Return the steps from ``first`` up to ``last`` (excluded), sharing storage."""
        return StackedTrajectory(
            self._places,
            [layer.part(first, last) for layer in self._layers],
            [U_T[first:last] for U_T in self._U_LT],
            self.states_TBS[first:last],
        )

    @property
    def resets_TB(self) -> Tensor | None:  # noqa: N802
        """Which samples were reset before which step: all layers were."""
        return self._layers[0].resets_TB

    def without(self, gone_TB: Tensor) -> "StackedTrajectory":
        """Return these steps; those that are gone hold zeros in every layer."""
        layers = [layer.without(gone_TB) for layer in self._layers]
        return StackedTrajectory(self._places, layers, self._U_LT, self.states_TBS)

    def of_cell(self, then: Trajectory) -> "StackedTrajectory":
        """Return these steps, each layer's own with its cell."""
        assert isinstance(then, StackedTrajectory)
        layers = [a.of_cell(b) for a, b in zip(self._layers, then._layers, strict=True)]
        return StackedTrajectory(self._places, layers, self._U_LT, self.states_TBS)

    def followed_by(self, then: Trajectory) -> "StackedTrajectory":
        """Return these steps and the ones after, each layer's own joined."""
        assert isinstance(then, StackedTrajectory)
        return StackedTrajectory(
            self._places,
            [a.followed_by(b) for a, b in zip(self._layers, then._layers, strict=True)],
            [a + b for a, b in zip(self._U_LT, then._U_LT, strict=True)],
            self.states_TBS.new_empty(0),
        )

    def _from_the_top(self) -> list[tuple[int, Place]]:
        """Return each layer's place with its number, the top first."""
        return list(enumerate(self._places))[::-1]

    def _to_input(self, level: int, u_TBRZ: Tensor, first: int = 0) -> Tensor:
        """Return the credit on a layer's input, u U, (T, B, R, I)."""
        T, of_x = len(u_TBRZ), self._places[level].input_rows
        U_T = self._U_LT[level][first : first + T]
        same = U_T and all(U is U_T[0] for U in U_T)
        return u_TBRZ[..., of_x] @ (U_T[0] if same else self._maps(level, first, T))

    def _maps(self, level: int, first: int, steps: int) -> Tensor:
        """Return what takes a layer's input to its z in some steps, (T, B or 1, rows, I)."""
        if self._U_LT[level]:
            return torch.stack(self._U_LT[level][first : first + steps]).unsqueeze(1)
        layer = self._layers[level]
        if isinstance(layer, StackedTrajectory):
            return layer._maps(0, first, steps)
        assert isinstance(layer, ForwardTrajectory)
        return layer.of_inputs(first, steps)


def _added(v: Tensor, down: Tensor | None) -> Tensor:
    """Return v with what came from the layer above added to its h."""
    if down is None:
        return v
    v = v.clone()
    v[..., : down.shape[-1]] += down
    return v
