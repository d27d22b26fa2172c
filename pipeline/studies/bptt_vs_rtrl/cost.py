"""What do a step's time and the memory of each algorithm depend on?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import below, every, identity, ordered, within
from pipeline.measuring.statistics import exponent, half_width, line
from pipeline.study import Claim, Count, Figure, Given, Needs, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Algorithm, Cell

THEORY = {
    "microseconds": {"rtrl": 4, "blocked_rtrl": 3, "bptt": 2, "tbptt": 2},
    "megabytes": {"rtrl": 3, "blocked_rtrl": 3, "bptt": 2},
}
"""Exponents of n: of one step's operations, and of the memory of T = 2n steps."""
ASYMPTOTIC, SIZES = 128, 4
"""Units from which a dense step is arithmetic rather than the interpreter's work, and how many
sizes, of these or of the largest, an exponent is fitted to, at least."""
DENSE, BLOCKED, HISTORY = (
    "rtrl, read each step",
    "blocked_rtrl, read each sequence",
    "bptt, read each sequence",
)
"""The forms that are compared."""
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
    hidden_size: Count
    length: Count
    input_size: Count
    repeats: Count

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


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare exponents with theory, and memory with T."""
    fitted = exponents(rows, "microseconds")
    if fitted.keys() >= {DENSE, BLOCKED, HISTORY}:
        falling = ((BLOCKED, DENSE), (HISTORY, BLOCKED))
        yield every(
            "time: RTRL's exponent of n > blocked RTRL's > BPTT's",
            (ordered(f"{a} below {b}", fitted[a], fitted[b], expected=2) for a, b in falling),
        )
        if upper(rows)["hidden_size"].min() >= ASYMPTOTIC:
            claim = f"time: dense RTRL's is 4 ± 0.5 from n = {ASYMPTOTIC}"
            yield within(claim, fitted[DENSE], 3.5, 4.5, expected=2)
        yield below("time: blocked RTRL's is at most 3.2", fitted[BLOCKED], 3.2, expected=2)
    bptt, rtrl = _memories(rows)
    spread = float(rtrl["megabytes"].max() / rtrl["megabytes"].min())
    claim = "memory: RTRL's does not grow with T (≤ 5 %)"
    yield identity(claim, spread <= 1.05, f"× {spread:.3f}", expected=3)
    k, _ = exponent(bptt["length"].tolist(), bptt["megabytes"].tolist())
    claim = "memory: BPTT's grows as T^(1 ± 0.1)"
    yield identity(claim, abs(k - 1) <= 0.1, f"T^{k:.2f}", expected=3)
    most = {
        of: seen.sort_values("length").iloc[-1] for of, seen in (("BPTT", bptt), ("RTRL", rtrl))
    }
    longest = int(most["BPTT"]["length"])
    yield identity(
        "memory: of the longest sequence, RTRL needs less than BPTT",
        bool(most["RTRL"]["megabytes"] < most["BPTT"]["megabytes"]),
        ", ".join(f"{of} {at['megabytes']:.1f} MB" for of, at in most.items())
        + f" at T = {longest}",
        expected=3,
    )


def upper(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the sizes that exponents are fitted to."""
    units = rows[rows["sweep"] == "n"]
    sizes = sorted(units["hidden_size"].unique())
    upper = [size for size in sizes if size >= ASYMPTOTIC]
    chosen = upper if len(upper) >= SIZES else sizes[-SIZES:]
    return units[units["hidden_size"].isin(chosen)]


def exponents(rows: pd.DataFrame, quantity: str) -> dict[str, pd.Series]:
    """Fit quantity ~ n^k over the largest sizes; return k by seed, which tells timings apart."""
    found: dict[str, dict[int, float]] = {}
    for (form, seed), seen in upper(rows).groupby(["form", "seed"]):
        if seen["hidden_size"].nunique() >= SIZES:
            k, _ = exponent(seen["hidden_size"].tolist(), seen[quantity].tolist())
            found.setdefault(str(form), {})[int(str(seed))] = k
    return {form: pd.Series(by_seed) for form, by_seed in found.items()}


def _memories(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the sweep of T for BPTT, and for dense RTRL read at each step."""
    lengths = rows[rows["sweep"] == "T"]
    rtrl = lengths[(lengths["algorithm"] == "rtrl") & (lengths["read"] == "step")]
    return lengths[lengths["algorithm"] == "bptt"], rtrl


def crossing(rows: pd.DataFrame) -> int:
    """Return the T beyond which dense RTRL needs less memory than BPTT, whose memory is a line."""
    bptt, rtrl = _memories(rows)
    slope, intercept, _ = line(bptt["length"].tolist(), bptt["megabytes"].tolist())
    return round((rtrl["megabytes"].mean() - intercept) / slope)


def _crossing(rows: pd.DataFrame) -> pd.DataFrame:
    """Return where the lines of memory cross."""
    units = _memories(rows)[0]["hidden_size"].head(1)
    return pd.DataFrame({"n": units, "T beyond which RTRL needs less": crossing(rows)})


def _fitted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the exponents of time and memory side by side."""
    sizes = upper(rows)["hidden_size"]
    algorithm = rows.groupby("form")["algorithm"].first()
    lines = []
    memory = exponents(rows, "megabytes")
    for form, time in exponents(rows, "microseconds").items():
        of = str(algorithm[form])
        lines.append(
            {
                "form": form,
                "time": round(time.mean(), 2),
                "±": round(half_width(time), 2),
                "theory of time": THEORY["microseconds"].get(of),
                "memory": round(memory[form].mean(), 2),
                "theory of memory": THEORY["megabytes"].get(of),
                "sizes": f"{sizes.min()}–{sizes.max()}",
            }
        )
    return pd.DataFrame(lines)


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
            f"{ONE}, T = 2n, of dense RTRL, where it does not matter, less; the least of several "
            "repeats, mean and range over timings.",
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
            caption="Time a step, with its 95 % interval over timings, and memory at T = 2n, ~ n^k "
            "over the largest sizes. Theory counts operations; where a step costs less than the "
            "interpreter's own work, the exponent is below. So is blocked RTRL's, read each step, "
            "of a network that forgets: it looks back no further than can be seen.",
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
            "At T = 2n, of dense RTRL, where it does not matter, less; inputs not counted.",
            x="hidden_size",
            y="megabytes",
        ),
    ),
)
