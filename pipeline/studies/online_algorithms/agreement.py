"""Where does each algorithm's gradient point on each cell, how does it scatter, what does it cost?

A random network under a random linear readout reads a task's stream, its weights held. After
``warmup`` steps, in which influence builds up, the gradient of the loss is summed over the next
``length`` steps and compared with the exact one, of dense RTRL in float64. Algorithms with noise of
their own are run again and again on the same stream: ``draws`` single runs give the cosine of one
draw, and ``groups`` sums over ``copies`` of the stream, each with its own noise, give their mean's
distance from the exact gradient in standard errors, and their variance.

The bias in standard errors is the root mean square over parameters. As these move together, one
network's figure scatters by a quarter; that of a seed's cells together, averaged over seeds, is
held to 1 ± 0.2.

A public project saw these cosines while it trained a network of 64 units to forecast, which is
another set-up: SnAp-1 .41-.69, KF-RTRL .48-.56, UORO .04-.10, RFLO .18-.58.

Above 300 lines because each rule has a claim of its own, which the same rows bear out.

References:
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
        recurrent neural networks, JMLR 21: agreement of algorithms, and the task.
    sonaradarcn/sketched-rtrl, a public repository: the cosines above.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import Field

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import (
    above,
    below,
    every,
    exact,
    identity,
    monotone,
    ordered,
    within,
)
from pipeline.measuring.statistics import with_interval
from pipeline.studies.online_algorithms.rules import build, called, claim
from pipeline.study import Claim, Count, Given, Part, Rows, Table, Trial, Whole, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Algorithm
    from pipeline.studies.online_algorithms.problem import Problem

EXACT = 1e-10
"""The cosine of what is exact is 1, and its relative error 0, within this."""
APART = ("diagonal", "elstm")
"""Cells without weights between units."""
OF_UNITS = {
    "snap1": "",
    "rflo": "",
    "eprop": ", as no credit reaches hidden parts of their state",
}
"""Rules that keep what happens within a unit, and the condition under which that is all."""
SLACK = 1e-3
"""By how much a cosine may fall that is said to grow."""
REFUSES = "refuses"
Numbers = dict[str, float]


class Agreement(Trial):
    """A cell under an algorithm, beside the exact gradient."""

    cell: Annotated[str, named(CELLS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    horizon: Count | None = None
    """Of truncated BPTT."""
    reference: Annotated[str, named(ALGORITHMS)]
    task: Annotated[str, named(TASKS)]
    hidden_size: Count
    warmup: Whole
    length: Count
    draws: Count
    groups: Annotated[Count, Field(ge=10)]
    """Of at least 10 sums, so that their standard error means something."""
    copies: Count
    timed: Count
    """Steps over which time and memory are measured, a run for each, in float32."""
    repeats: Count

    def measure(self, given: Given) -> Rows:
        """Return one row: direction, bias, variance and price; or why the algorithm refuses."""
        import torch

        from pipeline.measuring.gradients import compare
        from pipeline.studies.online_algorithms.problem import Problem

        torch.manual_seed(self.seed)
        total = self.warmup + self.length
        sizes = {"batch_size": 1, "length": total, "held_out_size": total}
        source = TASKS[self.task](seed=self.seed, **sizes)
        network = CELLS[self.cell](source.input_size, self.hidden_size).double()
        problem = Problem(network, source, self.warmup)
        rule = build(self.algorithm, self.horizon)
        promised = claim(self.algorithm)
        row = {"rule": called(self.algorithm, self.horizon), "claim": promised, "refused": None}
        try:
            first_P = problem.gradient(rule)
        except ValueError as refusal:
            return {**row, "refused": str(refusal)}
        exact_P = problem.gradient(build(self.reference))
        if promised == "unbiased":
            found = noise_of(problem, rule, exact_P, self.draws, self.groups, self.copies)
        else:
            found = compare(first_P, exact_P)
            found |= {"bias": found["relative_error"], "variance": 0.0}
        return {**row, **found, **price(problem, rule, self.timed, self.repeats)}


def noise_of(
    problem: "Problem", rule: "Algorithm", exact_P: "Tensor", draws: int, groups: int, copies: int
) -> Numbers:
    """Return how single draws point, and bias and variance over groups of copies.

    The bias in standard errors is the root mean square over the parameters that move at all; a
    right mean would have a little above 1 in so few groups, by Student's t, which is divided out.
    """
    import torch

    from lightning_modules.norms import norm, scaled
    from pipeline.measuring.gradients import compare

    single = [compare(problem.gradient(rule), exact_P) for _ in range(draws)]
    means_GP = torch.stack([problem.gradient(rule, copies) / copies for _ in range(groups)])
    exact_P, scale = scaled(exact_P)  # all below is relative to its size, squares too
    means_GP /= scale
    off_P, error_P = means_GP.mean(dim=0) - exact_P, means_GP.std(dim=0) / groups**0.5
    size = norm(exact_P)
    # What neither moves nor is off says nothing: a parameter that the loss cannot feel.
    telling_P = torch.maximum(error_P, off_P.abs()) > 1e-10 * size
    z_P = off_P[telling_P] / error_P[telling_P].clamp_min(1e-12 * size)
    return {
        **{k: sum(one[k] for one in single) / draws for k in single[0]},
        "bias": float(norm(off_P) / size),
        "bias_in_errors": float((z_P.square().mean() * (groups - 3) / (groups - 1)).sqrt()),
        "standard_error": float(norm(error_P) / size),
        "variance": float(means_GP.var(dim=0).sum() * copies / size**2),
    }


def price(problem: "Problem", rule: "Algorithm", steps: int, repeats: int) -> Numbers:
    """Return processor time and peak memory of a run a step, in float32."""
    from pipeline.measuring.costs import peak_bytes, processor_seconds

    problem.to_float32()
    parts = [problem.part(t, t + 1) for t in range(min(steps, len(problem.batch.x_TBI)))]

    def go() -> None:
        s_BS, memory = problem.start(parts[0]), None
        for part in parts:
            _, s_BS, memory, *_ = problem.run(rule, part, s_BS, memory)[0]

    seconds = processor_seconds(go, repeats) / len(parts)
    return {"microseconds": seconds * 1e6, "kilobytes": peak_bytes(go) / 1e3}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold each algorithm to its claim."""
    ran = rows[rows["cosine"].notna()]
    for rule, seen in ran[(ran["claim"] == "exact") | (ran["rule"] == "snap_n")].groupby("rule"):
        yield _exact(f"{rule}: is the exact gradient on every cell that it takes", seen)
    apart = ran[ran["cell"].isin(APART) & ran["rule"].isin(OF_UNITS)]
    for rule, seen in apart.groupby("rule"):
        on = f"is exact on cells without weights between units{OF_UNITS[str(rule)]}"
        yield _exact(f"{rule}: {on}", seen)
    yield from _directions(ran)
    for rule, seen in ran[ran["claim"] == "unbiased"].groupby("rule"):
        yield _unbiased(str(rule), seen)
    yield from _scatter(ran)
    yield from _memory(ran)


