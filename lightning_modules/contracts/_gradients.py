"""Checks of an algorithm's gradient; the tests also run them on algorithms broken on purpose."""

import pickle
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lightning_modules.contracts._streams import Problem, flat_weights, problem, rtrl_reference
from lightning_modules.interfaces import Algorithm, Cell

TOLERANCE = 1e-12
LENGTH, BATCH = 23, 3
CHUNKS = (1, 1, 4, 1, 9, 2, 5)
"""Lengths of the runs that a stream is cut into: below, at and above a block of 4 or 5 steps."""

Reference = Callable[[Problem, Tensor], Tensor]
"""(problem, weights_TP) -> the exact gradient of each step's loss, (T, P)."""
Check = Callable[[Algorithm, Cell, Reference], None]


def run_in_chunks(
    algorithm: Algorithm,
    p: Problem,
    lengths: Sequence[int],
    weights_RP: Tensor | None = None,
    pickled: bool = False,
) -> list[Tensor]:
    """Return the gradient of each run along the stream, (P,) each.

    With ``weights_RP`` the cell gets other weights before each run; with ``pickled`` the memory
    goes through pickle after each.
    """
    s_BS, memory, first, gradients = p.s_BS, None, 0, []
    for i, length in enumerate(lengths):
        if weights_RP is not None:
            torch.nn.utils.vector_to_parameters(weights_RP[i], p.cell.parameters())
        part = p.chunk(first, first + length)
        run = algorithm.run(p.cell, part.x_TBI, s_BS, part.credit, memory, part.resets_TB)
        s_BS, memory, first = run.state_BS, run.memory, first + length
        gradients.append(run.gradient_P)
        if pickled:
            memory = pickle.loads(pickle.dumps(memory))  # nosec B301 - of its own making
    assert first == len(p.x_TBI)
    return gradients


def assert_near(cell: Cell, g_P: Tensor, exact_P: Tensor, tolerance: float = TOLERANCE) -> None:
    """Assert that each block of parameters has a relative error of at most ``tolerance``."""
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


def moving_weights(
    algorithm: Algorithm, cell: Cell, reference: Reference, lengths: Sequence[int] = (1,) * LENGTH
) -> None:
    """With weights that move before every run, each step counts with the weights that it used."""
    p = problem(cell, LENGTH, BATCH, seed=3)
    shifts_RP = 0.1 * torch.randn(len(lengths), len(flat_weights(cell)), dtype=torch.float64)
    weights_RP = flat_weights(cell) + shifts_RP
    runs = run_in_chunks(algorithm, p, lengths, weights_RP)
    weights_TP = weights_RP.repeat_interleave(torch.tensor(lengths), dim=0)
    for g_P, steps_TP in zip(runs, reference(p, weights_TP).split(lengths), strict=True):
        assert_near(cell, g_P, steps_TP.sum(0))


def pickled_memory(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """A memory that went through pickle goes on bit for bit as one that did not."""
    del reference
    p = problem(cell, LENGTH, BATCH, seed=4)
    torch.manual_seed(0)
    plain = run_in_chunks(algorithm, p, CHUNKS)
    torch.manual_seed(0)
    restored = run_in_chunks(algorithm, p, CHUNKS, pickled=True)
    for g_P, again_P in zip(plain, restored, strict=True):
        assert torch.equal(g_P, again_P), "after pickle the gradient is off"


def aligned(algorithm: Algorithm, cell: Cell) -> None:
    """The gradient of many short sequences points less than 90 degrees away from the exact one.

    They are short because the error of an approximation grows with the steps: SnAp-1 on
    ``residual_recurrent``, whose state accumulates, has a cosine of -0.17 after 23 steps.
    """
    p = problem(cell, 8, 10)
    g_P = algorithm.gradient(p.cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
    exact_P = rtrl_reference(p, flat_weights(p.cell).expand(len(p.x_TBI), -1)).sum(0)
    cosine = float(torch.cosine_similarity(g_P, exact_P, dim=0))
    assert cosine > 0, f"{cosine} of the exact direction: more than 90 degrees off"


def zero(algorithm: Algorithm, cell: Cell, reference: Reference) -> None:
    """Every run's gradient is zero to the last bit, and the state is the one of the cell alone."""
    del reference
    p = problem(cell, LENGTH, BATCH, seed=6)
    s_BS = of_cell_BS = p.s_BS
    memory, first = None, 0
    for length in CHUNKS:
        part = p.chunk(first, first + length)
        run = algorithm.run(cell, part.x_TBI, s_BS, part.credit, memory, part.resets_TB)
        s_BS, memory, first = run.state_BS, run.memory, first + length
        for x_BI, resets_B in zip(part.x_TBI, part.resets_TB, strict=True):
            of_cell_BS = cell(x_BI, of_cell_BS * ~resets_B[:, None]).detach()
        assert torch.equal(run.gradient_P, torch.zeros_like(flat_weights(cell))), "it is off zero"
        assert torch.allclose(s_BS, of_cell_BS, rtol=TOLERANCE, atol=TOLERANCE), "state is off"


def unbiased(
    algorithm: Algorithm, cell: Cell, reference: Reference, remembers: bool = True
) -> None:
    """The mean of 4,000 draws is exact within its standard error, run by run, as weights move.

    On a cell that does not remember (``remembers`` false) each draw must be exact. Draws are copies
    of a sample in one large batch; means over 100 of them are close to normally distributed.
    """
    groups, copies, lengths = 40, 100, (1, 4, 5, 2)
    p = problem(cell, sum(lengths), 2, seed=5)
    runs_RP = flat_weights(cell) + 0.1 * torch.randn(len(lengths), len(flat_weights(cell)))
    weights_TP = runs_RP.repeat_interleave(torch.tensor(lengths), dim=0)
    exact_RP = torch.stack([g_TP.sum(0) for g_TP in reference(p, weights_TP).split(lengths)])
    means = torch.stack([_mean_draw(algorithm, p, copies, lengths, runs_RP) for _ in range(groups)])
    # Entries that are exact in every draw, as in the first run, vary only by rounding.
    error_RP = (means.std(0) / groups**0.5).clamp_min(1e-12 * float(exact_RP.abs().max()))
    z_RP = (means.mean(0) - exact_RP) / error_RP
    assert float(z_RP.abs().max()) < 5, f"{float(z_RP.abs().max()):.1f} standard errors off"
    assert float(z_RP[1:].square().mean()) < 2, "off by more than chance on the whole"
    drawn = float(means.std(0)[1:].max()) > 1e-3 * float(exact_RP.abs().max())
    assert drawn == remembers, "exact in every draw" if remembers else "off though nothing is drawn"


def _mean_draw(
    algorithm: Algorithm, p: Problem, copies: int, lengths: Sequence[int], runs_RP: Tensor
) -> Tensor:
    """Return each run's gradient, averaged over ``copies`` of every sample, (R, P)."""
    many = Problem(
        p.cell,
        p.x_TBI.repeat(1, copies, 1),
        p.s_BS.repeat(copies, 1),
        p.target_TBS.repeat(1, copies, 1),
        p.mask_TB.repeat(1, copies),
        p.resets_TB.repeat(1, copies),
    )
    return torch.stack(run_in_chunks(algorithm, many, lengths, runs_RP)) / copies
