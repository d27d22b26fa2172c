"""Parameters and gradients as views of one flat tensor each.

An algorithm returns its gradient as one vector in the order of the parameters, so it is copied
once, and one optimizer step is a handful of operations whatever the number of parameters.

That holds while all parameters train. From the first update on at which one is frozen, whether from
the start or between two batches, the optimizer moves each parameter on its own, with its share of
the optimizer's state; as usual in torch, one without a gradient is left alone.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn


@final
class Flat:
    """Modules' parameters in one tensor; one that several share has one place.

    Attributes:
        weights_P: all weights, of which the modules' parameters are views.
        gradient_P: the gradient by all of them, of which theirs are views.
        parameters: the modules', each once.
        apart: whether the optimizer moves each parameter on its own, instead of ``weights_P``.
    """

    def __init__(self, modules: Iterable[nn.Module], apart: bool = False):
        """Lay the parameters out in the order of the modules, on the device they are on.

        ``apart`` has them moved one by one even if all train, to resume a run where that was so.
        """
        given = list(itertools.chain.from_iterable(m.parameters() for m in modules))
        self.parameters = list(dict.fromkeys(given))
        place = {w: i for i, w in enumerate(self.parameters)}
        shared = len(given) > len(place)
        self._places = [place[w] for w in given] if shared else None
        self.weights_P = nn.Parameter(torch.cat([w.detach().flatten() for w in self.parameters]))
        self.gradient_P = torch.zeros_like(self.weights_P, requires_grad=False)
        for w, value_P in zip(self.parameters, self._views(self.weights_P.detach()), strict=True):
            w.data = value_P.view_as(w)
        views = zip(self.parameters, self._views(self.gradient_P), strict=True)
        self._gradients = [g_P.view_as(w) for w, g_P in views]
        self.apart = apart or not all(w.requires_grad for w in self.parameters)

    @property
    def moved(self) -> list[nn.Parameter]:
        """What the optimizer is to move."""
        return self.parameters if self.apart else [self.weights_P]

    def attach(self) -> None:
        """Set ``.grad`` of all parameters that train to its view, in case it was set to None."""
        self.weights_P.grad = self.gradient_P
        for w, gradient in zip(self.parameters, self._gradients, strict=True):
            w.grad = gradient if w.requires_grad else None

    def take(self, parts: Sequence[Tensor], counted: int) -> Tensor:
        """Write the modules' gradients, divided by ``counted``, into the flat one.

        Returns them one after the other: the flat one itself where no parameter is shared.
        """
        if self._places is None:
            flat = self.gradient_P.split([part.numel() for part in parts])
            for part, of_P in zip(parts, flat, strict=True):
                torch.div(part, counted, out=of_P)
            return self.gradient_P
        given_P = torch.cat(list(parts)).div_(counted)
        shares = given_P.split([self.parameters[place].numel() for place in self._places])
        self.gradient_P.zero_()
        for place, share_P in zip(self._places, shares, strict=True):
            gradient = self._gradients[place]
            gradient += share_P.view_as(gradient)
        return given_P

    def ready(self, optimizer: torch.optim.Optimizer) -> None:
        """Check which parameters still train, and remove the gradient of the others."""
        trains = [w.requires_grad for w in self.parameters]
        if not self.apart and all(trains):
            return
        if not self.apart:
            self._part(optimizer)
        self.attach()

    def _part(self, optimizer: torch.optim.Optimizer) -> None:
        """Have the optimizer move each parameter on its own, with its share of the state."""
        self.apart, (group,) = True, optimizer.param_groups
        group["params"] = list(self.parameters)
        remembered = optimizer.state.pop(self.weights_P, {})
        for i, w in enumerate(self.parameters):
            optimizer.state[w] = {name: self._share(v, i) for name, v in remembered.items()}

    def _share(self, remembered: Any, i: int) -> Any:
        """Return one parameter's share of a piece of the optimizer's state."""
        if not isinstance(remembered, Tensor):
            return remembered
        if remembered.shape != self.weights_P.shape:
            return remembered.clone()
        return self._views(remembered)[i].view_as(self.parameters[i]).clone()

    def _views(self, flat_P: Tensor) -> Sequence[Tensor]:
        """Return the stretch of each parameter."""
        return flat_P.split([w.numel() for w in self.parameters])
