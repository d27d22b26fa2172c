"""Which readout of a sentence's states tells its class best, and whom does it send error to?

Classifiers read the words of a request (SNIPS, 7 intents) or of a question to a bank (Banking77, 77
kinds) by an LSTM, and the class is told from its last state, from the mean of its states, or from
the largest value of each unit. Beside them stand linear classifiers of counted words, which know
nothing of order beyond two words.

Error flow: ‖∂L/∂h_t‖ of the layer that reads forwards, on the first ``flow_length`` words of
held-out sentences, as drawn and after training; ``share`` is that of the last word's.

Row by row, MNIST is read by an LSTM's last state in the study ``mnist_classifiers``.
"""

import copy
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd

from pipeline.measuring import counting, reading
from pipeline.measuring.evidence import above, below, every, ordered
from pipeline.measuring.reading import SentenceTraining, by_method, counted, ends
from pipeline.measuring.statistics import with_interval
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Published,
    Row,
    Rows,
    Table,
    named,
)

if TYPE_CHECKING:
    from torch import nn

LAST, MEAN, MAXIMUM, BOTH = "last", "mean", "maximum", "last, both ways"
SPELT = "words and characters"
STRONGEST = "words and characters, support vectors"
COUNTED = counting.CLASSIFIERS
FLOW_SENTENCES = 64
"""Sentences whose errors are looked at."""


class Classes(SentenceTraining):
    """A reader of sentences that tells their class."""

    task: Literal["sentence_class"]  # pyright: ignore[reportIncompatibleVariableOverride]
    counting: Annotated[str, named(COUNTED)] | None = None
    flow_length: Count
    goals: Annotated[dict[str, float], *AS_TEXT]
    """Percent that are expected to be right, by method."""

    def measure(self, given: Given) -> Rows:
        """Return evaluations, the look at the test part, and the error that reaches each word."""
        if self.counting is not None:
            return counted(100 * COUNTED[self.counting](self.counted_on(given)))
        source = self.source_of(given)
        learner = self.learner_of(source)
        drawn = self._flow(learner.network, source, "as drawn")
        rows = self.learn(learner, source, given)
        return [*rows, *drawn, *self._flow(learner.network, source, "trained")]

    def _flow(self, network: "nn.Module", source: Any, when: str) -> list[Row]:
        """Return the norm of the error that reaches each of the first words."""
        import torch
        from torch.nn.functional import cross_entropy

        from lightning_modules.probes import error_flow
        from lightning_modules.training.watch import watch

        T = self.flow_length
        batches = [b for b in source.held_out() if len(b.x_TBI) >= T]
        x_TBI = torch.cat([b.x_TBI[:T] for b in batches], dim=1)
        y_B = torch.cat([b.y_TB[0] for b in batches])
        whole_B = (x_TBI[-1, :, 0] != 0).nonzero().flatten()[:FLOW_SENTENCES]
        # A copy, so that neither gradients nor modes of what is trained are touched.
        looked_at = copy.deepcopy(network).eval()
        probe = error_flow.__name__.rpartition(".")[2]
        with watch(looked_at, [probe]) as record:
            z_BO = looked_at(x_TBI[:, whole_B])[0]
            cross_entropy(z_BO, y_B[whole_B]).backward()
        told: Any = [row for row in record.rows if row["module"] == "states.forwards"]
        ends_at = told[-1]["value"]
        return [
            {
                "record": "flow",
                "when": when,
                "back": T - 1 - row["t"],
                "norm": row["value"],
                "share": row["value"] / ends_at,
            }
            for row in told
        ]


