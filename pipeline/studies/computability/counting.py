"""Do cells learn to count, and how far beyond what they were trained on?

a^n b^n: cells predict the next symbol of strings with n up to ``longest`` and are then given longer
ones. A string is right where every symbol behind the a's is predicted; the reach is the last n up
to which all are. A table of all that followed each beginning of a string reaches ``longest``.

Dyck-1: cells tell after each bracket whether one is open, and are then given longer sequences. A
sequence is right where every step is. The last bracket alone tells it where it opens; a table says
of the other what is more frequent.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from pipeline.measuring.evidence import above, every, ordered, share
from pipeline.measuring.statistics import median_and_range, share_in_words, with_interval
from pipeline.measuring.training import SequenceTraining
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.training.sequence import SequenceLearner

RIGHT = 0.99
"""Share of longer sequences from which on Dyck-1 counts as learned."""
FURTHER = 2
"""How many times as far as it was trained a cell that counts is expected to get, at least."""


class Counting(SequenceTraining):
    """A cell that is trained on short strings and asked for longer ones."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["anbn", "dyck1"]  # pyright: ignore[reportIncompatibleVariableOverride]
    longest: Count
    """The longest n of a^n b^n, or the length of Dyck-1, that is trained on."""
    asked: Count
    """The longest that is asked for."""

    def measure(self, given: Given) -> Rows:
        """Return evaluations, and how far the trained cell gets."""
        if self.task == "anbn":
            learned = self.learn(given, longest=self.longest)
            found = {"reach": reach(learned.learner, self.asked), "table": self.longest}
        else:
            from pipeline.tasks.dyck1 import Dyck1

            learned = self.learn(given)
            longer = Dyck1(self.seed, self.batch_size, self.asked, self.held_out_size)
            found = strings_right(learned.learner, longer)
        for row in learned.rows:
            yield {"record": "curve", **row}
        yield {"record": "end", **found}


def reach(learner: "SequenceLearner", most: int) -> int:
    """Return the n up to which every a^n b^n is right, ``most`` at the most.

    Each is read behind another string, as in training, where states go on.
    """
    import torch

    from pipeline.tasks.anbn import NEWLINE, A, B

    for n in range(1, most + 1):
        string = [A] * n + [NEWLINE] + [B] * n + [NEWLINE]
        symbols_N = torch.tensor([A, NEWLINE, B, NEWLINE, *string])
        told_N = _told(learner, symbols_N[:, None], 3)[:-1, 0]
        if not torch.equal(told_N[-(n + 1) :], symbols_N[-(n + 1) :]):
            return n - 1
    return most


def strings_right(learner: "SequenceLearner", longer: Any) -> dict[str, Any]:
    """Return the share of longer sequences that are right at every step, and of what a table is."""
    right: list[float] = []
    table: list[float] = []
    for batch in longer.held_out():
        told_TB = _told(learner, batch.x_TBI.argmax(dim=-1), longer.input_size)
        right += (told_TB == batch.y_TB).all(dim=0).tolist()
        opens_TB = batch.x_TBI.argmin(dim=-1) == 1
        table += (batch.y_TB[~opens_TB] == 1).tolist()
    return {"strings": sum(right) / len(right), "closed": sum(table) / len(table)}


def _told(learner: "SequenceLearner", symbols_TB: "Tensor", size: int) -> "Tensor":
    """Return the likeliest class after each symbol, from a zero state."""
    import torch

    x_TBI = torch.nn.functional.one_hot(symbols_TB, size).float()
    with torch.no_grad():
        s_BS = x_TBI.new_zeros(x_TBI.shape[1], learner.cell.state_size)
        states_TBS = learner.cell.follow(x_TBI, s_BS).states_TBS
        return learner.readout(states_TBS[..., : learner.cell.hidden_size]).argmax(dim=-1)


def ends(rows: pd.DataFrame, task: str, column: str) -> dict[str, pd.Series]:
    """Return what each cell came to on a task, by seed."""
    seen = rows[(rows["record"] == "end") & (rows["task"] == task)]
    if column not in seen:
        return {}
    return {
        str(cell): of.set_index("seed")[column].astype(float)
        for cell, of in seen.groupby("cell", sort=False)
    }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the LSTM to counting beyond what it saw, further than cells that do not count."""
    far = ends(rows, "anbn", "reach")
    if "lstm" in far:
        trained = int(rows.loc[rows["task"] == "anbn", "longest"].max())
        claim = f"a^n b^n, trained up to {trained}: the LSTM reaches {FURTHER} times that"
        yield (
            above(claim, far["lstm"], FURTHER * trained, expected=9, median=True)
            .stands_for(REACH)
            .if_missed(SHORT)
        )
        others = [
            ordered(f"LSTM compared with {cell}", far[cell], far["lstm"], expected=9)
            for cell in ("srn", "gru")
            if cell in far
        ]
        if others:
            yield every("a^n b^n: the LSTM reaches further", others).if_missed(SHORT)
    right = ends(rows, "dyck1", "strings")
    if "lstm" in right:
        units = int(rows.loc[rows["task"] == "dyck1", "hidden_size"].min())
        unit = "one unit" if units == 1 else f"{units} units"
        claim = (
            f"Dyck-1: an LSTM of {unit} has {RIGHT:.0%} of longer ones right, from half the starts"
        )
        yield (
            share(claim, right["lstm"] >= RIGHT, at_least=0.5, expected=10)
            .stands_for(UNIT)
            .if_missed(SHORT)
        )


REACH = Published(
    row="anbn-reach",
    source="Gers & Schmidhuber (2001), trained on n up to 10: second-hand; public reruns 65 to 100",
    value="n = 1,000",
    tolerance="twice what was trained on, of far fewer strings",
)
UNIT = Published(
    row="dyck1-one-unit",
    source="Suzgun, Gehrmann, Belinkov & Shieber (2019), section 4",
    value="one LSTM unit suffices",
    tolerance="99 % of sequences twice as long, from half the starts",
)
SHORT = "a count is as exact as training made it, and training stopped early"
"""Why a cell would not count far."""


def reached(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how far each cell got, beside what a table does."""
    end, lines = rows[rows["record"] == "end"], []
    for (task, cell), of in end.groupby(["task", "cell"], sort=False):
        line: dict[str, Any] = {"task": task, "cell": cell, "units": int(of["hidden_size"].iloc[0])}
        line |= {"trained to": int(of["longest"].iloc[0]), "asked to": int(of["asked"].iloc[0])}
        if task == "anbn":
            line |= {"reach": median_and_range(of["reach"])}
            line |= {"a table": f"{int(of['table'].iloc[0])}"}
        else:
            line |= {"learned": share_in_words(of["strings"] >= RIGHT)}
            line |= {"a table": f"{with_interval(100 * of['closed'], 1)} % of closing steps"}
        lines.append(line)
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Counting,
    expects,
    speaks_of={"cell": ("lstm",)},
    figures=(
        Table(
            name="counting",
            title="How far trained cells count",
            caption="The n up to which every a^n b^n is right: median, least and most over "
            "seeds. Dyck-1: starts from which 99 % of longer sequences are right.",
            build=reached,
        ),
        Figure(
            name="learning",
            title="Learning to count",
            caption="Loss on held-out strings of the lengths trained on; mean and range over "
            "seeds.",
            x="step",
            y="held_out_loss",
            where={"record": "curve"},
            hue="cell",
            column="task",
            log_y=True,
            labels={"step": "batches", "held_out_loss": "held-out loss (nats)"},
        ),
    ),
)
