"""What do a step's time and the memory of each algorithm depend on?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd
from pydantic import PositiveInt

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.statistics import exponent, line
from pipeline.study import Check, Figure, Given, Needs, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Algorithm, Cell

THEORY = {
    "microseconds": {"rtrl": 4, "blocked_rtrl": 3, "bptt": 2, "tbptt": 2},
    "megabytes": {"rtrl": 3, "blocked_rtrl": 3, "bptt": 2},
}
"""Exponents of n: of one step's operations, and of the memory of T = 2n steps."""
ASYMPTOTIC = 128
"""Units from which a dense step is arithmetic rather than the interpreter's work."""


LABELS = {
    "hidden_size": "hidden units n",
    "length": "steps T",
    "microseconds": "processor time a step (µs)",
    "megabytes": "peak memory (MB)",
    "form": "algorithm",
}


class Cost(Trial):
    """One sample of a stream of random inputs, along which an algorithm goes."""

    cell: Annotated[str, named(CELLS)]
    read: Literal["sequence", "step"]
    """When the gradient is taken: once, of the whole sequence's loss, or at every step."""
    algorithm: Annotated[str, named(ALGORITHMS)]
    sweep: Literal["n", "T"]
    """What is varied: units, with the length twice as many, or the length alone."""
    hidden_size: PositiveInt
    length: PositiveInt
    input_size: PositiveInt
    repeats: PositiveInt

    def measure(self, given: Given) -> Rows:
        """Return processor time a step and peak memory, of tensors made during the run."""
        import torch

        from pipeline.measuring.costs import peak_bytes, processor_seconds

        torch.manual_seed(self.seed)
        network = CELLS[self.cell](self.input_size, self.hidden_size)
        x_TBI = torch.randn(self.length, 1, self.input_size)
        c_BS = torch.randn(1, network.state_size)
        rule = ALGORITHMS[self.algorithm]()
        chunk = 1 if self.read == "step" else self.length

        def go() -> None:
            _stream(rule, network, x_TBI, c_BS, chunk)

        return {
            "form": f"{self.algorithm}, read each {self.read}",
            "microseconds": processor_seconds(go, self.repeats) / self.length * 1e6,
            "megabytes": peak_bytes(go) / 1e6,
        }


def _stream(rule: "Algorithm", cell: "Cell", x_TBI: "Tensor", c_BS: "Tensor", chunk: int) -> None:
    """Go along the stream, reading the gradient of every ``chunk`` steps."""
    state_BS, memory = c_BS.new_zeros(c_BS.shape), None
    for x_KBI in x_TBI.split(chunk):
        _, state_BS, memory, *_ = rule.run(cell, x_KBI, state_BS, lambda t, s_BS: c_BS, memory)


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare exponents with theory, and memory with T."""
    fits = _exponents(rows, "microseconds").set_index("form")
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
    bptt, rtrl = _memories(rows)
    spread = float(rtrl["megabytes"].max() / rtrl["megabytes"].min())
    yield Check("memory: RTRL's does not grow with T (≤ 5 %)", spread <= 1.05, f"× {spread:.3f}")
    k, _ = exponent(bptt["length"].tolist(), bptt["megabytes"].tolist())
    yield Check("memory: BPTT's grows as T^(1 ± 0.1)", abs(k - 1) <= 0.1, f"T^{k:.2f}")


def _exponents(rows: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Fit quantity ~ n^k over the largest sizes, from ASYMPTOTIC on if there are two."""
    fits = []
    for (form, algorithm), group in rows[rows["sweep"] == "n"].groupby(["form", "algorithm"]):
        least = min(ASYMPTOTIC, sorted(group["hidden_size"])[-2])
        upper = group[group["hidden_size"] >= least]
        k, _ = exponent(upper["hidden_size"].tolist(), upper[quantity].tolist())
        fits.append(
            {
                "form": form,
                "exponent": k,
                "theory": THEORY[quantity].get(str(algorithm)),
                "from": upper["hidden_size"].min(),
                "sizes": f"{upper['hidden_size'].min()}–{upper['hidden_size'].max()}",
            }
        )
    return pd.DataFrame(fits)


def _memories(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the sweep of T for BPTT, and for dense RTRL read at each step."""
    lengths = rows[rows["sweep"] == "T"]
    rtrl = lengths[(lengths["algorithm"] == "rtrl") & (lengths["read"] == "step")]
    return lengths[lengths["algorithm"] == "bptt"], rtrl


def _crossing(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the T beyond which dense RTRL needs less memory than BPTT."""
    bptt, rtrl = _memories(rows)
    slope, intercept, _ = line(bptt["length"].tolist(), bptt["megabytes"].tolist())
    meets = round((rtrl["megabytes"].mean() - intercept) / slope)
    return pd.DataFrame({"n": bptt["hidden_size"].head(1), "T beyond which RTRL needs less": meets})


def _fitted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the exponents of time and memory side by side."""
    of_time = _exponents(rows, "microseconds")[["form", "exponent", "theory", "sizes"]]
    of_memory = _exponents(rows, "megabytes")[["form", "exponent", "theory"]]
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
PART = Part(
    __doc__,
    Cost,
    expects,
    needs=Needs(alone=True),
    times=("microseconds",),
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
            build=_crossing,
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
