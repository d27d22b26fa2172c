"""Cells that define ``forward`` alone: torch.func computes the derivatives of their steps.

    z = s'                       the new state stands for pre-activations, so u = v
    J = ds'/ds                   row by row, all samples and steps at once
    dL/dw = Σ u ds'/dw           one product for all steps that share their weights

Exact but slow: a step back costs as much as S steps forward, an influence as S for each sample.
Every probe and algorithm takes such a cell, except algorithms that need each parameter's unit.

``forward`` must be a function of x, s and the weights alone. Dropout, noise, batch statistics, a
memory of its own and writing into x or s raise ValueError when steps are made. torch.func cannot
follow a branch that depends on values: use ``torch.where``.

Above 300 lines because a cell's step and its trajectory are one idea: what torch.func makes of it.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple, final

import torch
from torch import Tensor
from torch.func import functional_call, jacrev, vjp, vmap

from lightning_modules.checks import whole
from lightning_modules.interfaces import Cell, Trajectory
from lightning_modules.norms import scaled


class ForwardCell(Cell):
    """A cell that defines ``forward`` alone; its state may be larger than h."""

    def __init__(self, input_size: int, hidden_size: int, state_size: int | None = None):
        """Set the sizes; None is a state of h alone. ValueError for sizes that cannot be."""
        super().__init__()
        state_size = hidden_size if state_size is None else state_size
        whole(1, input_size=input_size, hidden_size=hidden_size)
        if state_size < hidden_size:
            raise ValueError(
                f"state_size is {state_size}: the state begins with h, of hidden_size {hidden_size}"
            )
        self.input_size, self.hidden_size, self.state_size = input_size, hidden_size, state_size

    def _follow(self, x_TBI: Tensor, s_BS: Tensor, resets_TB: Tensor | None) -> Trajectory:
        """Take the steps one by one."""
        weights = {name: w.detach().clone() for name, w in self.named_parameters()}
        buffers = {name: b.clone() for name, b in self.named_buffers()}
        if not weights:
            name = type(self).__name__
            raise ValueError(f"{name} has no parameters: there is nothing to take a gradient by")
        self._try(x_TBI[0], s_BS if resets_TB is None else torch.zeros_like(s_BS))
        before, after = [], []
        for t, x_BI in enumerate(x_TBI):
            if resets_TB is not None:
                s_BS = s_BS.masked_fill(resets_TB[t].unsqueeze(-1), 0)
            before.append(s_BS)
            s_BS = self(x_BI, s_BS)
            after.append(s_BS)
        held = self, weights, _names(self), buffers
        steps = _Steps(*held, x_TBI, torch.stack(before), resets_TB, None)
        return ForwardTrajectory([steps], torch.stack(after))

    def _try(self, x_BI: Tensor, s_BS: Tensor) -> None:
        """Raise ValueError if ``forward`` is no function of a sample's x and s and the weights."""
        held = [x_BI, s_BS, *self.parameters(), *self.buffers()]
        # Values, since a write through ``.data`` leaves the count of versions as it is.
        before, name = [w.clone() for w in held], type(self).__name__
        one = self(x_BI, s_BS)
        if one.shape != s_BS.shape or one.dtype != s_BS.dtype:
            raise ValueError(
                f"{name}.forward gives {(*one.shape,)} of {one.dtype}: the next state is "
                f"{(*s_BS.shape,)} of {s_BS.dtype}"
            )
        if not all(_equal(w, was) for w, was in zip(held, before, strict=True)):
            raise ValueError(
                f"{name}.forward writes into x, s, a weight or a buffer: return a new s"
            )
        if not _equal(one, self(x_BI, s_BS)):
            raise ValueError(
                f"{name}.forward gives two next states for one x and s: take dropout, noise and a "
                "memory of its own out of it, or put it into eval()"
            )
        if not torch.allclose(
            one[:1], self(x_BI[:1], s_BS[:1]), rtol=1e-3, atol=1e-3, equal_nan=True
        ):
            raise ValueError(
                f"{name}.forward gives a sample another next state beside others than alone: "
                "take what mixes samples out of it, such as batch normalisation"
            )


def _equal(one: Tensor, other: Tensor) -> bool:
    """Tell whether all entries are equal, NaN being equal to NaN."""
    return torch.equal(one.nan_to_num(), other.nan_to_num())


