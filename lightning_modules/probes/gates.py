"""How open the gates are, and how far they and the activations are saturated.

    mean     of a gate's values
    below    the fraction of them below 0.1: shut
    above    the fraction above 0.9: open

``gate`` is the gate's name in its cell. A gate called ``h`` stands for |h|: ``above`` is then the
saturation of a tanh, ``below`` that of a logistic at its lower end, or of a ReLU at zero. Fractions
are over samples, units and steps together.

At most ``times`` steps of a passage are looked at, evenly spaced from the first, since reading
every value of every gate costs more than the norm of its error.

References:
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
        networks, AISTATS.
    Karpathy, Johnson & Li (2016), Visualizing and understanding recurrent networks, ICLR workshop,
        arXiv:1506.02078: gates that are left or right saturated.
"""

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.instruments import Row
from lightning_modules.probes._base import Probe
from lightning_modules.probes._layers import layers_of, names_of
from lightning_modules.probes._seen import Passage

SHUT, OPEN = 0.1, 0.9


@final
class Gates(Probe):
    """Mean and saturation of each gate and of h."""

    sees = frozenset({"passages"})

    def __init__(self, every: int = 1, times: int | None = 8):
        """Look at ``times`` steps of a passage; None is all of them."""
        super().__init__(every)
        if times is not None and times < 1:
            raise ValueError(f"times is {times}: it must be at least 1, or None")
        self.times = times
        self._of: list[tuple[int, str]] = []

    def passed(self, seen: Passage) -> None:
        """Keep mean and saturation, one after the other for each gate."""
        path, all_gates = seen.run.path, seen.run.path.gates()
        apart = -(-len(path) // self.times) if self.times else 1
        self._of, told = [], []
        layers = zip(names_of(seen.cell), layers_of(seen.cell), strict=True)
        for layer, (name, of_h) in enumerate(layers):
            h_TBH = path.states_TBS[::apart, :, of_h]
            own = {
                gate[len(name) :]: g_TBH[::apart]
                for gate, g_TBH in all_gates.items()
                if gate.startswith(name) and "." not in gate[len(name) :]
            }
            self._of += [(layer, gate) for gate in ("h", *own)]
            told.append(_told(h_TBH, list(own.values())))
        self.keep(told_GQ=torch.cat(told) if len(told) > 1 else told[0])

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return three rows for each gate."""
        for (layer, gate), told in zip(self._of, means["told_GQ"].tolist(), strict=True):
            for quantity, value in zip(("mean", "below", "above"), told, strict=True):
                yield {"quantity": quantity, "layer": layer, "gate": gate, "value": value}

    def state_dict(self) -> dict[str, Any]:
        """Add the gates' names."""
        return {**super().state_dict(), "of": self._of}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them back."""
        super().load_state_dict(state_dict)
        self._of = state_dict["of"]


def _told(h_TBH: Tensor, gates_TBH: list[Tensor]) -> Tensor:
    """Return mean, fraction below and fraction above of |h|, then of each gate, (1 + G, 3)."""
    told_G3TBH = h_TBH.new_empty(1 + len(gates_TBH), 3, *h_TBH.shape)
    g_GTBH, below_GTBH, above_GTBH = told_G3TBH.unbind(1)
    torch.abs(h_TBH, out=g_GTBH[0])
    if gates_TBH:
        torch.stack(gates_TBH, out=g_GTBH[1:])
    torch.lt(g_GTBH, SHUT, out=below_GTBH)  # numbers sum faster than truths
    torch.gt(g_GTBH, OPEN, out=above_GTBH)
    return told_G3TBH.flatten(2).mean(-1)
