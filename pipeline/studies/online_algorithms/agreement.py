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

import itertools
from collections.abc import Iterator
from typing import Annotated

import pandas as pd
import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.measures import compare
from pipeline.studies.online_algorithms.directions import COSINES, NOISE, PRICES
from pipeline.studies.online_algorithms.estimates import Problem, noise_of, price
from pipeline.studies.online_algorithms.rules import build, called, claim, rules
from pipeline.study import Check, Rows, Section, Study, Trial, named
from pipeline.tasks import TASKS

EXACT = 1e-10
"""The cosine of what is exact is 1, and its relative error 0, within this."""
APART = ("diagonal", "elstm")
"""Cells without weights between units."""
OF_UNITS = ("snap1", "rflo", "eprop")


class Params(Section):
    """Every cell under every algorithm, TBPTT under every horizon."""

    cells: list[Annotated[str, named(CELLS)]]
    algorithms: list[Annotated[str, named(ALGORITHMS)]]
    horizons: list[PositiveInt]
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
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every cell under every rule and seed."""
    shared = p.model_dump(exclude={"cells", "algorithms", "horizons", "seeds"})
    for cell, rule, seed in itertools.product(
        p.cells, rules(p.algorithms, p.horizons), range(p.seeds)
    ):
        yield {"cell": cell, **rule, **shared, "seed": seed}


def measure(
    cell: str,
    algorithm: str,
    horizon: int | None,
    reference: str,
    task: str,
    hidden_size: int,
    warmup: int,
    length: int,
    draws: int,
    groups: int,
    copies: int,
    timed: int,
    repeats: int,
    seed: int,
) -> Rows:
    """Return one row: direction, bias, variance and price; or why the algorithm refuses."""
    torch.manual_seed(seed)
    total = warmup + length
    source = TASKS[task](seed=seed, batch_size=1, length=total, held_out_size=total)
    network = CELLS[cell](source.input_size, hidden_size).double()
    problem = Problem(network, source, warmup)
    rule = build(algorithm, horizon)
    row = {"rule": called(algorithm, horizon), "claim": claim(algorithm), "refused": None}
    try:
        first_P = problem.gradient(rule)
    except ValueError as refusal:
        return {**row, "refused": str(refusal)}
    exact_P = problem.gradient(build(reference, None))
    if row["claim"] == "unbiased":
        row |= noise_of(problem, rule, exact_P, draws, groups, copies)
    else:
        alike = compare(first_P, exact_P)
        row |= {**alike, "bias": alike["relative_error"], "variance": 0.0}
    return {**row, **price(problem, rule, timed, repeats)}


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


PART = Study(__doc__, Params, trials, measure, expects, figures=(COSINES, NOISE, PRICES))
