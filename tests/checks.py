"""What an algorithm's gradient is held to: used on the real ones, and on ones broken on purpose."""

import pickle
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lightning_modules.interfaces import Algorithm, Cell
from tests.references import Problem, flat_weights, problem

TOLERANCE = 1e-12
LENGTH, BATCH = 23, 3
CHUNKS = (1, 1, 4, 1, 9, 2, 5)
"""Lengths of the runs that a stream is taken in: below, at and beyond a block of 4 or 5."""

Reference = Callable[[Problem, Tensor], Tensor]
"""(problem, weights_TP) -> what the gradient of each step's loss must be, (T, P)."""
Check = Callable[[Algorithm, Cell, Reference], None]


def run_in_chunks(
    algorithm: Algorithm, p: Problem, lengths: Sequence[int], pickled: bool = False
) -> list[Tensor]:
    """Return each run's gradient along the stream; the memory may go through pickle each time."""
    s_BS, memory, first, gradients = p.s_BS, None, 0, []
    for length in lengths:
        part = p.chunk(first, first + length)
        run = algorithm.run(p.cell, part.x_TBI, s_BS, part.credit, memory, part.resets_TB)
        s_BS, memory, first = run.state_BS, run.memory, first + length
        gradients.append(run.gradient_P)
        if pickled:
            memory = pickle.loads(pickle.dumps(memory))
    assert first == len(p.x_TBI)
    return gradients


def assert_near(cell: Cell, g_P: Tensor, exact_P: Tensor, tolerance: float = TOLERANCE) -> None:
    """Compare each block of parameters on its own, relative to its own norm."""
    assert g_P.shape == exact_P.shape
    sizes = [w.numel() for w in cell.parameters()]
    names = [name for name, _ in cell.named_parameters()]
    for name, g, exact in zip(names, g_P.split(sizes), exact_P.split(sizes), strict=True):
        error = float((g - exact).norm() / exact.norm().clamp_min(1e-300))
        assert error <= tolerance, f"{name} is {error:.1e} off"


def whole_sequence(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """The gradient of a whole sequence is the sum over its steps."""
    p = problem(cell, LENGTH, BATCH)
    g_P = algorithm.gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
    assert_near(cell, g_P, reference(p, flat_weights(cell).expand(LENGTH, -1)).sum(0))


def every_step(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """Runs of one step give each step's gradient, those of masked steps being zero."""
    p = problem(cell, LENGTH, BATCH, seed=1)
    steps = run_in_chunks(algorithm, p, [1] * LENGTH)
    weights_TP = flat_weights(cell).expand(LENGTH, -1)
    for g_P, exact_P in zip(steps, reference(p, weights_TP), strict=True):
        assert_near(cell, g_P, exact_P)


def carried_memory(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """Runs of any lengths that carry the memory on add up to the stream's gradients."""
    p = problem(cell, LENGTH, BATCH, seed=2)
    runs = run_in_chunks(algorithm, p, CHUNKS)
    weights_TP = flat_weights(cell).expand(LENGTH, -1)
    for g_P, steps_TP in zip(runs, reference(p, weights_TP).split(CHUNKS), strict=True):
        assert_near(cell, g_P, steps_TP.sum(0))


def moving_weights(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """With weights that move at every step, each step counts with the weights that it used."""
    p = problem(cell, LENGTH, BATCH, seed=3)
    shifts_TP = 0.1 * torch.randn(LENGTH, len(flat_weights(cell)), dtype=torch.float64)
    weights_TP, s_BS, memory, steps = flat_weights(cell) + shifts_TP, p.s_BS, None, []
    for t, w_P in enumerate(weights_TP):
        torch.nn.utils.vector_to_parameters(w_P, cell.parameters())
        part = p.chunk(t, t + 1)
        run = algorithm.run(cell, part.x_TBI, s_BS, part.credit, memory, part.resets_TB)
        s_BS, memory = run.state_BS, run.memory
        steps.append(run.gradient_P)
    for g_P, exact_P in zip(steps, reference(p, weights_TP), strict=True):
        assert_near(cell, g_P, exact_P)


def pickled_memory(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """A memory that went through pickle goes on bit for bit as one that did not."""
    del reference
    p = problem(cell, LENGTH, BATCH, seed=4)
    plain = run_in_chunks(algorithm, p, CHUNKS)
    restored = run_in_chunks(algorithm, p, CHUNKS, pickled=True)
    for g_P, again_P in zip(plain, restored, strict=True):
        assert torch.equal(g_P, again_P)
