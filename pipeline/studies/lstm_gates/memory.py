"""Which networks remember, and which parts of the LSTM make it so?

Three tasks whose answers hang on what came many steps ago: the sum of two marked numbers, the
order of two symbols, and the embedded Reber grammar, where the last symbol but one repeats the
second. Every network has the same units and learns from the same batches, with Adam and the
gradient's norm clipped. A task is solved where, at the end, the squared error is below 0.005, or
99 % of held-out sequences are right; a string is right if at each of its steps every legal symbol
comes before every illegal one.

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8): the tasks.
    Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear
        units, arXiv:1504.00941: adding.
    Cleeremans, Servan-Schreiber & McClelland (1989), Finite state automata and simple recurrent
        networks, Neural Computation 1(3): one step back fails on embedded strings.
    Greff et al. (2017), LSTM: a search space odyssey, IEEE Transactions on Neural Networks and
        Learning Systems 28(10): the parts, on speech, handwriting and music.
"""

import math
from collections.abc import Iterator

import pandas as pd
from pydantic import field_validator

from lightning_modules.registry import nearest
from pipeline.measuring.evidence import above, below, every, monotone, rarer
from pipeline.measuring.statistics import line, share_in_words
from pipeline.measuring.training import Learned
from pipeline.studies.lstm_gates import comparison
from pipeline.studies.lstm_gates.comparison import (
    DEAR,
    WITHOUT,
    by_network,
    final_evaluations,
    in_words,
    probe_rows,
)
from pipeline.studies.lstm_gates.variants import Variant
from pipeline.study import Claim, Figure, Given, Part, Published, Row, Rows, Table

ASKED = ("adding", "temporal_order", "embedded_reber")
ERROR, RIGHT = 0.005, 0.99
"""Where a task is solved."""
GUESSED = 0.75
"""Halfway between guessing one of two and knowing."""
FEWER = 1 / 5
"""The least share of starts by which what a part is worth is told from nothing."""
AT_THE_END = ("adding", "temporal_order")
"""Tasks of which the last step alone has a loss: all error comes from there."""
FLAT = 1e-6
"""A rate within rounding of the probe's float32, which is none."""


class Memory(Variant):
    """One network on one task."""

    @field_validator("task")
    @classmethod
    def _asked_about(cls, task: str) -> str:
        if task not in ASKED:
            raise ValueError(f"{task!r} is not asked about here: {nearest(task, ASKED)}")
        return task

    def measure(self, given: Given) -> Rows:
        """Train; return the rows, the last of which says whether the task was solved."""
        learned = self.learn(given)
        learned.rows[-1] |= _solved(self.task, learned)
        return learned.rows


