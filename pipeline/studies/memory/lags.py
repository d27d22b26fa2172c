"""How long does each network hold a sign, by its kind and by its delays?

The latching problem over longer and longer sequences: a sign at the first three steps, noise of
variance .2 after them, the question at the end. Every network has as many units and sees the same
batches. A network's longest lag, a seed each, is the longest length that it solves after having
solved all shorter ones; one that solves none counts as the length next below the shortest asked,
and one that solves all as the longest, so that a ratio of two is told too small, not too large.
The control is guessing: weights drawn at random.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import below, monotone, ordered
from pipeline.measuring.statistics import median_and_range, share_in_words
from pipeline.studies.memory.runs import GUESSING, Remembering, ends
from pipeline.study import Claim, Figure, Part, Published, Table

TWICE = 2.0
"""How much longer than a simple network NARX is expected to hold."""
TRIALS = 85
"""Guesses that latching takes at most, on average: the upper end of a rerun."""


def longest(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return each trained network's longest lag, by seed."""
    trained = ends(rows[rows["network"] != GUESSING])
    if trained.empty:
        return {}
    lengths = sorted(trained["length"].unique())
    none = lengths[0] ** 2 / lengths[1] if len(lengths) > 1 else lengths[0] / 2
    at = [float(none), *map(float, lengths)]
    found: dict[str, pd.Series] = {}
    for name, runs in trained.groupby("network", sort=False):
        solved = runs.pivot_table(index="seed", columns="length", values="solved", aggfunc="min")
        in_a_row = solved.reindex(columns=lengths).eq(True).cumprod(axis=1).sum(axis=1)
        found[str(name)] = in_a_row.astype(int).map(dict(enumerate(at)))
    return found


def narx(rows: pd.DataFrame) -> dict[int, str]:
    """Return the NARX networks' names by their delays, the fewest first."""
    of = rows.dropna(subset=["delays"]) if "delays" in rows else rows.iloc[:0]
    named = of.drop_duplicates("network").sort_values("delays")
    return dict(zip(named["delays"].astype(int), named["network"].astype(str), strict=True))


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold NARX to twice a simple network's lag, and guessing to some tens of draws."""
    held, by_delays = longest(rows), narx(rows)
    if by_delays and "srn" in held:
        name = by_delays[max(by_delays)]
        claim = f"latching: {name} holds ≥ {TWICE:g} × as long as srn"
        found = ordered(claim, held["srn"], held[name], ratio=True, by=TWICE - 1, expected=1)
        yield found.stands_for(LIN).if_missed(
            "the longest of the lengths asked for bounds what a NARX network can show, and each "
            "delay multiplies its weights by more to learn"
        )
    if len(by_delays) > 1:
        levels = pd.DataFrame({delays: held[name] for delays, name in by_delays.items()})
        claim = "latching: the longest lag does not fall with the number of delays"
        yield monotone(claim, levels, slack=1.0, expected=1)
    guessed = ends(rows[rows["network"] == GUESSING])
    if len(guessed):
        drawn = guessed.set_index("seed")["guessed"].groupby("seed").mean()
        claim = f"latching: random weights solve it within {TRIALS} draws on average"
        yield below(claim, drawn, TRIALS, expected=2).stands_for(HOCHREITER)


LIN = Published(
    row="narx-latching",
    source="Lin, Horne, Tiňo & Giles (1996), latching, second-hand",
    value="NARX networks hold 2 to 3 times longer than a simple recurrent network",
    tolerance=f"at least {TWICE:g} times, by geometric means of the longest lags",
    stated="before the first run, over 5 seeds; they left it undecided, and 20 were run",
)
HOCHREITER = Published(
    row="guessing-latching",
    source="Hochreiter & Schmidhuber (1997), LSTM can solve hard long time lag problems",
    value="random weight guessing solves it in 6 to 22 trials; 30 to 85 in a rerun",
    tolerance=f"at most {TRIALS} draws on average",
)


def _lags(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each network's longest lag, and how many seeds solve which length."""
    held, seen = longest(rows), ends(rows)
    lines = []
    for name, runs in seen.groupby("network", sort=False):
        solved = {
            f"{length:.0f} steps": f"{int(of['solved'].sum())} of {len(of)}"
            for length, of in runs.groupby("length")
        }
        if name in held:
            words = median_and_range(held[str(name)])
        else:
            draws = runs["guessed"]
            words = f"{share_in_words(runs['solved'])}, in {draws.mean():.0f} draws on average"
        lines.append({"network": name, "longest lag": words, **solved})
    return pd.DataFrame(lines).fillna("")


PART = Part(
    __doc__,
    Remembering,
    expects,
    speaks_of={"network": ("srn", GUESSING)},
    figures=(
        Table(
            name="lags",
            title="Latching: the longest lag that is held, beside guessing",
            caption="Median over seeds and range; then how many seeds solve each length, 99 % of "
            "held-out sequences right. Guessing draws all weights at random; it needs no memory of "
            "how long the sequence is.",
            build=_lags,
        ),
        Figure(
            name="latching",
            title="Latching, by the number of steps",
            caption="Held-out share that is right at the end of training, mean and range over "
            "seeds; 0.5 is guessing the class.",
            x="length",
            y="held_out_accuracy",
            where={"solved": (True, False)},
            hue="network",
            log_x=True,
            labels={"length": "steps", "held_out_accuracy": "right"},
        ),
    ),
)
