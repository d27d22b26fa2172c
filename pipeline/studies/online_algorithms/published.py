"""The public project's forecasting errors, and how ours compare.

NMSE late in 15,000 steps, mean and standard deviation over 10 seeds, by task and rule, from the
public repository sonaradarcn/sketched-rtrl. Its sunspots are another version of the series and are
shown without a verdict.

By its code its RFLO is our ``rflo_fixed``; our ``rflo`` takes the cell's own leak, here none. Its
UORO and KF-RTRL differ from ours as the table's caption says: ours have a step's own share exactly,
as in UORO's paper. All start from the same distribution as ours.
"""

import itertools
import math

import pandas as pd

from pipeline.measuring.statistics import last_rows
from pipeline.study import Published, Table

SEEDS = 10
"""Of published means; their deviations are those of just these runs, not of all that could be."""
STEPS = 15_000
"""How long the published runs are; shorter ones are not judged by them."""
LATE = 5 / 6
"""What share of a run is over when the figure begins: of a published one it is the mean of five
windows of 200 steps, which end at 12,500, 13,000, … 14,500."""
CLOSE = 0.3
"""How near to a published mean ours are expected to be, as a fraction of it."""
HELD = ("blocked_rtrl", "snap1")
"""Rules whose means are expected to be near the published ones."""
COMPARED = ("henon", "mackey_glass", "lorenz")
"""Tasks that are held to the published figures."""
RUN = "task", "rule", "seed"
SOURCE = "sonaradarcn/sketched-rtrl, a public repository: online forecasting"
MEAN_STATED = (
    "before the first run, of the mean over about the last 1,250 steps; after four summaries it "
    "became that over the last sixth, as published"
)
ORDER_STATED = (
    "before the first run, with the published RFLO taken for rflo, and means over about the last "
    "1,250 steps; after four summaries had missed it on every series, the published RFLO, by its "
    "code, was taken for rflo_fixed, and means over the last sixth, as published"
)
PUBLISHED = {
    "blocked_rtrl": ((0.0052, 0.0010), (0.0180, 0.0218), (0.0051, 0.0040)),
    "snap1": ((0.0052, 0.0012), (0.0050, 0.0010), (0.0024, 0.0008)),
    "kf_rtrl": ((0.0384, 0.0709), (0.0286, 0.0181), (0.0126, 0.0079)),
    "rflo_fixed": ((0.0704, 0.0163), (0.0572, 0.0331), (0.0442, 0.0124)),
    "uoro": ((0.658, 0.2966), (0.050, 0.0238), (0.043, 0.0431)),
    "tbptt(25, 25)": ((0.0311, 0.0030), (0.0080, 0.0010), (0.0054, 0.0007)),
}
"""By rule, on each of COMPARED: mean, standard deviation."""
SUNSPOTS = {
    "blocked_rtrl": 0.1451,
    "snap1": 0.1437,
    "kf_rtrl": 0.1613,
    "rflo_fixed": 0.1536,
    "uoro": 0.2119,
}


def published(task: str) -> dict[str, tuple[float, float]]:
    """Return the published mean and deviation of each rule on a task; none for another task."""
    if task not in COMPARED:
        return {}
    return {rule: values[COMPARED.index(task)] for rule, values in PUBLISHED.items()}


def last_forecasts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each trial's last row, with the mean loss of late ones, infinite if it diverged."""
    last = last_rows(rows, RUN).set_index([*RUN])
    mean = rows[rows["step"] > LATE * rows["steps"]].groupby([*RUN])["train_loss"].mean()
    lost = last["diverged"].astype(bool) | last["train_loss"].isna()
    return last.assign(train_loss=mean.reindex(last.index).where(~lost, math.inf)).reset_index()


def as_long_as_published(seen: pd.DataFrame) -> bool:
    """Tell whether the runs that ended so were at least as long as the published ones."""
    return bool(seen["steps"].min() >= STEPS)


def told_apart(task: str) -> list[tuple[str, str]]:
    """Return the pairs that are told apart in public, the better one first."""
    pairs = []
    for a, b in itertools.combinations(theirs := published(task), 2):
        (mean_a, spread_a), (mean_b, spread_b) = theirs[a], theirs[b]
        if abs(mean_a - mean_b) > spread_a + spread_b:
            pairs.append((a, b) if mean_a < mean_b else (b, a))
    return pairs


