"""A passage under a readout, shown to probes, and what automatic differentiation says of it."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Algorithm, Batch, Cell
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage, Row
from lightning_modules.training.losses import LOSSES, counted_only
from lightning_modules.training.readout import ReadoutCredit
from lightning_modules.training.showing import Kept, Read

T, B, O = 11, 3, 2  # noqa: E741


@dataclasses.dataclass
class Scene:
    """A cell and its readout before a batch with masked losses and resets in its middle."""

    cell: Cell
    readout: nn.Linear
    batch: Batch
    s_BS: Tensor
    loss: str

    @property
    def weights(self) -> dict[str, Tensor]:
        """All weights by name, the cell's first."""
        parts = (("cell", self.cell), ("readout", self.readout))
        return {f"{of}.{k}": w.detach() for of, m in parts for k, w in m.named_parameters()}

    def passage(self, algorithm: Algorithm | None = None) -> Passage:
        """Run an algorithm, BPTT by default, and return what probes see of it."""
        batch, loss = self.batch, LOSSES[self.loss]
        counted_T: list[int] = batch.mask_TB.sum(1).tolist()
        credit = ReadoutCredit(self.readout, loss, batch.y_TB, batch.mask_TB, counted_T)
        rule, kept = algorithm or BPTT(), Kept(credit)
        run = rule.run(self.cell, batch.x_TBI, self.s_BS, kept, None, batch.resets_TB)
        return Passage(
            self.cell,
            batch.x_TBI,
            self.s_BS,
            batch.resets_TB,
            run,
            Read(self.readout, loss, batch),
            credit.counted,
            [t for t, counted in enumerate(counted_T) if counted],
            torch.cat([run.gradient_P, credit.gradient_P]) / credit.counted,
            kept.direct_TBS,
        )

    def mean_loss(self, weights: dict[str, Tensor] | None = None, first: int = B) -> Tensor:
        """Return L of the first samples, step by step through ``cell.forward``."""
        weights, s_BS, outputs = weights or self.weights, self.s_BS[:first], []
        of_cell, of_readout = (
            {k.partition(".")[2]: w for k, w in weights.items() if k.startswith(of)}
            for of in ("cell.", "readout.")
        )
        x_TBI, y_TB, mask_TB, resets_TB = (part[:, :first] for part in self.batch)
        for x_BI, resets_B in zip(x_TBI, resets_TB, strict=True):
            s_BS = functional_call(self.cell, of_cell, (x_BI, s_BS * ~resets_B[:, None]))
            h_BH = s_BS[:, : self.cell.hidden_size]
            outputs.append(functional_call(self.readout, of_readout, h_BH))
        counted = counted_only(torch.stack(outputs), y_TB, mask_TB)
        return LOSSES[self.loss].value(*counted) / mask_TB.sum()

    def alone(self, b: int) -> "Scene":
        """Return the scene of one sample."""
        one = slice(b, b + 1)
        return dataclasses.replace(
            self, batch=Batch(*(part[:, one] for part in self.batch)), s_BS=self.s_BS[one]
        )

    def gradient(self) -> dict[str, Tensor]:
        """Return the gradient of L by all weights."""
        return grad(self.mean_loss)(self.weights)

    def totals(self) -> list[Tensor]:
        """Return ∂L/∂h_t of each layer by automatic differentiation, (T, B, H), bottom first."""
        made: list[tuple[Tensor, int]] = []
        s_BS, outputs = self.s_BS, []
        for x_BI, resets_B in zip(self.batch.x_TBI, self.batch.resets_TB, strict=True):
            s_BS = _step(self.cell, x_BI, s_BS * ~resets_B[:, None], made)
            outputs.append(self.readout(s_BS[:, : self.cell.hidden_size]))
        counted = counted_only(torch.stack(outputs), self.batch.y_TB, self.batch.mask_TB)
        loss = LOSSES[self.loss].value(*counted) / self.batch.mask_TB.sum()
        found = torch.autograd.grad(loss, [s for s, _ in made], materialize_grads=True)
        cut = [g[:, :hidden] for g, (_, hidden) in zip(found, made, strict=True)]
        layers = len(made) // T
        return [torch.stack(cut[layer::layers]) for layer in range(layers)]


def _step(cell: Cell, x_BI: Tensor, s_BS: Tensor, made: list[tuple[Tensor, int]]) -> Tensor:
    """Take a step, noting the new state of each layer and how much of it is h."""
    if not isinstance(cell, Stack):
        made.append((cell(x_BI, s_BS), cell.hidden_size))
        return made[-1][0]
    layers: list[Any] = list(cell.cells)
    parts = s_BS.split([layer.state_size for layer in reversed(layers)], dim=-1)[::-1]
    new: list[Tensor] = []
    for layer, part in zip(layers, parts, strict=True):
        new.append(_step(layer, x_BI, part, made))
        x_BI = new[-1][:, : layer.hidden_size]
    return torch.cat(new[::-1], dim=-1)


def scene(cell: Cell, loss: str = "cross_entropy", resets: bool = True, seed: int = 0) -> Scene:
    """Return a random scene in float64."""
    torch.manual_seed(seed)
    mask_TB, resets_TB = torch.rand(T, B) < 0.6, torch.zeros(T, B, dtype=torch.bool)
    mask_TB[4:6], mask_TB[-1, 0] = False, True
    if resets:
        resets_TB[T // 3, 0] = resets_TB[T // 2, -1] = True
    y_TB = torch.randint(O, (T, B)) if loss == "cross_entropy" else torch.randn(T, B, O).double()
    x_TBI = torch.randn(T, B, cell.input_size).double()
    s_BS = torch.randn(B, cell.state_size).double()
    readout = nn.Linear(cell.hidden_size, O).double()
    return Scene(cell.double(), readout, Batch(x_TBI, y_TB, mask_TB, resets_TB), s_BS, loss)


def told(probe: Probe, seen: Iterable[Passage]) -> list[Row]:
    """Show the passages to the probe and return its rows."""
    with torch.no_grad():
        for passage in seen:
            probe.passed(passage)
    return probe.rows(0)


def value(rows: list[Row], **at: object) -> float:
    """Return the value of the one row that is so."""
    (found,) = [row for row in rows if all(row.get(k) == v for k, v in at.items())]
    assert isinstance(found["value"], float), found
    return found["value"]


def near(expected: float | Tensor) -> Any:
    """Return what equals the value to 1e-10."""
    return pytest.approx(float(expected), rel=1e-10, abs=1e-13)
