"""Which tasks does guessing not solve, and who does?

Temporal order, where two symbols and their order are to be kept, and adding, where two numbers
are: no few strong weights do that. Beside guessing, the control, stand the networks that are
trained, all of as many units.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import share
from pipeline.measuring.statistics import share_in_words
from pipeline.studies.memory.runs import GUESSING, Remembering, ends
from pipeline.study import Claim, Figure, Part, Table

GATED = "gru", "lstm"


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold guessing to failing where gated networks learn."""
    for task, seen in ends(rows).groupby("task", sort=False):
        solved = {str(n): r.set_index("seed")["solved"] for n, r in seen.groupby("network")}
        where = f"{task}, T = {seen['length'].iloc[0]:.0f}"
        if GUESSING in solved:
            most = seen.loc[seen["network"] == GUESSING, "guesses"].iloc[0]
            claim = f"{where}: {most:.0f} guesses solve it for fewer than half of the seeds"
            yield share(claim, ~solved[GUESSING], at_least=0.5, expected=3)
        for name in GATED:
            if name in solved:
                claim = f"{where}: {name} solves it from most starts"
                yield share(claim, solved[name], at_least=0.5, expected=3)


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many seeds of each network solve each task, guessing among them."""
    lines: dict[str, dict[str, str]] = {}
    for (name, task), runs in ends(rows).groupby(["network", "task"], sort=False):
        words = share_in_words(runs["solved"])
        if name == GUESSING:
            words += f", by {runs['guessed'].mean():.0f} draws on average"
        lines.setdefault(str(name), {})[f"{task}, {runs['length'].iloc[0]:.0f} steps"] = words
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()]).fillna("")


PART = Part(
    __doc__,
    Remembering,
    expects,
    speaks_of={"network": (GUESSING, *GATED)},
    figures=(
        Table(
            name="tasks",
            title="Tasks that guessing does not solve",
            caption="How many seeds solve each: 99 % of held-out orders right, or a squared error "
            "of the sum below .04; in brackets the 95 % interval of the share.",
            build=_table,
        ),
        Figure(
            name="learning",
            title="Held-out loss along training",
            caption="Mean and range over seeds; guessing is a point.",
            x="step",
            y="held_out_loss",
            hue="network",
            column="task",
            log_y=True,
            labels={"step": "batches", "held_out_loss": "loss"},
        ),
    ),
)
