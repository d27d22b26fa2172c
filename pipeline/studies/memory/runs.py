"""One network on one task of memory: trained, or its weights guessed, which is the control.

A task is solved where, at the end, 99 % of held-out sequences are right, or the squared error of
the adding problem is below 0.04. Guessing draws all weights anew, uniform in ± ``spread``, until a
draw answers its first ``batch_size`` sequences that well, then looks at the held-out ones: a draw
that fails there does not count, and the search goes on.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import PositiveFloat, model_validator

from lightning_modules.cells import CELLS
from pipeline.measuring.training import SequenceTraining
from pipeline.study import Count, Given, Row, Rows

if TYPE_CHECKING:
    from lightning_modules.interfaces import Batch, Cell, Task
    from lightning_modules.training.sequence import SequenceLearner

RIGHT, ERROR = 0.99, 0.04
"""Where a task is solved: Hochreiter & Schmidhuber's mark for a sum is an error below .04."""
GUESSING = "guessing"
RUN = ["network", "task", "length", "seed"]
"""What tells runs apart."""


class Remembering(SequenceTraining):
    """A network that is to remember, or the search for weights that do."""

    network: str
    """What it is called."""
    delays: Count | None = None
    """Of a NARX network."""
    guesses: Count | None = None
    """Draws at most, where weights are guessed and not trained."""
    spread: PositiveFloat | None = None
    """Of the guesses."""

    @model_validator(mode="after")
    def _guessed(self) -> "Remembering":
        if (self.guesses is None) != (self.spread is None):
            raise ValueError("guesses and spread go together: give both or none")
        if (self.guesses is None) == (self.network == GUESSING):
            raise ValueError(f"guesses goes with the network {GUESSING!r}, and with no other")
        return self

    def cell_of(self, source: "Task") -> "Cell":
        """Return the cell with its weights where they start."""
        options = {} if self.delays is None else {"delays": self.delays}
        return CELLS[self.cell](source.input_size, self.hidden_size, **options)

    def measure(self, given: Given) -> Rows:
        """Return every evaluation, or the end of the search; the last row says what was solved."""
        if self.guesses is not None:
            return self._guess(given, self.guesses)
        rows = self.learn(given).rows
        return [*rows[:-1], {**rows[-1], "solved": _solved(rows[-1])}]

    def _guess(self, given: Given, most: int) -> Row:
        """Draw weights until some solve the task, ``most`` times at most."""
        import torch

        source = self.task_of(given)
        learner = self.learner_of(source, self.cell_of(source))
        learner.begin(source)
        random = torch.Generator().manual_seed(self.seed)
        first, held_out = [source.batch(0)], list(source.held_out())
        for drawn in range(1, most + 1):
            _draw(learner, self.spread or 0.0, random)
            if _solved(_seen(learner, first)):
                seen = _seen(learner, held_out)
                if _solved(seen):
                    return {"step": drawn, "guessed": drawn, **seen, "solved": True}
        return {"step": most, "guessed": most, **_seen(learner, held_out), "solved": False}


def _draw(learner: "SequenceLearner", spread: float, random: Any) -> None:
    """Set all weights to a draw of their own."""
    import torch

    with torch.no_grad():
        for weights in learner.parameters():
            weights.uniform_(-spread, spread, generator=random)


def _seen(learner: "SequenceLearner", batches: "list[Batch]") -> Row:
    """Return how well batches are answered, as a row of an evaluation has it."""
    import torch

    from lightning_modules.training.losses import counted_only

    loss, right, counted = 0.0, 0, 0
    with torch.no_grad():
        for batch, z_TBO in learner.outputs(batches):
            z_NO, y_N = counted_only(z_TBO, batch.y_TB, batch.mask_TB)
            loss += float(learner.loss.value(z_NO, y_N))
            counted += len(z_NO)
            if learner.loss.classifies:
                right += int((z_NO.argmax(dim=-1) == y_N).sum())
    accuracy = right / counted if learner.loss.classifies else None
    return {"held_out_loss": loss / counted, "held_out_accuracy": accuracy, "diverged": False}


def _solved(row: Row) -> bool:
    """Tell whether an evaluation is of a network that solves the task."""
    loss, right = row["held_out_loss"], row["held_out_accuracy"]
    if row["diverged"] or loss is None:
        return False
    return float(loss) < ERROR if right is None else float(right) >= RIGHT


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each run that says whether it solved its task."""
    last = rows[rows["solved"].notna()]
    return last.assign(solved=last["solved"].astype(bool))
