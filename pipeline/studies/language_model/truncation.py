"""Does the measured gradient horizon predict what longer truncation gains?

A cell reads one-hot characters in batches of T steps, and the gradient goes back within chunks of k
of them: the state is carried on, the updates and the data are the same for every k. In the run with
k = T, error falls by e over τ steps, as the probe ``horizon`` measures it in training. If what one
step further back leaves is all there is to it, q = exp(-1/τ) of each step's error,

    S(k) = 1 - (1/k) Σ_{j=1}^{k} q^j        is kept of the gradient: step j of a chunk looks back j
    G(k) = (S(k) - S(1)) / (S(T) - S(1))    of the gain from k = 1 to k = T should be reached at k

Measured is (loss(1) - loss(k)) / (loss(1) - loss(T)), seed by seed. Beside it stands what counting
predicts of the same characters.

References:
    Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent
        network trajectories, Neural Computation 2(4).
    Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen, TU München.
"""

import math
from collections.abc import Iterator

import pandas as pd
from pydantic import model_validator

from pipeline.measuring.evidence import every, ordered, within
from pipeline.measuring.statistics import last_evaluations, with_interval
from pipeline.measuring.training import SequenceTraining
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table

OFF = 0.15
"""By how much of the gain the predicted share may be wrong."""
FAR, SAME = 5.0, 0.01
"""Horizons beyond which longer truncation is expected to gain nothing, and what that is in nats."""
FROM = 10
"""Steps from which on the gains of cells are compared."""


class Truncated(SequenceTraining):
    """A cell that learns the next character with its gradient cut every ``horizon`` steps."""

    order: Count
    """Of the Kneser–Ney model that stands beside it."""

    @model_validator(mode="after")
    def _whole_chunks(self) -> "Truncated":
        if self.task != "next_character" or self.dataset is None or self.length is None:
            raise ValueError("the task is next_character: name its dataset and length")
        if self.algorithm != "tbptt" or self.horizon is None or self.stride != self.horizon:
            raise ValueError("the algorithm is tbptt, its stride the horizon")
        if self.length % self.horizon:
            raise ValueError(f"horizon is {self.horizon}: it must divide length, {self.length}")
        return self

    def measure(self, given: Given) -> Rows:
        """Return evaluations, the horizon as it was measured, and the counted model's loss."""
        from pipeline.measuring.kneser_ney import KneserNey

        yield from self.learn(given).rows
        (text,) = self.read(given)
        model = KneserNey(text.train_N.numpy(), self.order, len(text.alphabet))
        read = text.valid_N[: self.held_out_size].numpy()
        yield {"record": "counted", "counted": -float(model.log_probabilities(read).mean())}


def losses(rows: pd.DataFrame, cell: str) -> pd.DataFrame:
    """Return the final losses of a cell, a row a seed and a column a truncation, the least first.

    Seeds of which a run is missing or diverged are left out.
    """
    found = rows[(rows["cell"] == cell) & rows["step"].notna()]
    found = found[found["probe"].isna()] if "probe" in found else found
    ends = last_evaluations(found, ["horizon", "seed"])
    table = ends.pivot_table(index="seed", columns="horizon", values="held_out_loss")
    table.columns = table.columns.astype(int)
    return table[table.map(math.isfinite).all(axis=1)]


def truncations(of: pd.DataFrame) -> list[int]:
    """Return the columns of a table by truncation, the least first."""
    return [int(k) for k in of.columns.to_numpy()]


def horizons(rows: pd.DataFrame, cell: str) -> pd.Series:
    """Return τ of a cell by seed: the mean over the run that is not truncated.

    Where error did not fall at some evaluation it is infinite.
    """
    if "probe" not in rows:
        return pd.Series(dtype=float)
    longest = rows["horizon"].max()
    found = rows[(rows["probe"] == "horizon") & (rows["cell"] == cell)]
    found = found[found["horizon"] == longest]
    steps = pd.to_numeric(found["value"]).fillna(math.inf)
    return steps.groupby(found["seed"]).mean()


def kept(k: int, horizon: float) -> float:
    """Return S(k)."""
    if math.isinf(horizon):
        return 0.0
    q = math.exp(-1 / horizon)
    return 1 - q * (1 - q**k) / (k * (1 - q))


def predicted(k: int, longest: int, horizon: float) -> float:
    """Return G(k); where error does not fall, the limit of a long horizon, (k - 1) / (T - 1)."""
    if math.isinf(horizon) or horizon > 1e4 * longest:
        return (k - 1) / (longest - 1)
    least = kept(1, horizon)
    return (kept(k, horizon) - least) / (kept(longest, horizon) - least)


