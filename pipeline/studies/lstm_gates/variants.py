"""The networks that are compared: how a section lists them, how trials name and build them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import PositiveInt, model_validator

from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Cell
from lightning_modules.starts import STARTS
from pipeline.study import Section, Trial, named

Removable = Literal["input", "forget", "output", "input_activation", "output_activation"]


class Variants(Section):
    """The networks; those of which nothing else is said start as their cells do."""

    cells: list[Annotated[str, named(CELLS)]]
    without: list[Removable]
    """What is taken out of LSTM, one at a time."""
    forget_biases: list[float]
    """Of LSTM, besides its own, which is 1."""
    chrono: bool
    """Whether LSTM is started with memories of many lengths, too."""
    horizons: list[PositiveInt]
    """Of truncated BPTT, by which Elman's network learns beside learning by BPTT."""

    @model_validator(mode="after")
    def _compared(self) -> "Variants":
        if missing := {"lstm", "srn"} - set(self.cells):
            raise ValueError(f"cells lack {', '.join(sorted(missing))}: all are compared with both")
        return self


def variants(p: Variants, longest: int | None) -> Iterator[Trial]:
    """Iterate over the networks; ``longest`` is chrono's on a task, None to leave it out."""
    named_by = ("cell", "without", "start", "bias", "horizon")
    for trial in _listed(p, longest):
        yield {"variant": called(**{k: trial[k] for k in named_by}), **trial}


def _listed(p: Variants, longest: int | None) -> Iterator[dict[str, Any]]:
    plain = {
        "without": None,
        "start": None,
        "bias": None,
        "longest": None,
        "algorithm": "bptt",
        "horizon": None,
    }
    yield from ({"cell": cell, **plain} for cell in p.cells)
    yield from ({"cell": "ablated_lstm", **plain, "without": part} for part in p.without)
    lstm = {"cell": "lstm", **plain}
    yield from ({**lstm, "start": "forget_bias", "bias": bias} for bias in p.forget_biases)
    if p.chrono and longest is not None:
        yield {**lstm, "start": "chrono", "longest": longest}
    for horizon in p.horizons:
        yield {"cell": "srn", **plain, "algorithm": "tbptt", "horizon": horizon}


def build(
    cell: str,
    without: str | None,
    start: str | None,
    bias: float | None,
    longest: int | None,
    input_size: int,
    hidden_size: int,
) -> Cell:
    """Build a network's cell with its weights where they start."""
    given: dict[str, Any] = {} if without is None else {"without": without}
    network = CELLS[cell](input_size, hidden_size, **given)
    if start is not None:
        options = {"bias": bias, "longest": longest}
        STARTS[start](**{k: v for k, v in options.items() if v is not None}).apply(network)
    return network


def called(
    cell: str, without: str | None, start: str | None, bias: float | None, horizon: int | None
) -> str:
    """Return what a network is called: its cell, or what sets it apart from LSTM."""
    if without is not None:
        return f"without {without.replace('_', ' ')}"
    if start is not None:
        return start if bias is None else f"forget bias {bias:g}"
    return cell if horizon is None else f"{cell} by tbptt({horizon})"