def _names(cell: Cell) -> dict[str, str]:
    """Map the name of each parameter of each module to that parameter's first name.

    Tied names are listed here because ``functional_call``, where it looks for them itself, does not
    put back the weights of a module that has two names.
    """
    first = {id(w): name for name, w in cell.named_parameters()}
    return {
        f"{of}.{name}" if of else name: first[id(w)]
        for of, module in cell.named_modules()
        for name, w in module.named_parameters(recurse=False)
    }


class _Steps(NamedTuple):
    """Steps taken with the same weights, which are kept as copies."""

    cell: Cell | None
    """None after unpickling, since only tensors and plain data are pickled; see ``of_cell``."""
    weights: dict[str, Tensor]
    names: dict[str, str]
    """The name in ``weights`` of each parameter of each module."""
    buffers: dict[str, Tensor]
    x_TBI: Tensor
    s_TBS: Tensor
    """The state before each step, after resets."""
    resets_TB: Tensor | None
    gone_TB: Tensor | None
    """True where a step's derivatives count as zero: see ``without``."""

    def part(self, first: int, last: int) -> "_Steps":
        """Return some of the steps."""
        x_TBI, s_TBS, *marks = (of if of is None else of[first:last] for of in self[4:])
        assert x_TBI is not None
        assert s_TBS is not None
        return _Steps(*self[:4], x_TBI, s_TBS, *marks)

    def without(self, gone_TB: Tensor) -> "_Steps":
        """Return them with those of ``gone_TB`` marked as gone, too."""
        gone_TB = gone_TB if self.gone_TB is None else gone_TB | self.gone_TB
        x_TBI, s_TBS = (of.masked_fill(gone_TB.unsqueeze(-1), 0) for of in self[4:6])
        return self._replace(x_TBI=x_TBI, s_TBS=s_TBS, gone_TB=gone_TB)

    def step(self, weights: dict[str, Tensor], x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Take one step with the weights given."""
        assert self.cell is not None
        tied = {name: weights[first] for name, first in self.names.items()}
        return functional_call(self.cell, (tied, self.buffers), (x_BI, s_BS), tie_weights=False)

    def jacobians(self) -> Tensor:
        """Return ds'/ds, (T, B, S, S)."""
        return self._derivative(0, self.resets_TB, self.gone_TB)

    def of_inputs(self) -> Tensor:
        """Return ds'/dx, (T, B, S, I)."""
        return self._derivative(1, self.gone_TB)

    def _derivative(self, by: int, *zero_TB: Tensor | None) -> Tensor:
        """Return ds'/ds (``by`` is 0) or ds'/dx (1), with zeros where ``zero_TB`` is true."""

        def of_sample(s_S: Tensor, x_I: Tensor) -> Tensor:
            return self.step(self.weights, x_I[None], s_S[None])[0]

        with self._followed():
            of_N = vmap(jacrev(of_sample, by))(self.s_TBS.flatten(0, 1), self.x_TBI.flatten(0, 1))
        d_TBSN = of_N.unflatten(0, self.x_TBI.shape[:2])
        for mark_TB in zero_TB:
            if mark_TB is not None:
                d_TBSN.masked_fill_(mark_TB[..., None, None], 0)
        return d_TBSN

    def gradient(self, u_TBS: Tensor) -> Tensor:
        """Return the parameter gradient, (P,)."""
        x_NI, s_NS = self.x_TBI.flatten(0, 1), self.s_TBS.flatten(0, 1)
        if self.gone_TB is not None:
            u_TBS = u_TBS.masked_fill(self.gone_TB.unsqueeze(-1), 0)
        with self._followed():
            pull = vjp(lambda weights: self.step(weights, x_NI, s_NS), self.weights)[1]
        # Intermediate values may overflow where the gradient does not.
        u_TBS, scale = scaled(u_TBS)
        return self._flat(pull(u_TBS.flatten(0, 1))[0]) * scale.squeeze()

    def gradients(self, u_TBRS: Tensor) -> Tensor:
        """Return the parameter gradient of each sample and row, (B, R, P)."""
        if self.gone_TB is not None:
            u_TBRS = u_TBRS.masked_fill(self.gone_TB[..., None, None], 0)

        def of_sample(x_TI: Tensor, s_TS: Tensor, u_TRS: Tensor) -> Tensor:
            pull = vjp(lambda weights: self.step(weights, x_TI, s_TS), self.weights)[1]
            return vmap(lambda u_TS: self._flat(pull(u_TS)[0]), in_dims=1)(u_TRS)

        u_TBRS, scale = scaled(u_TBRS, (0, 3))
        with self._followed():
            return vmap(of_sample, in_dims=1)(self.x_TBI, self.s_TBS, u_TBRS) * scale[0]

    @contextlib.contextmanager
    def _followed(self) -> Iterator[None]:
        """Raise a one-line ValueError for what torch.func cannot follow."""
        try:
            yield
        except (RuntimeError, TypeError, NotImplementedError) as error:
            why = " ".join(str(error).split())[:120]
            raise ValueError(
                f"{type(self.cell).__name__}.forward cannot be followed by torch.func: take "
                f"torch.where for branches that depend on values, and torch for all else ({why})"
            ) from None

    def _flat(self, gradients: dict[str, Tensor]) -> Tensor:
        """Return gradients by name as one vector, in the order of the parameters."""
        return torch.cat([gradients[name].flatten() for name in self.weights])


@final
class ForwardTrajectory(Trajectory):
    """Steps of a cell that defines ``forward`` alone, in stretches that share their weights."""

    def __init__(
        self,
        stretches: list[_Steps],
        states_TBS: Tensor,
        j_T: list[Tensor] | None = None,
        x_T: list[Tensor] | None = None,
    ):
        """Take the stretches, and where they are known ds'/ds and ds'/dx, (T, B, S, …) each."""
        self._stretches, self.states_TBS, self._j_T, self._x_T = stretches, states_TBS, j_T, x_T
        self.pre_activations = stretches[0].s_TBS.shape[-1]
        self.parameters = sum(w.numel() for w in stretches[0].weights.values())

    @property
    def resets_TB(self) -> Tensor | None:  # noqa: N802
        """Which samples were reset before which step."""
        if all(steps.resets_TB is None for steps in self._stretches):
            return None
        none = [steps.x_TBI.new_zeros(steps.x_TBI.shape[:2]).bool() for steps in self._stretches]
        marks = (steps.resets_TB for steps in self._stretches)
        return torch.cat([z if of is None else of for of, z in zip(marks, none, strict=True)])

    @property
    def _jacobians(self) -> list[Tensor]:
        """The Jacobians of every stretch."""
        if self._j_T is None:
            self._j_T = [steps.jacobians() for steps in self._stretches]
        return self._j_T

    @property
    def _of_inputs(self) -> list[Tensor]:
        """What the input does to the new state, ds'/dx, of every stretch."""
        if self._x_T is None:
            self._x_T = [steps.of_inputs() for steps in self._stretches]
        return self._x_T

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: all but the cell."""
        stretches = [steps._replace(cell=None) for steps in self._stretches]
        return {**self.__dict__, "_stretches": stretches}

    def __len__(self) -> int:
        """Count the steps."""
        return sum(len(steps.x_TBI) for steps in self._stretches)

    def sweep(self, c_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Back-propagate: credits on every new state, which is z here, and on every state."""
        T, (given, B, S) = len(self), c_TBS.shape
        v_TBS = c_TBS.new_zeros(T + 1, B, S)
        v_TBS[T - given + 1 :] = c_TBS
        for t, j_BSS in zip(range(T - 1, -1, -1), torch.cat(self._jacobians).flip(0), strict=True):
            v_TBS[t] += (v_TBS[t + 1].unsqueeze(1) @ j_BSS).squeeze(1)
        return v_TBS[1:].clone(), v_TBS

    def pull(self, v_TBS: Tensor) -> tuple[Tensor, Tensor]:
        """Pull each step's row back through that step alone."""
        return v_TBS.clone(), (v_TBS.unsqueeze(2) @ torch.cat(self._jacobians)).squeeze(2)

    def jacobians(self, first: int, into_TBSS: Tensor) -> None:
        """Write ds'/ds of the steps from ``first`` on."""
        into_TBSS.copy_(torch.cat(self._jacobians)[first : first + len(into_TBSS)])

    def of_inputs(self, first: int, steps: int) -> Tensor:
        """Return ds'/dx of some steps from ``first`` on, (T, B, S, I)."""
        return torch.cat(self._of_inputs)[first : first + steps]

    def within(self) -> tuple[Tensor, Tensor]:
        """Raise ValueError: nothing is known of units."""
        name = type(self._stretches[0].cell).__name__
        raise ValueError(f"{name} has no units that are known: take an algorithm that needs none")

    def gates(self) -> dict[str, Tensor]:
        """Return none: nothing is known of gates."""
        return {}

    def immediate(self, v_TBRS: Tensor, first: int = 0, into_TBRZ: Tensor | None = None) -> Tensor:
        """Return v: ds'/dz is 1."""
        return v_TBRS.clone() if into_TBRZ is None else into_TBRZ.copy_(v_TBRS)

    def inject(self, t: int, m_BSP: Tensor) -> None:
        """Add step t's ds'/dw, row by row."""
        B, S, _ = m_BSP.shape
        eye_SS = torch.eye(S, dtype=m_BSP.dtype, device=m_BSP.device)
        self.accumulate(eye_SS.expand(1, B, S, S), t, m_BSP)

    def accumulate(self, u_TBRZ: Tensor, first: int, m_BRP: Tensor) -> None:
        """Add R parameter gradients to m, stretch by stretch."""
        for start, steps in self._between(first, first + len(u_TBRZ)):
            m_BRP += steps.gradients(u_TBRZ[start : start + len(steps.x_TBI)])

    def gradient(self, u_TBZ: Tensor) -> Tensor:
        """Return the parameter gradient, summed over stretches."""
        total_P = u_TBZ.new_zeros(self.parameters)
        for start, steps in self._between(0, len(self)):
            total_P += steps.gradient(u_TBZ[start : start + len(steps.x_TBI)])
        return total_P

    def part(self, first: int, last: int) -> "ForwardTrajectory":
        """Return the steps from ``first`` up to ``last`` (excluded), sharing storage."""
        stretches = [steps for _, steps in self._between(first, last)]
        stretches = stretches or [self._stretches[0].part(0, 0)]
        known = (self._j_T, self._x_T)
        parts = [None if of_T is None else [torch.cat(of_T)[first:last]] for of_T in known]
        return ForwardTrajectory(stretches, self.states_TBS[first:last], *parts)

    def of_cell(self, then: Trajectory) -> "ForwardTrajectory":
        """Return these steps with the cell, which is not pickled."""
        assert isinstance(then, ForwardTrajectory)
        cell = then._stretches[0].cell
        stretches = [steps._replace(cell=cell) for steps in self._stretches]
        return ForwardTrajectory(stretches, self.states_TBS, self._j_T, self._x_T)

    def followed_by(self, then: Trajectory) -> "ForwardTrajectory":
        """Return these steps and the ones after: stretches side by side, all of the same cell."""
        assert isinstance(then, ForwardTrajectory)
        self._stretches = self.of_cell(then)._stretches
        stretches = [s for s in (*self._stretches, *then._stretches) if len(s.x_TBI)]
        j_T = [torch.cat([*self._jacobians, *then._jacobians])]
        x_T = None
        if self._x_T is not None or then._x_T is not None:
            x_T = [torch.cat([*self._of_inputs, *then._of_inputs])]
        none = self.states_TBS.new_empty(0)
        return ForwardTrajectory(stretches or then._stretches, none, j_T, x_T)

    def without(self, gone_TB: Tensor) -> "ForwardTrajectory":
        """Return these steps; the derivatives of those that are gone count as zero."""
        stretches = [
            steps.without(gone_TB[start : start + len(steps.x_TBI)])
            for start, steps in self._between(0, len(self))
        ]
        return ForwardTrajectory(stretches or self._stretches, self.states_TBS)

    def _between(self, first: int, last: int) -> Iterator[tuple[int, _Steps]]:
        """Iterate over the stretches between two steps, with the place of each after ``first``."""
        start = 0
        for steps in self._stretches:
            stop = start + len(steps.x_TBI)
            low, high = max(first, start), min(last, stop)
            if low < high:
                yield low - first, steps.part(low - start, high - start)
            start = stop