def _exact(claim: str, seen: pd.DataFrame) -> Claim:
    """Claim cosine and relative error at once."""
    off = max((1 - seen["cosine"]).abs().max(), seen["relative_error"].max())
    return exact(claim, off, EXACT, expected=1)


def _directions(ran: pd.DataFrame) -> Iterator[Claim]:
    """Claim that what keeps more points better, and nothing backwards."""
    windows = ran[ran["horizon"].notna()] if "horizon" in ran else ran.head(0)
    if windows["horizon"].nunique() > 1:
        yield every(
            "tbptt: the cosine grows with the horizon on every cell",
            (
                monotone(
                    f"on {cell}",
                    _by_horizon(seen),
                    slack=SLACK,
                    expected=2,
                )
                for cell, seen in windows.groupby("cell")
            ),
        )
    cosine = {of: c for of, c in _by_seed(ran, "cosine").items() if of[0] != "reservoir"}
    mixing = [cell for rule, cell in cosine if rule == "snap1" and cell not in APART]
    kept = [cell for cell in mixing if ("rflo", cell) in cosine]
    if kept:
        yield every(
            "snap1 points better than rflo on every cell with weights between units",
            (
                ordered(f"on {cell}", cosine["rflo", cell], cosine["snap1", cell], expected=2)
                for cell in kept
            ),
        )
    yield every(
        "no rule points backwards, on average over seeds",
        (above(f"{rule} on {cell}", c, 0, expected=2) for (rule, cell), c in cosine.items()),
    )
    draws = {cell: c for (rule, cell), c in cosine.items() if rule == "uoro"}
    if draws:
        yield every(
            "uoro: the cosine of a single draw is below 0.5 on every cell",
            (below(f"on {cell}", c, 0.5, expected=3) for cell, c in draws.items()),
        ).if_missed(
            "Where the present step's share is most of the gradient, as the cosine of tbptt(1) "
            "tells, a draw points well: UORO has that share exactly, and only what comes from "
            "further back is random."
        )


