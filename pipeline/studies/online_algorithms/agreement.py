"""Where does each algorithm's gradient point on each cell, how does it scatter, what does it cost?

A random network under a random linear readout reads a task's stream, its weights held. After
``warmup`` steps, in which influence builds up, the gradient of the loss is summed over the next
``length`` steps and compared with the exact one, of dense RTRL in float64. Algorithms with noise of
their own are run again and again on the same stream: ``draws`` single runs give the cosine of one
draw, and ``groups`` sums over ``copies`` of the stream, each with its own noise, give their mean's
distance from the exact gradient in standard errors, and their variance.

Expected: blocked RTRL, and diagonal RTRL where it applies, equal dense RTRL to rounding. So do
SnAp-1, RFLO and e-prop on the cells without weights between units (diagonal, eLSTM), where what
they drop is zero, and SnAp-n, of two steps, everywhere: within two steps dense weights reach every
unit. TBPTT turns towards the exact gradient as its horizon grows. The means of UORO and KF-RTRL
are right: their distance is one standard error, root mean square over parameters. As these move
together, one network's figure scatters by a quarter; that of 14 or more networks together is held
to 1 ± 0.2, three times what is left. KF-RTRL scatters less than UORO. No algorithm points
backwards, but a single draw of UORO tells little of the direction: its cosine is below 0.5. SnAp-1
needs less memory than blocked RTRL.

A public project saw these cosines while it trained a network of 64 units to forecast, which is
another set-up: SnAp-1 .41-.69, KF-RTRL .48-.56, UORO .04-.10, RFLO .18-.58.

References:
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
        recurrent neural networks, JMLR 21: agreement of algorithms, and the task.
    sonaradarcn/sketched-rtrl, a public repository: the cosines above.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import Field, NonNegativeInt, PositiveInt

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.statistics import with_interval
from pipeline.studies.online_algorithms.rules import build, called, claim
from pipeline.study import Check, Given, Part, Rows, Table, Trial, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Algorithm
    from pipeline.studies.online_algorithms.problem import Problem

EXACT = 1e-10
"""The cosine of what is exact is 1, and its relative error 0, within this."""
APART = ("diagonal", "elstm")
"""Cells without weights between units."""
OF_UNITS = ("snap1", "rflo", "eprop")
REFUSES = "refuses"
Numbers = dict[str, float]


class Agreement(Trial):
    """A cell under an algorithm, beside the exact gradient."""

    cell: Annotated[str, named(CELLS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    horizon: PositiveInt | None = None
    """Of truncated BPTT."""
    reference: Annotated[str, named(ALGORITHMS)]
    task: Annotated[str, named(TASKS)]
    hidden_size: PositiveInt
    warmup: NonNegativeInt
    length: PositiveInt
    draws: PositiveInt
    groups: Annotated[int, Field(ge=10)]
    """Of at least 10 sums, so that their standard error means something."""
    copies: PositiveInt
    timed: PositiveInt
    """Steps over which time and memory are measured, a run for each, in float32."""
    repeats: PositiveInt

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


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold each algorithm to its claim."""
    ran = rows[rows["cosine"].notna()]
    for rule, seen in ran[(ran["claim"] == "exact") | (ran["rule"] == "snap_n")].groupby("rule"):
        yield _exact(f"{rule}: is the exact gradient on every cell that it takes", seen)
    apart = ran[ran["cell"].isin(APART) & ran["rule"].isin(OF_UNITS)]
    for rule, seen in apart.groupby("rule"):
        yield _exact(f"{rule}: is exact on cells without weights between units", seen)
    for rule, seen in ran[ran["claim"] == "unbiased"].groupby("rule"):
        yield _unbiased(str(rule), seen)
    yield from _turning(ran)
    yield from _smaller(ran, "variance", "kf_rtrl", "uoro", "scatters less than")
    yield from _smaller(ran, "kilobytes", "snap1", "blocked_rtrl", "needs less memory than")
    cosine = ran.groupby(["rule", "cell"])["cosine"].mean().drop("reservoir", errors="ignore")
    yield Check("no rule points backwards, on average over seeds", cosine.min() > 0, _least(cosine))
    if "uoro" in cosine:
        most, cell = cosine["uoro"].max(), cosine["uoro"].idxmax()
        claim = "uoro: the cosine of a single draw is below 0.5 on every cell"
        yield Check(claim, most < 0.5, f"at most {most:.3f}, {cell}")


def _exact(claim: str, seen: pd.DataFrame) -> Check:
    """Check cosine and relative error at once."""
    off = max((1 - seen["cosine"]).abs().max(), seen["relative_error"].max())
    return Check(f"{claim} (≤ {EXACT:.0e})", bool(off <= EXACT), f"at worst {off:.1e}")


def _unbiased(rule: str, seen: pd.DataFrame) -> Check:
    """Check that the mean is right within its own standard error."""
    typical = float(seen["bias_in_errors"].pow(2).mean() ** 0.5)
    resolved = f"a standard error is {seen['standard_error'].median():.2f} of the gradient"
    return Check(
        f"{rule}: the mean is 1 ± 0.2 standard errors from exact",
        0.8 <= typical <= 1.2,
        f"{typical:.2f}; {resolved}",
    )


def _turning(ran: pd.DataFrame) -> Iterator[Check]:
    """Check the order of the horizons."""
    windows = ran[ran["horizon"].notna()] if "horizon" in ran else ran.head(0)
    cosine = windows.pivot_table(index="cell", columns="horizon", values="cosine")
    if cosine.shape[1] > 1:
        gained = cosine.diff(axis=1).min(axis=1)
        claim = "tbptt: the cosine grows with the horizon on every cell"
        yield Check(claim, gained.min() > -1e-3, _least(gained))


def _smaller(ran: pd.DataFrame, of: str, less: str, more: str, says: str) -> Iterator[Check]:
    """Check that one rule has less of something than another on every cell, where both ran."""
    mean = ran.pivot_table(index="cell", columns="rule", values=of)
    if less in mean and more in mean:
        ratio = (mean[less] / mean[more]).max()
        yield Check(f"{less} {says} {more} on every cell", ratio < 1, f"at most × {ratio:.2f}")


def _least(values: pd.Series) -> str:
    """Say the least value, and where it is."""
    at = values.idxmin()
    return f"least {values.min():+.3f}, {' on '.join(at) if isinstance(at, tuple) else at}"


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
