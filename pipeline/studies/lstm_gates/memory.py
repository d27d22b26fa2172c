"""Which networks remember, and which parts of the LSTM make it so?

Three tasks whose answers hang on what came many steps ago: the sum of two marked numbers, the
order of two symbols, and the embedded Reber grammar, where the last symbol but one repeats the
second. Every network has the same units and learns from the same batches, with Adam and the
gradient's norm clipped. A task is solved where, at the end, the squared error is below 0.005, or
99 % of held-out sequences are right; a string is right if at each of its steps every legal symbol
comes before every illegal one.

Expected: on adding, of 50 steps, LSTM and GRU end below 0.005 and Elman's network above 0.1
(medians over seeds). LSTM gets 99 % of strings right. Elman's network fails on the last symbol but
one, by BPTT as by the one step back that it was first trained with: right in less than 3 of 4
strings, halfway between guessing and knowing. The first residual form, whose state is a sum
without order, confuses two of the four orders, as it must: at most 3 of 4 right. Taking out the
forget gate or the output activation costs most, coupled gates less. Training saturates gates.
Early in training error falls more slowly, on the way back, the higher LSTM's forget bias.

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
from pipeline.measuring.statistics import line
from pipeline.measuring.training import Learned
from pipeline.studies.lstm_gates import comparison
from pipeline.studies.lstm_gates.comparison import final_evaluations, final_losses, probe_rows
from pipeline.studies.lstm_gates.variants import Variant, formerly
from pipeline.study import Check, Figure, Given, Part, Row, Rows, Table

ASKED = ("adding", "temporal_order", "embedded_reber")
ERROR, RIGHT = 0.005, 0.99
"""Where a task is solved."""
GUESSED = 0.75
"""Halfway between guessing one of two and knowing."""
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


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold each task to what is expected of it."""
    for task, seen in rows.groupby("task", sort=False):
        yield from _OF_TASK[str(task)](f"{task}, T = {_length(seen)}", seen)
        yield from comparison.what_parts_cost(str(task), seen)
        yield from comparison.training_saturates(str(task), seen)
        yield from _reach_of_error(str(task), seen)


def _length(seen: pd.DataFrame) -> str:
    known = "length" in seen and seen["length"].notna().all()
    return f"{seen['length'].iloc[0]:.0f}" if known else "9 or more"


def _adding(where: str, seen: pd.DataFrame) -> Iterator[Check]:
    loss = final_losses(seen)
    for name in ("lstm", "gru"):
        if name in loss:
            claim = f"{where}: {name} ends below {ERROR}"
            yield Check(claim, bool(loss[name] < ERROR), f"{loss[name]:.4f}")
    if "srn" in loss:
        yield Check(f"{where}: srn ends above 0.1", bool(loss["srn"] > 0.1), f"{loss['srn']:.4f}")


def _order(where: str, seen: pd.DataFrame) -> Iterator[Check]:
    right = final_evaluations(seen).groupby("variant")["held_out_accuracy"].max()
    if "residual" in right:
        # Three standard errors of a share of the held-out sequences, above what is possible.
        most = 0.75 + 3 * (0.75 * 0.25 / seen["held_out_size"].iloc[0]) ** 0.5
        claim = f"{where}: residual cannot tell two of the orders apart (≤ {most:.1%})"
        yield Check(claim, bool(right["residual"] <= most), f"at most {right['residual']:.1%}")


def _reber(where: str, seen: pd.DataFrame) -> Iterator[Check]:
    del where
    by_variant = final_evaluations(seen).groupby("variant")
    strings = by_variant["strings_right"].mean()
    if "lstm" in strings:
        claim = f"embedded_reber: lstm gets {RIGHT:.0%} of the strings right"
        yield Check(claim, bool(strings["lstm"] >= RIGHT), f"{strings['lstm']:.1%}")
    last = by_variant["last_but_one_right"].mean()
    for name in last.index[last.index.str.startswith("srn")]:
        claim = f"embedded_reber: {name} fails on the last symbol but one (< {GUESSED:.0%})"
        yield Check(claim, bool(last[name] < GUESSED), f"{last[name]:.1%}")


def _reach_of_error(task: str, seen: pd.DataFrame) -> Iterator[Check]:
    """Check that error reaches further back the higher LSTM's forget bias, once learning began."""
    rate_by_run = rates(seen)
    by_bias = {"forget bias -1": -1, "lstm": 1, "forget bias 4": 4}
    early = rate_by_run[rate_by_run["step"] == rate_by_run["step"].min()]
    rate = early[early["variant"].isin(by_bias)].groupby("variant")["rate"].median()
    if len(rate) == len(by_bias):
        by_order = rate.loc[list(by_bias)]
        claim = f"{task}: early on, error reaches further back with lstm's forget bias -1, 1, 4"
        said = ", ".join(f"{value:.3f}" for value in by_order)
        yield Check(claim, bool(by_order.is_monotonic_decreasing), f"rates {said}")


_OF_TASK = {"adding": _adding, "temporal_order": _order, "embedded_reber": _reber}


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's loss at the end of each task, and how many seeds solved it."""
    lines: dict[str, dict[str, str]] = {}
    for (variant, task), seen in final_evaluations(rows).groupby(["variant", "task"], sort=False):
        solved = int(seen["solved"].astype(bool).sum())
        words = f"{seen['held_out_loss'].median():.4f}, {solved}/{len(seen)}"
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
    formerly=formerly,
    figures=(
        Table(
            name="memory-final",
            title="Held-out loss at the end, and how many seeds solved the task",
            caption="Median over seeds; squared error of adding, nats of the others.",
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
