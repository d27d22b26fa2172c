"""What do a step's time and the memory of each algorithm depend on?"""

import itertools
from collections.abc import Iterator
from typing import Annotated

import pandas as pd
import torch
from pydantic import PositiveInt
from torch import Tensor

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Algorithm, Cell
from pipeline.measuring.measures import exponent, peak_bytes, processor_seconds
from pipeline.studies.bptt_vs_rtrl.fits import ASYMPTOTIC, crossing, exponents, memories
from pipeline.study import Check, Figure, Rows, Section, Study, Table, Trial, named

LABELS = {
    "hidden_size": "hidden units n",
    "length": "steps T",
    "microseconds": "processor time a step (µs)",
    "megabytes": "peak memory (MB)",
    "form": "algorithm",
}


class Params(Section):
    """``sizes`` are swept at T = 2n, ``lengths`` at ``hidden_size``; one sample at a time."""

    cell: Annotated[str, named(CELLS)]
    sequence: list[Annotated[str, named(ALGORITHMS)]]
    """Algorithms whose gradient is taken once, of the whole sequence's loss."""
    step: list[Annotated[str, named(ALGORITHMS)]]
    """Algorithms whose gradient is read at every step."""
    sizes: list[PositiveInt]
    lengths: list[PositiveInt]
    hidden_size: PositiveInt
    input_size: PositiveInt
    repeats: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every form of every algorithm against n, then against T."""
    forms = [(a, "sequence") for a in p.sequence] + [(a, "step") for a in p.step]
    points = [("n", n, 2 * n) for n in p.sizes] + [("T", p.hidden_size, t) for t in p.lengths]
    for (algorithm, read), (sweep, n, length) in itertools.product(forms, points):
        yield {
            "algorithm": algorithm,
            "read": read,
            "sweep": sweep,
            "cell": p.cell,
            "hidden_size": n,
            "length": length,
            "input_size": p.input_size,
            "repeats": p.repeats,
            "seed": 0,
        }


def measure(
    algorithm: str,
    read: str,
    sweep: str,
    cell: str,
    hidden_size: int,
    length: int,
    input_size: int,
    repeats: int,
    seed: int,
) -> Rows:
    """Return processor time a step and peak memory, of tensors made during the run."""
    torch.manual_seed(seed)
    network = CELLS[cell](input_size, hidden_size)
    x_TBI = torch.randn(length, 1, input_size)
    c_BS = torch.randn(1, network.state_size)
    rule = ALGORITHMS[algorithm]()
    chunk = 1 if read == "step" else length

    def go() -> None:
        _stream(rule, network, x_TBI, c_BS, chunk)

    return {
        "form": f"{algorithm}, read each {read}",
        "microseconds": processor_seconds(go, repeats) / length * 1e6,
        "megabytes": peak_bytes(go) / 1e6,
    }


def _stream(rule: Algorithm, cell: Cell, x_TBI: Tensor, c_BS: Tensor, chunk: int) -> None:
    """Go along the stream, reading the gradient of every ``chunk`` steps."""
    state_BS, memory = torch.zeros_like(c_BS), None
    for x_KBI in x_TBI.split(chunk):
        _, state_BS, memory, *_ = rule.run(cell, x_KBI, state_BS, lambda t, s_BS: c_BS, memory)


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare exponents with theory, and memory with T."""
    fits = exponents(rows, "microseconds").set_index("form")
    fitted, asymptotic = fits["exponent"], fits["from"].min() >= ASYMPTOTIC
    dense, blocked = fitted["rtrl, read each step"], fitted["blocked_rtrl, read each sequence"]
    history = fitted["bptt, read each sequence"]
    seen = f"{dense:.2f}, {blocked:.2f}, {history:.2f}"
    ordered = bool(dense > blocked > history)
    yield Check("time: RTRL's exponent of n > blocked RTRL's > BPTT's", ordered, seen)
    if asymptotic:
        near = bool(abs(dense - 4) <= 0.5)
        yield Check(f"time: dense RTRL's is 4 ± 0.5 from n = {ASYMPTOTIC}", near, f"{dense:.2f}")
    yield Check("time: blocked RTRL's is at most 3.2", bool(blocked <= 3.2), f"{blocked:.2f}")
    bptt, rtrl = memories(rows)
    spread = float(rtrl["megabytes"].max() / rtrl["megabytes"].min())
    yield Check("memory: RTRL's does not grow with T (≤ 5 %)", spread <= 1.05, f"× {spread:.3f}")
    k, _ = exponent(bptt["length"].tolist(), bptt["megabytes"].tolist())
    yield Check("memory: BPTT's grows as T^(1 ± 0.1)", abs(k - 1) <= 0.1, f"T^{k:.2f}")


def _fitted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the exponents of time and memory side by side."""
    of_time = exponents(rows, "microseconds")[["form", "exponent", "theory", "sizes"]]
    of_memory = exponents(rows, "megabytes")[["form", "exponent", "theory"]]
    both = of_time.merge(of_memory, on="form", suffixes=(" of time", " of memory"))
    return both.rename(columns=lambda name: name.replace("exponent of ", "")).round(2)


def _figure(name: str, title: str, caption: str, x: str, y: str) -> Figure:
    """Return one quantity against n or T, both axes logarithmic."""
    return Figure(
        name=name,
        title=title,
        caption=caption,
        where={"sweep": {"hidden_size": "n", "length": "T"}[x]},
        x=x,
        y=y,
        hue="form",
        log_x=True,
        log_y=True,
        labels=LABELS,
    )


ONE = "One thread, one sample, float32"
PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        _figure(
            "time",
            "Time a step against the number of units",
            f"{ONE}, T = 2n; the least of several repeats.",
            x="hidden_size",
            y="microseconds",
        ),
        _figure(
            "memory",
            "Peak memory against the length of the sequence",
            "Tensors alive at the worst moment of the run, inputs not counted.",
            x="length",
            y="megabytes",
        ),
        Table(
            name="exponents",
            title="Exponents of n, fitted and in theory",
            caption="Time a step, and memory at T = 2n, ~ n^k over the largest sizes. Theory "
            "counts operations; where a step costs less than the interpreter's own work, the "
            "exponent is below. So is blocked RTRL's, read each step, of a network that forgets: "
            "it looks back no further than can be seen.",
            build=_fitted,
        ),
        Table(
            name="crossing",
            title="Where forward accumulation needs less memory than a stored history",
            caption="BPTT's memory is a line in T, dense RTRL's is constant: where they meet.",
            build=crossing,
        ),
        _figure(
            "time-length",
            "Time a step against the length of the sequence",
            f"{ONE}. Blocked RTRL's first block, of n steps or up to four times as many, is BPTT; "
            "from the second on its cost stays.",
            x="length",
            y="microseconds",
        ),
        _figure(
            "memory-units",
            "Peak memory against the number of units",
            "At T = 2n, inputs not counted.",
            x="hidden_size",
            y="megabytes",
        ),
    ),
)
