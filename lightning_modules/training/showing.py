"""How a learner shows its passages and updates to the probes that look."""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.instruments import Instrument, Update
from lightning_modules.interfaces import Batch
from lightning_modules.training.clipping import Clip
from lightning_modules.training.losses import Loss, counted_only
from lightning_modules.training.readout import ReadoutCredit


def that_train(
    names: Sequence[str], weights: Sequence[nn.Parameter]
) -> tuple[list[str], list[nn.Parameter]]:
    """Return those weights that an update moves, with their names: not frozen, with a gradient."""
    pairs = zip(names, weights, strict=True)
    moved = [(name, w) for name, w in pairs if w.requires_grad and w.grad is not None]
    return [name for name, _ in moved], [w for _, w in moved]


@final
class Move:
    """An update under way: made before the gradient is clipped, done when the weights moved."""

    def __init__(
        self,
        probes: Sequence[Instrument],
        names: Sequence[str],
        weights: Sequence[nn.Parameter],
        gradients: Sequence[Tensor],
        clip: Clip | None,
    ):
        """Copy the weights, and the gradients where they will be clipped: of those that train.

        Where none does there is no update to show.
        """
        self._probes = [probe for probe in probes if "updates" in probe.sees and weights]
        if not self._probes:
            return
        self._names, self._weights, self._gradients = names, weights, gradients
        self._before = [w.detach().clone() for w in weights]
        self._raw = gradients if clip is None else [g.clone() for g in gradients]
        self._threshold = None if clip is None else clip.threshold

    @torch.no_grad()
    def done(self) -> None:
        """Show the update."""
        if not self._probes:
            return
        after = [w.detach() for w in self._weights]
        of_gradient = self._raw, self._gradients, self._threshold
        update = Update(self._names, self._before, after, *of_gradient)
        for probe in self._probes:
            probe.updated(update)


@final
class Kept:
    """A credit that keeps what it returned for all steps at once, ``direct_TBS``; None before."""

    def __init__(self, credit: ReadoutCredit):
        """Pass ``credit`` on."""
        self._credit = credit
        self.direct_TBS: Tensor | None = None

    def __call__(self, t: int, s_BS: Tensor) -> Tensor:
        """Return step t's credit."""
        return self._credit(t, s_BS)

    def sequence(self, s_TBS: Tensor) -> Tensor:
        """Return the credit of all steps, and keep it."""
        self.direct_TBS = self._credit.sequence(s_TBS)
        return self.direct_TBS


@final
class Read:
    """The losses of a linear readout along a stretch of a sequence: see ``Reading``."""

    def __init__(self, readout: nn.Linear, loss: Loss, stretch: Batch):
        """Read ``readout`` against the targets of ``stretch``."""
        self._readout, self._loss, self._stretch = readout, loss, stretch

    def direct(self, samples: slice, states_TBS: Tensor) -> Tensor:
        """Return the losses' direct derivative by the states."""
        return self.credit(samples).sequence(states_TBS)

    def credit(self, samples: slice) -> ReadoutCredit:
        """Return a new credit of these losses, which sums up its own losses and gradients."""
        y_TB, mask_TB = self._stretch.y_TB[:, samples], self._stretch.mask_TB[:, samples]
        counted_T: list[int] = mask_TB.sum(dim=1).tolist()
        return ReadoutCredit(self._readout, self._loss, y_TB, mask_TB, counted_T)

    def counted(self, samples: slice) -> int:
        """Count the outputs."""
        return int(self._stretch.mask_TB[:, samples].sum())

    def loss(self, samples: slice, h_TBH: Tensor, shift_P: Tensor) -> Tensor:
        """Return the summed losses under the readout's weights plus ``shift_P``."""
        V_OH, c_O = self._readout.weight.detach(), self._readout.bias.detach()
        of_V, of_c = shift_P.split([V_OH.numel(), len(c_O)])
        z_TBO = nn.functional.linear(h_TBH, V_OH + of_V.view_as(V_OH), c_O + of_c)
        y_TB, mask_TB = self._stretch.y_TB[:, samples], self._stretch.mask_TB[:, samples]
        return self._loss.value(*counted_only(z_TBO, y_TB, mask_TB))
