"""A training step by back-propagation through time, beside torch's own layers and cells.

A step is a forward pass through T = 100 steps and a backward pass to the gradient of every weight,
32 inputs, batch 32, float32, one thread (or a GPU with ``device=cuda``), timed as ``_timing`` says.
The loss is Σ c h over all steps; its derivative c is given to every form, so none computes a loss,
and none the inputs' gradient. Targets are for the CPU only.

    ours        ``bptt`` on srn, gru, lstm
    layer       torch.nn.RNN, GRU, LSTM and automatic differentiation
    loop        torch.nn.RNNCell, GRUCell, LSTMCell step by step, and automatic differentiation
    captured    on a GPU, ours as one CUDA graph

``error`` is the largest relative distance from the layer's gradient at the same weights, over
blocks of parameters, in float64.
"""

from typing import Any

import torch
from torch import Tensor, nn

from benchmarks._exact import distance
from benchmarks._timing import (
    Constant,
    Work,
    captured,
    interleaved,
    model,
    one_thread,
    several,
    stream,
)
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Cell

INPUTS, STEPS, BATCH = 32, 100, 32
KINDS = {"srn": "RNN", "gru": "GRU", "lstm": "LSTM"}
TARGETS = {
    "srn": {"of_layer": 1.0},
    "gru": {"of_layer": 1.2},
    "lstm": {"of_layer": 1.5, "of_loop": 0.75},
}
"""Upper limits of our time over theirs at n = 128."""

Row = dict[str, Any]


def run(
    sizes: int | tuple[int, ...] = (64, 128),
    cells: str | tuple[str, ...] = tuple(KINDS),
    device: str = "cpu",
) -> list[Row]:
    """Return a row for each cell and number of hidden units."""
    names = (cells,) if isinstance(cells, str) else cells
    with one_thread(device):
        return [_measured(name, n, device) for name in names for n in several(sizes)]


def _measured(name: str, n: int, device: str) -> Row:
    """Return the times of one cell and size, and their ratios."""
    torch.manual_seed(0)
    work = {
        "ours": stream(BPTT(), CELLS[name](INPUTS, n).to(device), BATCH, STEPS, STEPS),
        "layer": layer(KINDS[name], n, BATCH, device),
        "loop": _loop(KINDS[name], n, device),
    }
    if device != "cpu":
        work["captured"] = captured(work["ours"])
    seconds = interleaved(work, device=device)
    row: Row = {"device": model(device), "cell": name, "n": n}
    row["torch"] = f"{KINDS[name]}, {KINDS[name]}Cell"
    row |= {f"{form}_ms": taken * STEPS * 1e3 for form, taken in seconds.items()}
    row |= {f"of_{form}": seconds["ours"] / seconds[form] for form in ("layer", "loop")}
    if "captured" in seconds:
        row["captured_of_layer"] = seconds["captured"] / seconds["layer"]
    row["error"] = _error(name, n)
    most = TARGETS[name] if n == 128 and device == "cpu" else {}
    return row | {f"{form}_at_most_{x:g}": row[form] <= x for form, x in most.items()}


def layer(kind: str, n: int, batch: int, device: str = "cpu") -> Work:
    """Return the work of a training step of torch's layer."""
    net, x_TBI = getattr(nn, kind)(INPUTS, n).to(device), torch.randn(STEPS, batch, INPUTS)
    x_TBI, c_TBH = x_TBI.to(device), torch.randn(batch, n).expand(STEPS, batch, n)
    c_TBH = c_TBH.to(device).contiguous()

    def go() -> None:
        net.zero_grad()
        net(x_TBI)[0].backward(c_TBH)

    return go, STEPS


def _loop(kind: str, n: int, device: str) -> Work:
    """Return the work of a training step of torch's cell, step by step."""
    net = getattr(nn, f"{kind}Cell")(INPUTS, n).to(device)
    x_TBI, c_T = torch.randn(STEPS, BATCH, INPUTS).to(device), [torch.randn(BATCH, n).to(device)]

    def go() -> None:
        net.zero_grad()
        state, h_T = None, []
        for x_BI in x_TBI.unbind():
            state = net(x_BI, state)
            h_T.append(state[0] if kind == "LSTM" else state)
        torch.autograd.backward(h_T, c_T * STEPS)

    return go, STEPS


def _error(name: str, n: int) -> float:
    """Return the largest relative distance of our gradient from the layer's."""
    cell = CELLS[name](INPUTS, n).double()
    x_TBI = torch.randn(STEPS, 2, INPUTS, dtype=torch.float64)
    c_BS = torch.zeros(2, cell.state_size, dtype=torch.float64)
    c_BS[:, :n] = torch.randn(2, n)
    ours_P = BPTT().gradient(cell, x_TBI, torch.zeros_like(c_BS), Constant(c_BS))
    return distance(ours_P, _layer_gradient(name, cell, x_TBI, c_BS[:, :n]))


def _layer_gradient(name: str, cell: Cell, x_TBI: Tensor, c_BH: Tensor) -> tuple[Tensor, ...]:
    """Return the gradient by our cell's weights, as torch's layer with these weights has it."""
    net = getattr(nn, KINDS[name])(cell.input_size, cell.hidden_size).double()
    weights, into = _as_torch(name, cell), list(net.parameters())
    with torch.no_grad():
        for w, given in zip(into, weights, strict=True):
            w.copy_(given)
    h_TBH = net(x_TBI)[0]
    found = torch.autograd.grad(h_TBH, into, c_BH.expand_as(h_TBH))
    return torch.autograd.grad(weights, list(cell.parameters()), found)


def _as_torch(name: str, cell: Cell) -> list[Tensor]:
    """Return U, W and both biases in torch's order of gates: LSTM i, f, g, o; GRU r, u, n."""
    U, W, b = cell.parameters()
    if name == "lstm":  # Ours are i, f, o, g.
        U, W, b = (
            torch.cat([i, f, g, o]) for i, f, o, g in (w.chunk(4) for w in cell.parameters())
        )
    elif name == "gru":  # Our U is n, r, u, and b has n's two halves first and last.
        U_n, U_r, U_u = U.chunk(3)
        n, r, u, n_h = b.chunk(4)
        zero = torch.zeros_like(torch.cat([r, u]))
        return [torch.cat([U_r, U_u, U_n]), W, torch.cat([r, u, n]), torch.cat([zero, n_h])]
    return [U, W, b, 0 * b]  # Zeros that depend on b, as autograd.grad needs a graph.