def shares(rows: pd.DataFrame, cell: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the shares of the gain, measured and predicted: a row a seed, a column a k."""
    of, horizon = losses(rows, cell), horizons(rows, cell)
    of = of.loc[of.index.intersection(horizon.index)]
    if of.shape[1] < 3:
        return pd.DataFrame(), pd.DataFrame()
    least, *inner, longest = truncations(of)
    measured = of[inner].rsub(of[least], axis=0).div(of[least] - of[longest], axis=0)
    told = pd.DataFrame(
        {k: [predicted(k, longest, tau) for tau in horizon[of.index]] for k in inner},
        index=of.index,
    )
    return measured, told


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the gains to what the horizon says of them."""
    cells = list(map(str, rows["cell"].unique()))
    for cell in cells:
        measured, told = shares(rows, cell)
        if len(measured):
            claims = [
                within(f"k = {k}", measured[k] - told[k], -OFF, OFF, expected=7)
                for k in truncations(measured)
            ]
            claim = f"{cell}: the share of the gain is what the horizon predicts, to {OFF:g}"
            yield every(claim, claims).if_missed(EARLY)
        of, horizon = losses(rows, cell), horizons(rows, cell)
        far = [k for k in truncations(of) if k >= FAR * horizon.mean()]
        if len(far) > 1:
            rest = of[far[0]] - of[far[-1]]
            claim = f"{cell}: beyond {FAR:g} horizons, {far[0]} steps, nothing is gained"
            yield within(claim, rest, -SAME, SAME, expected=8)
    if len(cells) == 2:
        yield from _longer(rows, *cells)


def _longer(rows: pd.DataFrame, one: str, other: str) -> Iterator[Claim]:
    """Compare what two cells gain from long truncation, the one of the longer horizon first."""
    far = {cell: horizons(rows, cell).mean() for cell in (one, other)}
    if any(map(math.isnan, far.values())):
        return
    shorter, longer = sorted(far, key=far.__getitem__)
    gains = {}
    for cell in (shorter, longer):
        of = losses(rows, cell)
        late = [k for k in truncations(of) if k >= FROM]
        if len(late) < 2:
            return
        gains[cell] = of[late[0]] - of[late[-1]]
    claim = f"{longer}, whose horizon is longer, gains more beyond {FROM} steps than {shorter}"
    yield ordered(claim, gains[shorter], gains[longer], expected=9)


EARLY = (
    "what is near is worth more than its share of the gradient: the nearest characters say most of "
    "the next, so the gain comes sooner than error fades"
)
"""Why the prediction would be missed."""


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return loss and share of the gain by truncation, measured and predicted."""
    lines = []
    for cell in map(str, rows["cell"].unique()):
        of, horizon = losses(rows, cell), horizons(rows, cell)
        measured, told = shares(rows, cell)
        for k in truncations(of):
            inner = k in measured
            lines.append(
                {
                    "cell": cell,
                    "horizon τ": with_interval(horizon, 1) if len(horizon) else "",
                    "k": k,
                    "nats": with_interval(of[k]),
                    "share of the gain": with_interval(measured[k], 2) if inner else "",
                    "predicted": with_interval(told[k], 2) if inner else "",
                }
            )
    counted = rows[rows["record"] == "counted"]
    order, nats = int(counted["order"].iloc[0]), float(counted["counted"].iloc[0])
    name = f"Kneser–Ney {order}, modified"
    lines.append({"cell": name, "k": order - 1, "nats": f"{nats:.3f}"})
    return pd.DataFrame(lines).fillna("")


PART = Part(
    __doc__,
    Truncated,
    expects,
    figures=(
        Table(
            name="truncation-shares",
            title="What longer truncation gains, and what the horizon predicts",
            caption="Held-out nats a character at the end; the share of the gain from k = 1 to the "
            "longest; mean and half-width of its 95 % interval over seeds.",
            build=table,
        ),
        Figure(
            name="truncation-curves",
            title="Learning characters by truncated BPTT",
            caption="Held-out nats a character; mean and range over seeds.",
            x="step",
            y="held_out_loss",
            hue="horizon",
            column="cell",
            labels={"held_out_loss": "nats", "horizon": "k"},
        ),
        Figure(
            name="truncation-flow",
            title="Error that reaches each step of a batch",
            caption="‖∂L/∂h_t‖ through all later steps of the batch, whatever the truncation: mean "
            "since the evaluation before.",
            x="t",
            y="value",
            where={"probe": "error_flow"},
            hue="horizon",
            column="cell",
            log_y=True,
            labels={"t": "step of the batch", "value": "‖∂L/∂h‖", "horizon": "k"},
        ),
    ),
)
