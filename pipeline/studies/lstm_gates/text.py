"""What is each part of the LSTM worth on text?

Every network learns the next character of tiny Shakespeare, in streams whose state goes on from
batch to batch, with Adam and the gradient's norm clipped.

Without the forget gate the cell adds up the text without end, and without the output activation
what it adds up reaches the outputs as it is, as it does in both residual recurrences.

References:
    Greff et al. (2017), LSTM: a search space odyssey, IEEE Transactions on Neural Networks and
        Learning Systems 28(10).
    Karpathy, Johnson & Li (2016), Visualizing and understanding recurrent networks, ICLR workshop,
        arXiv:1506.02078: LSTM on this text, and its gates' saturation.
"""

from collections.abc import Iterator

import pandas as pd
from pydantic import model_validator

from pipeline.measuring.evidence import every
from pipeline.measuring.statistics import with_interval
from pipeline.studies.lstm_gates import comparison
from pipeline.studies.lstm_gates.comparison import (
    DEAR,
    WITHOUT,
    by_network,
    failed,
    in_words,
    worse,
)
from pipeline.studies.lstm_gates.variants import Variant
from pipeline.study import Claim, Given, Part, Published, Rows, Table


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


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the losses to their order."""
    loss = by_network(rows, "held_out_loss")
    for name in ("lstm", "gru"):
        if name in loss and "srn" in loss:
            claim = f"text: {name} does better than srn"
            yield worse(claim, loss[name], loss["srn"], by=0.0, expected=6)
    without = {part: loss[name] for part in DEAR if (name := f"{WITHOUT}{part}") in loss}
    for part, of in without.items():
        if "lstm" in loss:
            claim = f"text: without {part}, {NATS} nats worse than with it"
            found = worse(claim, loss["lstm"], of, by=NATS, expected=7).if_missed(EARLY)
            yield found.stands_for(PUBLISHED[part])
    if "coupled_lstm" in loss and len(without) == len(DEAR):
        coupled = loss["coupled_lstm"]
        pairs = (
            worse(f"without {part}", coupled, of, by=0.0, expected=8)
            for part, of in without.items()
        )
        yield every("text: coupled gates cost less than either", pairs)
    yield from comparison.training_saturates("text", rows)


NATS = 0.02
"""The smallest difference of losses on text that matters, about 1 % of them."""
EARLY = (
    "all networks still learn when they are stopped, so what learns faster ends ahead; what the "
    "output activation does is to keep a run from failing, as some do without it"
)
_GREFF = "Greff et al. (2017), abstract and figure 3: speech, handwriting and music"
_STATED = (
    "after looks at these rows, on which it had been that one of the two costs most of five parts: "
    "chance alone does that in two of five"
)
PUBLISHED = {
    part: Published(
        row=f"greff-{part.replace(' ', '-')}",
        source=_GREFF,
        value="forget gate and output activation are the most critical parts of an LSTM",
        tolerance=f"at least {NATS} nats worse than the whole LSTM on text",
        stated=_STATED,
    )
    for part in DEAR
}


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's losses and accuracy at the end, the best first."""
    loss, right = (by_network(rows, of) for of in ("held_out_loss", "held_out_accuracy"))
    kept = {name: of[~failed(of)] for name, of in loss.items()}
    lines = [
        {
            "network": name,
            "loss (nats)": with_interval(kept[name]) if len(kept[name]) else "",
            "failed": f"{int(failed(of).sum())} of {len(of)}",
            "every seed": in_words(of),
            "accuracy": f"{right[name][~failed(of)].mean():.4f}" if len(kept[name]) else "",
        }
        for name, of in sorted(loss.items(), key=lambda item: kept[item[0]].mean())
    ]
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Text,
    expects,
    speaks_of={"variant": comparison.CURVES},
    figures=(
        Table(
            name="text-final",
            title="Held-out loss on text at the end",
            caption="Mean and half-width of its 95 % interval over the seeds that did not fail, as "
            "one does that ends above an even guess, ln 65 = 4.17 nats. The state of the "
            "residual recurrences is a sum that nothing bounds, over a text without end.",
            build=final,
        ),
        comparison.learning_curves("text-curves", "Learning text", f"{WITHOUT}{DEAR[1]}"),
        comparison.lstm_gates("text-gates", None),
        comparison.saturation("text-saturation"),
    ),
)
