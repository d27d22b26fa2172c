"""How the networks compare at the end: the claims, figures and tables that memory and text share.

A part of the LSTM is worth what it costs to take it out: each network without one is compared with
the whole LSTM, seed by seed. What has to be remembered is solved or not, so shares of seeds are
compared there; what is left of the loss once a task is solved says nothing. On text losses are, of
the runs that did not fail. One that did, which ends above an even guess, is counted apart.
"""

import dataclasses
import math
from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import every, ordered
from pipeline.measuring.statistics import last_evaluations
from pipeline.study import Claim, Figure, Table

WITHOUT = "without "
DEAR = ("forget", "output activation")
"""The parts that are expected to cost something."""
EVEN_GUESS = math.log(65)
"""Nats that an even guess among tiny Shakespeare's characters costs."""
SATURATES = 0.01
"""The least share of a gate's values by which saturation has to rise; they are rounded to .001."""
RESIDUAL, FILLS = ("residual", "residual_recurrent"), 0.25
"""The cells that only ever add to h, and the least share by which more of it has to be large."""
SHORT = (
    "sequences are short: a sum that starts from zero, and whose inputs learn to cancel, has not "
    "grown in so few steps"
)
"""Why it would not be."""
CURVES = (
    *("lstm", "coupled_lstm", "gru", "janet", "srn", "without input", "without forget"),
    *("without output activation", "forget bias -1", "forget bias 4"),
)
LABELS = {
    "step": "batches",
    "value": "share of values",
    "held_out_loss": "held-out loss",
    "variant": "network",
    "below": "shut (below .1)",
    "above": "open (above .9)",
    "saturated": "either",
    "lstm": "LSTM",
    "h": "|h|",
}