_RERUN = "public reruns of a BiLSTM, no vectors from elsewhere"
PUBLISHED = {
    ("snips", LAST): Published(
        row="snips-lstm",
        source=f"SNIPS, {_RERUN}",
        value="96.6 to 97.1 % right",
        tolerance="an LSTM that reads one way: at least 97.5 % right",
    ),
    ("banking77", BOTH): Published(
        row="banking77-lstm",
        source=f"Banking77, {_RERUN}",
        value="88.6 % right",
        tolerance="at least 86 % right",
    ),
}
EARLY, SENT, KEPT = 0.1, 0.5, 10
"""Shares of the last word's error at a word KEPT words before the end: less of it, or more."""
NO_BETTER = 0.5
"""Percent: two standard errors of a test part of 700 to 3,000 sentences."""
SHORT = (
    "on sentences of a dozen words the forget gates are learned that the last state needs, and "
    "then it weighs words by their order, as no mean does"
)
HUNGRY = (
    "seventy-seven kinds with 130 questions each leave little for vectors that are learned from "
    "nothing; counted words need no vectors"
)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold each reader to its goal, to counting, and its error to where it should go."""
    for dataset, of in rows.groupby("dataset", sort=False):
        right, goals = by_method(of), json.loads(of["goals"].iloc[0])
        networks = {name: runs for name, runs in right.items() if name not in COUNTED}
        for name, least in goals.items():
            if name in networks:
                claim = f"{dataset}, {name}: at least {least:g} % right"
                found = above(claim, networks[name], least, expected=1, digits=4)
                found = found.if_missed(HUNGRY)
                published = PUBLISHED.get((str(dataset), name))
                yield found.stands_for(published) if published else found
        if STRONGEST in right and networks:
            bound = float(right[STRONGEST].mean())
            yield every(
                f"{dataset}: no network is right as often as support vectors on counted words and "
                "characters",
                [below(name, runs, bound, expected=2, digits=4) for name, runs in networks.items()],
            )
        if LAST in networks:
            yield every(
                f"{dataset}: mean and maximum are not right more often than the last state by "
                f"{NO_BETTER:g} %",
                [
                    ordered(name, networks[name], networks[LAST], by=-NO_BETTER, expected=3)
                    for name in (MEAN, MAXIMUM)
                    if name in networks
                ],
            ).if_missed(SHORT)
    yield from _flows(rows)


def _flows(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the error that reaches an early word to what each readout sends there."""
    early = shares(rows, "as drawn")
    if early.get(LAST) is None:
        return
    text = f"as drawn, {KEPT} words before the end"
    yield below(f"{text}: from the last state less than a tenth", early[LAST], EARLY, expected=4)
    yield every(
        f"{text}: from mean and maximum more than half",
        [above(name, early[name], SENT, expected=4) for name in (MEAN, MAXIMUM) if name in early],
    )
    trained = shares(rows, "trained")
    yield every(
        f"trained, {KEPT} words before the end: from the last state less than from the others",
        [
            ordered(name, trained[LAST], trained[name], expected=5)
            for name in (MEAN, MAXIMUM)
            if name in trained
        ],
    )


def shares(rows: pd.DataFrame, when: str) -> dict[str, pd.Series]:
    """Return how much of the last word's error reaches an early one, by method; means by seed."""
    flow = rows[(rows["record"] == "flow") & (rows["when"] == when)]
    early = flow[flow["back"] == min(KEPT, flow["back"].max())]
    by = early.groupby(["method", "seed"])["share"].mean()
    return {str(name): of.droplevel("method") for name, of in by.groupby("method", sort=False)}


def sentence(rows: pd.DataFrame) -> str:
    """Say which network and which counting are right most often, and how much error goes early."""
    said = []
    for dataset, of in rows.groupby("dataset", sort=False):
        ranked = sorted(by_method(of).items(), key=lambda item: -item[1].mean())
        networks, counted_words = (
            [f"{with_interval(runs, 2)} % ({name})" for name, runs in ranked if is_of(name)]
            for is_of in (lambda name: name not in COUNTED, lambda name: name in COUNTED)
        )
        best = " and by counting ".join(of[0] for of in (networks, counted_words) if of)
        said.append(f"of {dataset} {best} are told right")
    sent = [f"{of.mean():.2g} ({name})" for name, of in shares(rows, "as drawn").items()]
    flow = f" Of the last word's error {', '.join(sent)} reaches one {KEPT} words before, as drawn."
    return f"A class is told best as follows: {'; '.join(said)}.{flow if sent else ''}"


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often each reader is right on each set, the best first."""
    lines = []
    for dataset, of in rows.groupby("dataset", sort=False):
        held_out = by_method(of, "held_out_right") if "held_out_right" in of else {}
        chosen = ends(of).groupby("method")["parameters"].first()
        for name, runs in sorted(by_method(of).items(), key=lambda item: -item[1].mean()):
            told = held_out.get(name, runs[:0]).dropna()
            lines.append(
                {
                    "sentences": dataset,
                    "read by": name,
                    "right, %": with_interval(runs, 2),
                    "held out, %": with_interval(told, 2) if len(told) else "",
                    "parameters": f"{int(chosen[name]):,}" if pd.notna(chosen[name]) else "",
                    "seeds": len(runs),
                }
            )
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Classes,
    expects,
    speaks_of={"method": (LAST, MEAN, MAXIMUM, BOTH, SPELT, STRONGEST)},
    figures=(
        Table(
            name="right",
            title="Right on the test part",
            caption="Mean and half-width of its 95 % interval over seeds. Counting has no seeds, "
            "and no held-out sentences to choose by.",
            build=table,
        ),
        Figure(
            name="flow",
            title="Error that reaches each word",
            caption="‖∂L/∂h_t‖ over the last word's, by how many words before the end; mean and "
            "range over seeds.",
            x="back",
            y="share",
            where={"record": "flow", "method": (LAST, MEAN, MAXIMUM)},
            hue="method",
            column="when",
            row="dataset",
            log_y=True,
            labels={"back": "words before the end", "share": "share", "method": "read by"},
        ),
        reading.curves("classes-curves", "Held-out sentences that are right", "dataset"),
    ),
)
