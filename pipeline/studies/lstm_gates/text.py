"""What is each part of the LSTM worth on text?

Every network learns the next character of tiny Shakespeare, in streams whose state goes on from
batch to batch, with Adam and the gradient's norm clipped.

Expected, of median held-out losses at the end: LSTM and GRU do better than Elman's network. Of the
five parts, the forget gate or the output activation costs most to take out: without the one the
cell adds up the text without end, and without the other what it adds up reaches the outputs as it
is. Coupled gates cost less. Training saturates the gates.

References:
    Greff et al. (2017), LSTM: a search space odyssey, IEEE Transactions on Neural Networks and
        Learning Systems 28(10).
    Karpathy, Johnson & Li (2016), Visualizing and understanding recurrent networks, ICLR workshop,
        arXiv:1506.02078: LSTM on this text, and its gates' saturation.
"""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import PositiveInt

from pipeline.measuring.probing import Attached, flat
from pipeline.studies.lstm_gates import judging
from pipeline.studies.lstm_gates.training import Setting, ends, learn
from pipeline.studies.lstm_gates.variants import Variants, variants
from pipeline.study import Check, Rows, Section, Study, Table, Trial
from pipeline.tasks import TASKS

TASK, DATA = "next_character", "tiny_shakespeare"


class Params(Section):
    """Every network on one text."""

    variants: Variants
    setting: Setting
    evaluations: PositiveInt
    probes: Attached
    held_out_size: PositiveInt
    """Characters."""
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every network under every seed."""
    shared = p.model_dump(exclude={"variants", "setting", "probes", "seeds"}) | flat(p.probes)
    sizes = p.setting.model_dump(exclude={"longest"})
    for variant, seed in itertools.product(variants(p.variants, p.setting.longest), range(p.seeds)):
        yield {"task": TASK, "dataset": DATA, **variant, **sizes, **shared, "seed": seed}


def measure(
    task: str,
    dataset: str,
    length: int,
    batch_size: int,
    held_out_size: int,
    seed: int,
    data: Mapping[str, Any],
    scratch: Path,
    **of_training: Any,
) -> Rows:
    """Train one network and return its rows."""
    sizes = {"batch_size": batch_size, "length": length, "held_out_size": held_out_size}
    source = TASKS[task](data[dataset], seed=seed, **sizes)
    return learn(source, seed=seed, scratch=scratch, **of_training)[1]


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the losses to their order."""
    loss = judging.losses(rows)
    for name in ("lstm", "gru"):
        if name in loss:
            claim = f"text: {name} does better than srn"
            yield Check(claim, bool(loss[name] < loss["srn"]), _against(loss[name], loss["srn"]))
    yield from judging.ordering("text", rows)
    yield from judging.saturating("text", rows)


def _against(ours: float, theirs: float) -> str:
    return f"{ours:.4f} against {theirs:.4f}"


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's loss and accuracy at the end, the best first."""
    by_variant = ends(rows).groupby("variant", sort=False)
    loss, right = by_variant["held_out_loss"], by_variant["held_out_accuracy"].mean()
    lines = [
        {
            "network": variant,
            "loss (nats)": f"{loss.median()[variant]:.4f}",
            "least": f"{loss.min()[variant]:.4f}",
            "most": f"{loss.max()[variant]:.4f}",
            "accuracy": right[variant],
        }
        for variant in loss.median().sort_values().index
    ]
    return pd.DataFrame(lines).round(4)


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Table(
            name="text-final",
            title="Held-out loss on text at the end",
            caption="Median, least and most over seeds; the best network first.",
            build=final,
        ),
        judging.curves("text-curves", "Learning text"),
        judging.lstm_gates("text-gates", None),
        judging.saturated("text-saturation"),
    ),
    data=(DATA,),
)
