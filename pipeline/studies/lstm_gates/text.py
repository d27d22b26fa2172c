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

from collections.abc import Iterator

import pandas as pd
from pydantic import model_validator

from pipeline.studies.lstm_gates import comparison
from pipeline.studies.lstm_gates.comparison import final_evaluations, final_losses
from pipeline.studies.lstm_gates.variants import Variant, formerly
from pipeline.study import Check, Given, Part, Rows, Table


class Text(Variant):
    """One network on one text."""

    @model_validator(mode="after")
    def _of_a_text(self) -> "Text":
        if self.task != "next_character" or self.dataset is None:
            raise ValueError("the task is next_character, and dataset names its text")
        return self

    def measure(self, given: Given) -> Rows:
        """Train and return the rows."""
        return self.learn(given).rows


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the losses to their order."""
    loss = final_losses(rows)
    for name in ("lstm", "gru"):
        if name in loss and "srn" in loss:
            claim = f"text: {name} does better than srn"
            yield Check(claim, bool(loss[name] < loss["srn"]), _against(loss[name], loss["srn"]))
    yield from comparison.what_parts_cost("text", rows)
    yield from comparison.training_saturates("text", rows)


def _against(ours: float, theirs: float) -> str:
    return f"{ours:.4f} against {theirs:.4f}"


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's loss and accuracy at the end, the best first."""
    by_variant = final_evaluations(rows).groupby("variant", sort=False)
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


PART = Part(
    __doc__,
    Text,
    expects,
    formerly=formerly,
    figures=(
        Table(
            name="text-final",
            title="Held-out loss on text at the end",
            caption="Median, least and most over seeds; the best network first.",
            build=final,
        ),
        comparison.learning_curves("text-curves", "Learning text"),
        comparison.lstm_gates("text-gates", None),
        comparison.saturation("text-saturation"),
    ),
)
