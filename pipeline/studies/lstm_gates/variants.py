"""One network trained on one task under probes, as rows: the trial that memory and text share.

Evaluations are rows, the last of which says how it all ended. What probes tell are rows as they
tell them, but for two: of a gate there is also the share of its values that are ``saturated``, the
shut and the open ones together; and of error there is the ``log10`` of its norm, at some steps.
"""

import abc
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from lightning_modules.cells import CELLS
from pipeline.measuring.training import Learned, SequenceTraining
from pipeline.studies.lstm_gates.starts import Started
from pipeline.study import Given

if TYPE_CHECKING:
    from lightning_modules.interfaces import Cell, Task

Removable = Literal["input", "forget", "output", "input_activation", "output_activation"]
APART = 5
"""Steps between those whose error is a row."""


class Variant(Started, SequenceTraining, abc.ABC):
    """One of the networks that are compared."""

    without: Removable | None = None
    """What is taken out of an ablated LSTM."""
    variant: str
    """What the network is called."""

    @model_validator(mode="before")
    @classmethod
    def _longest_of_chrono(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Leave out what a task says to chrono alone where the network starts otherwise."""
        if values.get("start") == "chrono":
            return values
        return {name: value for name, value in values.items() if name != "longest"}

    def cell_of(self, source: "Task") -> "Cell":
        """Return the network's cell with its weights where they start."""
        options = {} if self.without is None else {"without": self.without}
        return self.started(CELLS[self.cell](source.input_size, self.hidden_size, **options))

    def learn(self, given: Given, **options: Any) -> Learned:
        """Train; what probes tell comes first, the last evaluation at the end."""
        learned = super().learn(given, **options)
        evaluations = [row for row in learned.rows if "probe" not in row]
        of_probes = _thinned(row for row in learned.rows if "probe" in row)
        return learned._replace(rows=[*of_probes, *evaluations])


def _thinned(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Iterate over the rows that are kept; of a gate, ``below`` comes just before ``above``."""
    shut = 0.0
    for row in rows:
        value = row["value"]
        if row["quantity"] in ("below", "above"):
            yield {**row, "value": round(value, 3)}
            if row["quantity"] == "above":
                yield {**row, "quantity": "saturated", "value": round(shut + value, 3)}
            shut = value
        elif row["probe"] == "error_flow":
            if row["t"] % APART == 0:
                yield {**row, "quantity": "log10", "value": math.log10(value) if value else None}
        elif row["quantity"] != "mean":
            yield row
