"""The online learners of braintrace (JAX), as work to time and gradients to compare.

Its cells have the same equations as ours. Each of its linear maps is one gate's part of U, W and b,
so weights and gradients are converted by splitting and concatenating.
"""

import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lightning_modules.interfaces import Cell

NEEDED = ("braintrace", "brainstate", "jax")
CELLS_OF = {"srn": ("ValinaRNNCell", ("W",)), "lstm": ("LSTMCell", ("Wi", "Wf", "Wo", "Wg"))}
"""By our cell's name: braintrace's cell, and its linear maps in our order of gates."""


def missing() -> list[str]:
    """Return the needed packages that are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def start() -> None:
    """Restrict XLA to one CPU thread; call it before JAX is first used."""
    one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {one}".strip()
    os.environ["JAX_PLATFORMS"] = "cpu"


class Learner:
    """One of braintrace's algorithms, on its cell with our cell's weights, with its own state."""

    def __init__(self, rule: str, options: dict[str, Any], name: str, cell: Cell, c_BH: Tensor):
        """Build it in the precision of the weights; the loss is Σ c h."""
        trace, state, jax = (importlib.import_module(needed) for needed in NEEDED)
        self._double = c_BH.dtype == torch.float64
        jax.config.update("jax_enable_x64", self._double)
        state.environ.set(precision=64 if self._double else 32)
        kind, self._maps = CELLS_OF[name]
        self._inputs, self._jax = cell.input_size, jax
        model = getattr(trace.nn, kind)(cell.input_size, cell.hidden_size, activation="tanh")
        self._fill(model, name, cell)
        with warnings.catch_warnings():
            # braintrace warns that its SnAp's pattern is denser than necessary.
            warnings.simplefilter("ignore")
            x_BI = jax.numpy.zeros((len(c_BH), cell.input_size))
            learner = trace.compile(
                model, getattr(trace, rule), x_BI, batch_size=len(c_BH), **options
            )
        c = jax.numpy.asarray(c_BH.numpy())
        self._paths = {id(w): path for path, w in learner.param_states.items()}
        self._states = [getattr(model, linear).weight for linear in self._maps]

        def loss(x: Any) -> Any:
            return (learner(x) * c).sum()

        self._grad = state.transform.jit(
            lambda xs: learner.etrace_grad(xs, step_fn=loss, reduction="sum")
        )

    def _fill(self, model: Any, name: str, cell: Cell) -> None:
        """Copy our weights into its linear maps."""
        asarray = self._jax.numpy.asarray
        gates = len(self._maps)
        parts = (w.detach().chunk(gates) for w in cell.parameters())
        for linear, U, W, b in zip(self._maps, *parts, strict=True):
            if name == "lstm" and linear == "Wf":
                b = b - 1  # braintrace's cell adds 1 in its step.
            weight = getattr(model, linear).weight
            joined = torch.cat([U, W], dim=1).t().contiguous()
            weight.value = {"weight": asarray(joined.numpy()), "bias": asarray(b.numpy())}

    def work(self, x_TBI: Tensor, length: int) -> Callable[[], None]:
        """Return the compiled work of the inputs, in runs of ``length`` steps."""
        parts = [self._jax.numpy.asarray(part.numpy()) for part in x_TBI.split(length)]

        def go() -> None:
            self._jax.block_until_ready([self._grad(part) for part in parts])

        return go

    def gradient(self, x_TBI: Tensor) -> Tensor:
        """Return the gradient summed over the steps, in the order of our parameters, (P,)."""
        found = self._grad(self._jax.numpy.asarray(x_TBI.numpy()))
        U, W, b = [], [], []
        for weight in self._states:
            of = found[self._paths[id(weight)]]
            joined = torch.from_numpy(np.array(of["weight"])).t()
            U.append(joined[:, : self._inputs])
            W.append(joined[:, self._inputs :])
            b.append(torch.from_numpy(np.array(of["bias"])))
        return torch.cat([torch.cat(parts).flatten() for parts in (U, W, b)])