def _solved(task: str, learned: Learned) -> Row:
    """Return whether a task is solved, and how much is right, by the last evaluation."""
    import torch

    last = learned.rows[-1]
    if last["diverged"]:
        return {"solved": False}
    if task == "embedded_reber":
        with torch.no_grad():
            outputs = learned.learner.outputs(learned.source.held_out())
            legal = learned.source.legality(outputs)
        return {"solved": legal["strings_right"] >= RIGHT, **legal}
    error, right = last["held_out_loss"], last["held_out_accuracy"]
    return {"solved": error < ERROR if right is None else right >= RIGHT}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold each task to what is expected of it."""
    for task, seen in rows.groupby("task", sort=False):
        yield from _OF_TASK[str(task)](f"{task}, T = {_length(seen)}", seen)
        yield from _what_parts_cost(str(task), by_network(seen, "solved"))
        yield from comparison.training_saturates(str(task), seen)
        yield from comparison.memory_fills(str(task), seen)
        yield from _reach_of_error(str(task), seen)


def _length(seen: pd.DataFrame) -> str:
    known = "length" in seen and seen["length"].notna().all()
    return f"{seen['length'].iloc[0]:.0f}" if known else "9 or more"


def _adding(where: str, seen: pd.DataFrame) -> Iterator[Claim]:
    loss = by_network(seen, "held_out_loss")
    for name in ("lstm", "gru"):
        if name in loss:
            yield below(f"{where}: {name} ends below {ERROR}", loss[name], ERROR, expected=3)
    if "srn" in loss:
        yield above(f"{where}: srn ends above 0.1", loss["srn"], 0.1, expected=3)


def _order(where: str, seen: pd.DataFrame) -> Iterator[Claim]:
    right = by_network(seen, "held_out_accuracy")
    if "residual" in right:
        # Three standard errors of a share of the held-out sequences, above what is possible.
        most = 0.75 + 3 * (0.75 * 0.25 / seen["held_out_size"].iloc[0]) ** 0.5
        claim = f"{where}: residual cannot tell two of the orders apart (≤ {most:.1%})"
        yield below(claim, right["residual"], most, expected=5)


def _reber(where: str, seen: pd.DataFrame) -> Iterator[Claim]:
    del where
    strings = by_network(seen, "strings_right")
    if "lstm" in strings:
        claim = f"embedded_reber: lstm gets {RIGHT:.0%} of the strings right"
        yield above(claim, strings["lstm"], RIGHT, expected=4).stands_for(REBER_LSTM)
    for name, right in by_network(seen, "last_but_one_right").items():
        if name.startswith("srn"):
            claim = f"embedded_reber: {name} fails on the last symbol but one (< {GUESSED:.0%})"
            found = below(claim, right, GUESSED, expected=4).if_missed(WHOLE_STRINGS)
            yield found if name == "srn" else found.stands_for(REBER_ELMAN)


REBER_LSTM = Published(
    row="reber-lstm",
    source="Hochreiter & Schmidhuber (1997), table 1: embedded Reber grammar",
    value="every run learns it, after 8,440 strings (3 blocks of 2 cells)",
    tolerance=f"{RIGHT:.0%} of held-out strings right; ours learns by Adam, from 16,000 strings",
)
REBER_ELMAN = Published(
    row="reber-elman",
    source="Hochreiter & Schmidhuber (1997), table 1, of Elman's network",
    value="no run learns it, in more than 200,000 strings",
    tolerance=f"the last symbol but one right in less than {GUESSED:.0%} of held-out strings",
)
WHOLE_STRINGS = (
    "BPTT over whole strings as short as these reaches the second symbol; the failure that is "
    "known is of one step back, which fails here, too"
)
"""Why Elman's network would not fail."""


def _what_parts_cost(task: str, solved: dict[str, pd.Series]) -> Iterator[Claim]:
    """Claim what it costs to take out a part, and to couple the gates."""
    without = {part: solved[name] for part in DEAR if (name := f"{WITHOUT}{part}") in solved}
    for part, of in without.items():
        if "lstm" in solved:
            claim = f"{task}: without {part}, one start in five fewer solves it than with it"
            yield rarer(claim, of, solved["lstm"], by=FEWER, expected=7).if_missed(KEEPS)
    if "coupled_lstm" in solved and len(without) == len(DEAR):
        coupled = solved["coupled_lstm"]
        pairs = (
            rarer(f"without {part}", of, coupled, by=-FEWER, expected=8)
            for part, of in without.items()
        )
        claim = f"{task}: coupled gates cost no more than either"
        yield every(claim, pairs).if_missed(COUPLED)


KEEPS = "too little to remember, for too few steps, to need the part: most starts do without it"
COUPLED = (
    "it is not reach that coupled gates lack, since the other tasks they solve from every start: "
    "a unit that keeps the second symbol can take in nothing else meanwhile"
)


def _reach_of_error(task: str, seen: pd.DataFrame) -> Iterator[Claim]:
    """Claim that error reaches further back the higher LSTM's forget bias, once learning began."""
    by_bias = {"forget bias -1": -1, "lstm": 1, "forget bias 4": 4}
    seen = seen[seen["variant"].isin(by_bias)]
    early = rates(seen[seen["step"] == seen.loc[seen["probe"].notna(), "step"].min()])
    levels = early.pivot_table(index="seed", columns="variant", values="rate")
    if levels.shape[1] == len(by_bias):
        claim = f"{task}: early on, error reaches further back with lstm's forget bias -1, 1, 4"
        yield monotone(claim, levels[list(by_bias)], falls=True, expected=10)