def ratio(task: str, rule: str, ours: pd.Series) -> tuple[pd.Series, float]:
    """Return ours over the published mean, and the error of their mean that is the published's."""
    mean, spread = published(task)[rule]
    of_mean = spread / math.sqrt(SEEDS - 1)  # the deviation is of just these runs
    return ours / mean, float(ours.mean()) / mean * of_mean / mean


def standing_for_order(task: str, pairs: int) -> Published:
    """Return what the order of a task's errors stands for."""
    value = f"{pairs} pairs of means further apart than their deviations together"
    return Published(f"forecast-{_short(task)}-order", SOURCE, value, "their order", ORDER_STATED)


def standing_for_mean(task: str, rule: str) -> Published:
    """Return what a rule's mean error on a task stands for."""
    value = f"{_in_words(*published(task)[rule])} ({SEEDS} seeds)"
    row = f"forecast-{_short(task)}-{rule.replace('_', '-')}"
    return Published(row, SOURCE, value, f"± {CLOSE:.0%}", MEAN_STATED)


def _short(task: str) -> str:
    """Return a task's name as a row of the record has it."""
    return task.replace("_", "-")


def _comparison(rows: pd.DataFrame) -> pd.DataFrame:
    """Return our mean and deviation beside the published, by task and rule."""
    lines = []
    for (task, rule), seen in last_forecasts(rows).groupby(["task", "rule"], sort=False):
        mean, spread = seen["train_loss"].mean(), seen["train_loss"].std()
        theirs, of_theirs = published(str(task)).get(str(rule), (math.nan, math.nan))
        if task == "sunspots":
            theirs = SUNSPOTS.get(str(rule), math.nan)
        known = not math.isnan(theirs)
        lines.append(
            {
                "task": task,
                "rule": rule,
                "NMSE": _in_words(mean, spread),
                "published": _in_words(theirs, of_theirs) if known else "",
                "ratio": f"{mean / theirs:.2f}" if known else "",
                "verdict": _verdict(seen, mean / theirs) if known else "",
                "p": _probability_alike(seen["train_loss"], theirs, of_theirs),
                "held-out": _in_words(seen["held_out_loss"].mean(), seen["held_out_loss"].std()),
            }
        )
    return pd.DataFrame(lines)


def _in_words(mean: float, spread: float) -> str:
    """Return both as words; the mean alone if there is no spread."""
    return f"{mean:.4f}" if math.isnan(spread) else f"{mean:.4f} ± {spread:.4f}"


def _probability_alike(ours: pd.Series, mean: float, spread: float) -> str:
    """Return Welch's p that both means are of one kind of run, as a word; none if it is unknown."""
    from scipy.stats import ttest_ind_from_stats

    if len(ours) < 2 or math.isnan(spread):
        return ""
    theirs = mean, spread * math.sqrt(SEEDS / (SEEDS - 1)), SEEDS
    test = ttest_ind_from_stats(ours.mean(), ours.std(), len(ours), *theirs, equal_var=False)
    return f"{test.pvalue:.2g}"


def _verdict(seen: pd.DataFrame, ratio: float) -> str:
    """Say how near the mean is to the published."""
    if seen["task"].iloc[0] not in COMPARED:
        return "another series"
    if not as_long_as_published(seen):
        return "fewer steps"
    return "within 30 %" if abs(ratio - 1) <= CLOSE else "better" if ratio < 1 else "worse"


TABLE = Table(
    name="forecasting-published",
    title="Online forecasts beside a public project's",
    caption="Mean squared error over the last sixth, mean ± standard deviation over seeds as "
    "that project gives it, on series of unit variance; p: of Welch's test that the mean is the "
    f"published one, whose deviation is of {SEEDS} seeds; held-out: of a stretch not trained on, "
    "with the final weights. tbptt(25, 25) takes windows of 25 steps with an update after each; "
    "all others update at every step. That project's RFLO is rflo_fixed, whose traces leak at a "
    "rate of their own; rflo takes the leak of the cell, which has none, so it keeps the present "
    "step alone. Likely causes of other figures: under exact gradients a seed or two end far off "
    "and decide the mean, there too by its deviation; that project's UORO and KF-RTRL read a "
    "step's own share through their noise; and where a reservoir does better than exact "
    "gradients, its features stand still, while learned ones move under the readout.",
    build=_comparison,
)
