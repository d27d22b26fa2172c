"""Other projects' online gradients beside ours: the same cell, weights, inputs and loss.

Peers are optional: `pip install -e '.[peers]'`; without them the benchmark says so and compares
only with torch. 32 inputs, batch 1, float32, one thread, timed as ``_timing`` says, JAX's functions
already compiled.

    every    the gradient at every step: runs of one step
    summed   the gradient summed over runs of 100 steps, torch's only form

``error`` is the relative distance of the two gradients over 50 steps, in float64; ``…_cosine`` is
the cosine of each with the exact gradient; ``…_first`` the relative distance of each from the exact
one over a single step, where only random algorithms approximate. On an SRN braintrace's SnAp with
n = 2 keeps the influence on every unit, so it is exact RTRL. Its D_RTRL and EProp drop influence
that passes through W, so there they are our ``rflo`` and ``eprop``. UORO's noise differs, so only
times and cosines can be compared. On an LSTM braintrace's gradient (0.2.6, called as here) of the
gates that act through c is twice the derivative over a single step, as ``…_first`` shows; the
reason is not known. Over more steps ``error`` then compares different quantities.

References:
    Wang et al. (2026), Model-agnostic linear-memory online learning in spiking neural networks,
        Nature Communications: braintrace, the source of D-RTRL there.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks import _braintrace
from benchmarks._exact import autograd, summed
from benchmarks._timing import Work, interleaved, one_thread, several, stream
from benchmarks.bptt import INPUTS, STEPS, layer
from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Cell
from pipeline.measuring.gradients import compare, relative_error

COMPARED = 50


class _Pair(NamedTuple):
    cell: str
    peer: str
    options: dict[str, Any]
    ours: str
    agree: bool = True
    largest: int = 10**6


PAIRS = (
    _Pair("srn", "SnAp", {"n": 1}, "snap1"),
    _Pair("srn", "D_RTRL", {}, "rflo"),
    _Pair("srn", "EProp", {}, "eprop"),
    _Pair("srn", "UORO", {}, "uoro", agree=False),
    _Pair("srn", "SnAp", {"n": 2}, "blocked_rtrl", largest=64),
    _Pair("lstm", "SnAp", {"n": 1}, "snap1"),
    _Pair("lstm", "D_RTRL", {}, "rflo"),
)

Row = dict[str, Any]


def run(sizes: int | tuple[int, ...] = (32, 128), pairs: tuple[_Pair, ...] = PAIRS) -> list[Row]:
    """Return a row for each pair and number of hidden units."""
    missing = _braintrace.missing()
    with one_thread():
        rows = [_torch(n) for n in several(sizes)]
        if missing:
            said = f"not installed ({', '.join(missing)}): pip install -e '.[peers]'"
            return [*rows, {"peer": "braintrace", "state": said}]
        _braintrace.start()
        return rows + [_pair(p, n) for p in pairs for n in several(sizes) if n <= p.largest]


def _torch(n: int) -> Row:
    """Return the row of torch's layer and our ``bptt``."""
    torch.manual_seed(0)
    cell = CELLS["srn"](INPUTS, n)
    ours = stream(ALGORITHMS["bptt"](), cell, 1, STEPS, STEPS)
    seconds = interleaved({"ours_summed": ours, "peer_summed": layer("RNN", n, 1)})
    return {"peer": "torch.nn.RNN", "ours": "bptt", "cell": "srn", "n": n, **_figures(seconds)}


def _pair(pair: _Pair, n: int) -> Row:
    """Return the row of one of braintrace's algorithms and ours."""
    torch.manual_seed(0)
    options = ", ".join(f"{key}={value}" for key, value in pair.options.items())
    row: Row = {"peer": f"braintrace.{pair.peer}({options})", "ours": pair.ours}
    row |= {"cell": pair.cell, "n": n, **_agreement(pair, n)}
    cell, c_BH = CELLS[pair.cell](INPUTS, n), torch.randn(1, n)
    work: dict[str, Work] = {}
    for form, (length, steps) in {"every": (1, 10), "summed": (STEPS, STEPS)}.items():
        rule = ALGORITHMS[pair.ours]()
        learner = _braintrace.Learner(pair.peer, pair.options, pair.cell, cell, c_BH)
        work[f"ours_{form}"] = stream(rule, cell, 1, length, steps)
        work[f"peer_{form}"] = learner.work(torch.randn(steps, 1, INPUTS), length), steps
    return row | _figures(interleaved(work))


def _figures(seconds: dict[str, float]) -> Row:
    """Return microseconds a step, and our time over the peer's."""
    row: Row = {f"{key}_us": taken * 1e6 for key, taken in seconds.items()}
    forms = [form for form in ("every", "summed") if f"ours_{form}" in seconds]
    return row | {
        f"{form}_of_peer": seconds[f"ours_{form}"] / seconds[f"peer_{form}"] for form in forms
    }


def _agreement(pair: _Pair, n: int) -> Row:
    """Return the distance of the two gradients, and how near each is to the exact one."""
    cell = CELLS[pair.cell](INPUTS, n).double()
    c_BS = torch.zeros(1, cell.state_size, dtype=torch.float64)
    c_BS[:, :n] = torch.randn(1, n)
    x_TBI = torch.randn(COMPARED, 1, INPUTS, dtype=torch.float64)
    exact_P, ours_P, theirs_P = _three(pair, cell, x_TBI, c_BS)
    row: Row = {"error": relative_error(ours_P, theirs_P)} if pair.agree else {}
    row["ours_cosine"] = compare(ours_P, exact_P)["cosine"]
    row["peer_cosine"] = compare(theirs_P, exact_P)["cosine"]
    exact_P, ours_P, theirs_P = _three(pair, cell, x_TBI[:1], c_BS)
    row["ours_first"] = relative_error(ours_P, exact_P)
    return row | {"peer_first": relative_error(theirs_P, exact_P)}


def _three(pair: _Pair, cell: Cell, x_TBI: Tensor, c_BS: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the exact gradient, ours and the peer's from a zero state, (P,) each."""
    c_BH = c_BS[:, : cell.hidden_size]
    learner = _braintrace.Learner(pair.peer, pair.options, pair.cell, cell, c_BH)
    return (
        torch.cat(autograd(cell, x_TBI, c_BS)),
        summed(ALGORITHMS[pair.ours](), 1, cell, x_TBI, c_BS),
        learner.gradient(x_TBI),
    )
