"""What all probes have in common: when they look, how they keep values, how they make rows.

A probe keeps its measurements as tensors on the device where they are, and never waits for them.
Every ``HELD`` measurements are stacked and reduced together, so that small ones cost next to
nothing; they become Python numbers only when rows are made. A row is the mean over all measurements
since the rows before it. Where a probe allows undefined measurements, it is the mean of the defined
ones, and the row's ``defined`` says how many these were.

A probe that fails says so once, in one line, and looks no more: rows of what it kept until then are
still made, and training goes on.
"""

import abc
import functools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.instruments import InstrumentWarning, Outputs, Row, Update
from lightning_modules.probes._means import Sums, joined
from lightning_modules.probes._seen import Passage

HELD = 64
LOOKS = "passed", "updated", "gone_back"
"""The methods by which a learner shows itself to a probe."""


class Probe(Callback, abc.ABC):
    """An instrument that a learner shows itself to.

    Attributes:
        sees: what it can measure, such as passages, updates, or the outputs of a network's layers.
        needs: which of these it cannot do without; by default any of them will do.
        passage: the class of the passages that it is shown.
        every: how often it looks, in training batches, the first being one of them.
        aside: whether it failed, and looks no more.
    """

    sees: frozenset[str]
    needs: frozenset[str] = frozenset()
    passage = Passage

    def __init_subclass__(cls, **options: Any) -> None:
        """Turn failures of the methods that are called during training into remarks."""
        super().__init_subclass__(**options)
        for name in LOOKS:
            if name in vars(cls):
                setattr(cls, name, guarded(vars(cls)[name]))

    def __init__(self, every: int = 1):
        """Look at every ``every``-th batch; ValueError where that is no whole number from 1 on."""
        whole(1, every=every)
        self.every, self.aside = every, False
        self._said: set[str] = set()
        self._held: list[dict[str, Tensor]] = []
        self._sums: dict[str, list[Sums]] = {}
        self._whole: dict[str, Sums] = {}

    @property
    def name(self) -> str:
        """The name of its file."""
        return type(self).__module__.rpartition(".")[2]

    def due(self, batch: int) -> bool:
        """Tell whether it looks at this batch."""
        return batch % self.every == 0 and not self.aside

    def remark(self, what: str) -> None:
        """Say in one line, once, what it cannot see."""
        line = f"{self.name} {' '.join(what.split())}"
        if line not in self._said:
            self._said.add(line)
            warnings.warn(line, InstrumentWarning, stacklevel=3)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Have the learner show itself; TypeError where it shows nothing of what this sees."""
        attach: Any = getattr(pl_module, "attach", None)
        if attach is None:
            raise TypeError(f"{type(pl_module).__name__} is no Learner: no probe can see it")
        attach(self)

    def passed(self, seen: Passage) -> None:
        """Look at a passage before its gradient moves the weights."""
        del seen

    def updated(self, seen: Update) -> None:
        """Look at an update once it is done."""
        del seen

    def gone_back(self, seen: Outputs) -> None:
        """Look at the norms of the errors that came back to a network's layers."""
        del seen

    def keep(self, **values: Tensor) -> None:
        """Keep one measurement, whose tensors must not be written to afterwards."""
        if not values:
            return
        if self._held and _shapes(self._held[-1]) != _shapes(values):
            self._reduce()
        self._held.append(values)
        if len(self._held) == HELD:
            self._reduce()

    def reduce(self, **stacked: Tensor) -> dict[str, Tensor]:
        """Turn N measurements, the first axis, into the N values to take means of.

        What is undefined is NaN.
        """
        return stacked

    @abc.abstractmethod
    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Make rows of the means since the last rows, given in float64 on the CPU.

        A mean is NaN where one of its measurements is; ``defined_of`` leaves such ones out.
        """

    def defined_of(self, name: str) -> list[Row]:
        """Return, for each entry in order, the mean of what is defined of a quantity.

        Each is a row's ``value``, and ``defined`` where that leaves out some measurements.
        """
        whole = self._whole[name]
        parts = whole.mean, whole.defined, whole.taken
        entries = (part.flatten().tolist() for part in parts)
        return [
            {"value": value, **({"defined": defined} if 0 < defined < of else {})}
            for value, defined, of in zip(*entries, strict=True)
        ]

    def rows(self, step: int) -> list[Row]:
        """Return rows of all that was measured since the last call, and start anew.

        Each has ``probe``, ``step``, ``quantity``, ``value``, and keys that tell rows apart, such
        as ``t``, ``layer`` or ``gate``. A value that is not finite is None.
        """
        try:
            return self._rows(step)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run is not the probe's
            _stand_aside(self, error)
            self._held, self._sums = [], {}
            return []

    def _rows(self, step: int) -> list[Row]:
        self._reduce()
        self._whole = {k: joined(parts).to("cpu") for k, parts in self._sums.items()}
        means = {
            k: whole.mean.where(whole.defined == whole.taken, torch.nan)
            for k, whole in self._whole.items()
        }
        self._sums = {}
        told = self.tell(means) if means else iter(())
        rows = [{"probe": self.name, "step": step, **_finite(row)} for row in told]
        self._whole = {}
        return rows

    def _reduce(self) -> None:
        """Add what is held to the sums, those of one shape to each other."""
        if not self._held:
            return
        # After a resumption the older values may still lie on another device.
        at = next(iter(self._held[-1].values())).device
        held = {k: torch.stack([one[k].to(at) for one in self._held]) for k in self._held[0]}
        self._held = []
        for name, values in self.reduce(**held).items():
            more, parts = Sums.of(values), self._sums.setdefault(name, [])
            for i, before in enumerate(parts):
                if before.total.shape == more.total.shape:
                    parts[i] = before.plus(more)
                    break
            else:
                parts.append(more)

    def state_dict(self) -> dict[str, Any]:
        """Return what is not yet in rows, which goes into checkpoints."""
        sums = {k: [tuple(part) for part in parts] for k, parts in self._sums.items()}
        return {"held": list(self._held), "sums": sums, "aside": self.aside}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._held = state_dict["held"]
        self._sums = {k: [Sums(*part) for part in v] for k, v in state_dict["sums"].items()}
        self.aside = state_dict.get("aside", False)


def guarded(look: Callable[..., None]) -> Callable[..., None]:
    """Return a probe's method so wrapped that the probe looks no more once the method failed."""

    @functools.wraps(look)
    def safely(self: Probe, *args: Any, **options: Any) -> None:
        if self.aside:
            return
        try:
            look(self, *args, **options)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run is not the probe's
            _stand_aside(self, error)

    return safely


def _stand_aside(probe: Probe, error: Exception) -> None:
    probe.aside = True
    probe.remark(f"stands aside: {type(error).__name__}: {error}".rstrip(": "))


def _shapes(values: dict[str, Tensor]) -> list[tuple[str, torch.Size]]:
    """Return what must be alike in measurements that are stacked."""
    return [(name, value.shape) for name, value in values.items()]


def _finite(row: Row) -> Row:
    """Return the row, with None for a value that is not finite."""
    value = row["value"]
    return row if isinstance(value, float) and math.isfinite(value) else {**row, "value": None}