def final_evaluations(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each trial's last evaluation; a run that diverged has an infinite loss."""
    evaluations = rows[rows["probe"].isna()] if "probe" in rows else rows
    return last_evaluations(evaluations, ("task", "variant", "seed"))


def probe_rows(rows: pd.DataFrame, probe: str, quantity: str) -> pd.DataFrame:
    """Return a probe's rows of one quantity, none where it was not attached."""
    if "probe" not in rows:
        return rows.head(0)
    return rows[(rows["probe"] == probe) & (rows["quantity"] == quantity)]


def by_network(rows: pd.DataFrame, column: str) -> dict[str, pd.Series]:
    """Return a column of each network's last evaluations, by seed."""
    last = final_evaluations(rows).set_index("seed")
    return {str(name): seen[column] for name, seen in last.groupby("variant", sort=False)}


def parts(networks: dict[str, pd.Series]) -> dict[str, pd.Series]:
    """Return what is known of the networks without a part, by the part."""
    return {
        name.removeprefix(WITHOUT): of for name, of in networks.items() if name.startswith(WITHOUT)
    }


def failed(loss: pd.Series) -> pd.Series:
    """Return which runs ended above an even guess."""
    return loss > EVEN_GUESS


def worse(text: str, better: pd.Series, worse: pd.Series, *, by: float, expected: int) -> Claim:
    """Claim that one network's loss on text is higher than another's by so much.

    A seed of which either failed is left out, and the failures are counted.
    """
    both = better.index.intersection(worse.index)
    both = both[~failed(better[both]) & ~failed(worse[both])]
    claim = ordered(text, better[both], worse[both], by=by, expected=expected)
    lost = [f"{int(failed(loss).sum())} of {len(loss)}" for loss in (better, worse)]
    return dataclasses.replace(claim, seen=f"{claim.seen}; failed {lost[0]} against {lost[1]}")


def training_saturates(where: str, rows: pd.DataFrame) -> Iterator[Claim]:
    """Claim that LSTM's gates are further saturated at the end of training than at its start."""
    seen = probe_rows(rows, "gates", "saturated")
    seen = seen[(seen["variant"] == "lstm") & (seen["gate"] != "h")]
    if len(seen):
        share = seen.groupby(["seed", "step"])["value"].mean().groupby("seed")
        claim = f"{where}: training saturates lstm's gates, by a hundredth of their values"
        yield ordered(claim, share.first(), share.last(), by=SATURATES, expected=9)


def memory_fills(where: str, rows: pd.DataFrame) -> Iterator[Claim]:
    """Claim that, trained, the residual recurrences have more of |h| above .9 than LSTM has."""
    seen = probe_rows(rows, "gates", "above")
    of_h = seen[seen["gate"] == "h"].sort_values("step")
    last = of_h.groupby(["variant", "seed"])["value"].last()
    of = {str(name): last[name] for name in last.index.unique("variant")}
    claims = [
        ordered(name, of["lstm"], of[name], by=FILLS, expected=11)
        for name in RESIDUAL
        if name in of and "lstm" in of
    ]
    if claims:
        claim = f"{where}: more of the residual recurrences' |h| than of lstm's is above .9"
        yield every(claim, claims).if_missed(SHORT)


def in_words(loss: pd.Series) -> str:
    """Return every seed's loss, the least first."""
    return ", ".join(f"{one:.4g}" for one in loss.sort_values())


def learning_curves(name: str, title: str, hides: str = "") -> Figure:
    """Return the learning curves of the networks that are most unlike each other.

    But for one that hides the others, as a run of it fails.
    """
    failing = f" A run {hides} fails and would hide the rest: it is there, too." if hides else ""
    return Figure(
        name=name,
        title=title,
        caption=f"Held-out loss along training; the table has the other networks.{failing}",
        where={"diverged": False, "variant": tuple(one for one in CURVES if one != hides)},
        x="step",
        y="held_out_loss",
        hue="variant",
        column="task",
        log_y=True,
        labels=LABELS,
    )


def lstm_gates(name: str, row: str | None) -> Figure:
    """Return a heat map of training × gate: how much of LSTM's gates is shut, open, or either."""
    return Figure(
        name=name,
        title="LSTM's gates over training",
        caption="Share of each gate's values that are below .1, above .9, or either; what is "
        "missing lies between. Mean over the batches since the column before, and over seeds; of "
        "h, of its absolute values.",
        where={"probe": "gates", "variant": "lstm", "quantity": ("below", "above", "saturated")},
        x="step",
        y="gate",
        hue="value",
        column="quantity",
        row=row,
        kind="heatmap",
        labels=LABELS,
    )


def saturation(name: str) -> Table:
    """Return the table of how far each network's gates are saturated, early and late."""
    return Table(
        name=name,
        title="Saturation of every network's gates, in %",
        caption="Share of a gate's values below .1 or above .9, in the first and the last stretch "
        "of training, mean over tasks and seeds; of h, of its absolute values.",
        build=_saturation,
    )


def _saturation(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how much of each gate is saturated early and late, by network, tasks together."""
    seen = probe_rows(rows, "gates", "saturated")
    lines: dict[str, dict[str, str]] = {}
    for (variant, gate), of_gate in seen.groupby(["variant", "gate"], sort=False):
        share = of_gate.groupby(["task", "step"])["value"].mean().groupby("task")
        early, late = share.first().mean(), share.last().mean()
        lines.setdefault(str(variant), {})[str(gate)] = f"{100 * early:.0f} → {100 * late:.0f}"
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()]).fillna("")


def memory_saturates(name: str) -> Figure:
    """Return the picture of both residual recurrences' memory, which nothing bounds."""
    return Figure(
        name=name,
        title="Memory of the residual recurrences, beside LSTM's",
        caption="Share of the values of |h| above .9, mean over seeds. The residual recurrences "
        "only ever add to h; LSTM's, which forgets and squashes, stays below 1.",
        where={
            "probe": "gates",
            "gate": "h",
            "quantity": "above",
            "variant": (*RESIDUAL, "lstm"),
        },
        x="step",
        y="value",
        hue="variant",
        column="task",
        labels={**LABELS, "value": "share of |h| above .9"},
    )