_OF_TASK = {"adding": _adding, "temporal_order": _order, "embedded_reber": _reber}


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many seeds of each network solved each task, and every seed's loss at the end."""
    lines: dict[str, dict[str, str]] = {}
    for (variant, task), seen in final_evaluations(rows).groupby(["variant", "task"], sort=False):
        solved = share_in_words(seen["solved"].astype(bool))
        words = f"{solved}: {in_words(seen['held_out_loss'])}"
        lines.setdefault(str(variant), {})[str(task)] = words
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()])


def strings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each network gets right of the embedded Reber grammar."""
    seen = final_evaluations(rows[rows["task"] == "embedded_reber"])
    names = {
        "strings_right": "strings",
        "last_but_one_right": "last but one",
        "steps_right": "steps",
    }
    means = seen.groupby("variant", sort=False)[list(names)].mean()
    return means.rename(columns=names).rename_axis("network").reset_index().round(3)


def rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how much ln ‖∂L/∂h‖ falls a step back, by task, network, seed and stretch."""
    seen = probe_rows(rows, "error_flow", "log10").dropna(subset=["value"])
    seen = seen[seen["task"].isin(AT_THE_END)]
    lines = []
    for at, of_run in seen.groupby(["task", "variant", "seed", "step"], sort=False):
        if len(of_run) > 1:
            slope, _, _ = line(of_run["t"].tolist(), of_run["value"].tolist())
            lines.append([*at, slope * math.log(10)])  # pyright: ignore[reportGeneralTypeIssues]
    return pd.DataFrame(lines, columns=["task", "variant", "seed", "step", "rate"])


def horizons(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the horizon of each network, early and late, on the tasks judged at their end."""
    lines: dict[str, dict[str, str]] = {}
    for (variant, task), seen in rates(rows).groupby(["variant", "task"], sort=False):
        rate = seen.groupby("step")["rate"].median()
        words = f"{_steps(rate.iloc[0])} → {_steps(rate.iloc[-1])}"
        lines.setdefault(str(variant), {})[str(task)] = words
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()]).fillna("")


def _steps(rate: float) -> str:
    """Return 1 / rate as words; a rate within rounding of the probe's float32 is none."""
    if abs(rate) < FLAT:
        return "no decay"
    return f"{1 / rate:.1f}" if rate > 0 else "grows"


PART = Part(
    __doc__,
    Memory,
    expects,
    speaks_of={"variant": (*comparison.CURVES, *comparison.RESIDUAL)},
    figures=(
        Table(
            name="memory-final",
            title="How many starts solved the task, and how each ended",
            caption="Solved, with the share's 95 % interval; then every seed's held-out loss, the "
            "least first: squared error of adding, where remembering nothing costs 1/6, and nats "
            "of the others.",
            build=final,
        ),
        Table(
            name="memory-strings",
            title="What is right of the embedded Reber grammar",
            caption="Share of held-out strings right throughout, of those right at the last symbol "
            "but one, and of steps; means over seeds.",
            build=strings,
        ),
        comparison.learning_curves("memory-curves", "Learning to remember"),
        comparison.lstm_gates("memory-gates", "task"),
        comparison.saturation("memory-saturation"),
        comparison.memory_saturates("memory-residual"),
        Table(
            name="memory-horizons",
            title="Horizon of error, early and late in training, in steps",
            caption="Steps over which ‖∂L/∂h‖ falls by e, by its slope over the whole sequence, in "
            "the first and in the last stretch of training; of tasks whose loss is all at the last "
            "step. Median over seeds.",
            build=horizons,
        ),
        Figure(
            name="memory-flow",
            title="Error along the sequence over training, adding problem",
            caption="log₁₀ ‖∂L/∂h‖ by step of the sequence, mean over the batches since the column "
            "before, and over seeds; all of it comes from the last step.",
            where={
                "probe": "error_flow",
                "task": "adding",
                "variant": ("lstm", "gru", "srn", "forget bias -1"),
            },
            x="step",
            y="t",
            hue="value",
            column="variant",
            kind="heatmap",
            labels={**comparison.LABELS, "t": "step of the sequence", "value": "log₁₀ of the norm"},
        ),
    ),
)
