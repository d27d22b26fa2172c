"""How much error reaches each time step and layer.

    ‖∂L/∂h_t‖        total: through all later steps and layers, over the samples together

L is the loss that the update descends, the mean over the passage's counted outputs of all samples.
``t`` counts steps from the passage's first, ``layer`` from the bottom. BPTT computes this anyway;
with other algorithms the probe costs one backward sweep, O(n²) a step.

In a feed-forward network, ``layer`` counts the modules without children in the order of their
calls, ``module`` is their name, and h their output; where one is called several times, ``t``
counts the calls.

References:
    Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen, TU München.
    Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is
        difficult, IEEE Transactions on Neural Networks 5(2).
"""

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.instruments import Outputs, Row
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage


@final
class ErrorFlow(Probe):
    """The norm of the total error at every step of every layer."""

    sees = frozenset({"passages", "outputs"})

    def __init__(self, every: int = 1):
        """Look at every ``every``-th batch."""
        super().__init__(every)
        self._modules: list[str] = []

    def passed(self, seen: Passage) -> None:
        """Keep the norms at all steps, and at the state before them."""
        self.keep(flow_LT=seen.flow_LT)

    def gone_back(self, seen: Outputs) -> None:
        """Keep the norms of the layers' errors."""
        self._modules += [name for name in seen if name not in self._modules]
        self.keep(**{name: torch.stack(calls) for name, calls in seen.items()})

    def reduce(self, **stacked: Tensor) -> dict[str, Tensor]:
        """Return the norm at each step, (N, T, L)."""
        return stacked if self._modules else {"norm": stacked["flow_LT"][:, :, 1:].transpose(1, 2)}

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each layer and step."""
        if not self._modules:
            told, layers = self.defined_of("norm"), means["norm"].shape[1]
            for layer in range(layers):
                yield from _along(told[layer::layers], {"layer": layer})
        for layer, name in enumerate(self._modules):
            told = self.defined_of(name) if name in means else []
            yield from _along(told, {"layer": layer, "module": name})

    def state_dict(self) -> dict[str, Any]:
        """Add the names of the modules."""
        return {**super().state_dict(), "modules": self._modules}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them back."""
        super().load_state_dict(state_dict)
        self._modules = state_dict["modules"]


def _along(told_T: list[Row], of: Row) -> Iterator[Row]:
    """Return a row for each step."""
    for t, told in enumerate(told_T):
        yield {"quantity": "norm", "t": t, **of, **told}