def _by_horizon(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the cosine by seed and horizon."""
    cosine = windows.pivot_table(index="seed", columns="horizon", values="cosine")
    return cosine.rename(columns=int)


def _by_seed(ran: pd.DataFrame, of: str) -> dict[tuple[str, str], pd.Series]:
    """Return a quantity of each rule on each cell, by seed."""
    by = ran.set_index("seed").groupby(["rule", "cell"], sort=False)
    return {(str(rule), str(cell)): seen[of] for (rule, cell), seen in by}


def _unbiased(rule: str, seen: pd.DataFrame) -> Claim:
    """Claim that the mean is right within its own standard error, on all cells of a seed."""
    by_seed = seen["bias_in_errors"].pow(2).groupby(seen["seed"]).mean().pow(0.5)
    claim = f"{rule}: the mean is 1 ± 0.2 standard errors from exact"
    return within(claim, by_seed, 0.8, 1.2, expected=3)


def _scatter(ran: pd.DataFrame) -> Iterator[Claim]:
    """Claim that KF-RTRL scatters less than UORO."""
    variance = _by_seed(ran, "variance")
    both = [cell for rule, cell in variance if rule == "uoro" and ("kf_rtrl", cell) in variance]
    if both:
        yield every(
            "kf_rtrl scatters less than uoro on every cell",
            (
                ordered(
                    f"on {cell}",
                    variance["kf_rtrl", cell],
                    variance["uoro", cell],
                    ratio=True,
                    expected=3,
                )
                for cell in both
            ),
        )


def _memory(ran: pd.DataFrame) -> Iterator[Claim]:
    """Claim that SnAp-1 needs less memory than blocked RTRL, where both ran."""
    most = ran.pivot_table(index="cell", columns="rule", values="kilobytes", aggfunc="max")
    if {"snap1", "blocked_rtrl"} <= set(most):
        ratio = (most["snap1"] / most["blocked_rtrl"]).max()
        claim = "snap1 needs less memory than blocked_rtrl on every cell"
        yield identity(claim, ratio < 1, f"at most × {ratio:.2f}", expected=4)


def _cosines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each rule's cosine to the exact gradient on each cell."""
    return _by_cell(rows, lambda seen: with_interval(seen["cosine"]))


def _noise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the bias and variance of the rules that have noise of their own, on each cell."""
    unbiased = rows[(rows["claim"] == "unbiased") & rows["cosine"].notna()]
    lines = [
        {
            "rule": rule,
            "cell": cell,
            "bias in standard errors": with_interval(seen["bias_in_errors"], 2),
            "standard error": seen["standard_error"].median(),
            "variance of a draw": seen["variance"].median(),
        }
        for (rule, cell), seen in unbiased.groupby(["rule", "cell"], sort=False)
    ]
    return pd.DataFrame(lines).round(3)


def _prices(rows: pd.DataFrame) -> pd.DataFrame:
    """Return time and memory of a run of one step of each rule on each cell."""

    def in_words(seen: pd.DataFrame) -> str:
        return f"{seen['microseconds'].min():.0f} µs, {seen['kilobytes'].max():.0f} kB"

    return _by_cell(rows, in_words)


def _by_cell(rows: pd.DataFrame, in_words: Callable[[pd.DataFrame], str]) -> pd.DataFrame:
    """Return a table of rules by cells, each in the order of the rows."""
    lines: dict[str, dict[str, str]] = {}
    for (rule, cell), seen in rows.groupby(["rule", "cell"], sort=False):
        words = REFUSES if seen["cosine"].isna().all() else in_words(seen)
        lines.setdefault(str(rule), {})[str(cell)] = words
    cells = rows["cell"].unique().tolist()
    return pd.DataFrame([{"rule": rule, **by} for rule, by in lines.items()])[["rule", *cells]]


COSINES = Table(
    name="cosines",
    title="Direction: the cosine to the exact gradient",
    caption="Mean over seeds and its 95 % confidence interval; of algorithms with noise of their "
    "own, that of a single draw. A cell that an algorithm is not made for is refused. Public "
    "runs of 64 units have UORO's between .04 and .10; where a draw points better here, that "
    "fewer units share its one vector is the likely cause.",
    build=_cosines,
)
NOISE = Table(
    name="noise",
    title="Noise: bias in standard errors, and variance",
    caption="Bias: distance of the mean over all copies from the exact gradient, root mean "
    "square over parameters; 1 is what chance gives a right mean. Standard error of that mean and "
    "variance of a single draw, E|g - Eg|², are relative to the exact gradient and its square.",
    build=_noise,
)
PRICES = Table(
    name="prices",
    title="Price: processor time and peak memory of a run of one step",
    caption="float32, one sample, one thread; the least time and the most memory over seeds. "
    "Memory is of tensors made along the stream. Programs, not operations, are what is compared: "
    "at so few units much of it is the interpreter's work.",
    build=_prices,
)
PART = Part(
    __doc__,
    Agreement,
    expects,
    figures=(COSINES, NOISE, PRICES),
    times=("microseconds",),
)
