"""Checks of every learning algorithm: its gradient is what it claims, on every cell it accepts."""

import pickle
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lightning_modules.cells import CELLS
from lightning_modules.cells._forward import ForwardCell
from lightning_modules.contracts import _gradients as gradients
from lightning_modules.contracts._contract import Check, Contract, check
from lightning_modules.contracts._streams import problem, rtrl_reference
from lightning_modules.interfaces import Algorithm, Cell, Claim

BY_STEPS = (gradients.every_step, gradients.carried_memory, gradients.moving_weights)
"""Further checks of exact algorithms that carry a memory from run to run."""
LONG = 96


def claims(algorithm: Algorithm) -> None:
    """It claims one of what there is to claim."""
    assert isinstance(algorithm.claim, Claim), f"claim is {algorithm.claim!r}: a Claim is asked for"


def all_at_once(algorithm: Algorithm, cell: Cell) -> None:
    """A credit for all steps at once gives the same gradient."""
    p = problem(cell, gradients.LENGTH, gradients.BATCH)

    class Together:
        def __call__(self, t: int, s_BS: Tensor) -> Tensor:
            raise AssertionError("asked step by step")

        def sequence(self, s_TBS: Tensor) -> Tensor:
            return p.mask_TB[..., None] * (s_TBS - p.target_TBS)

    found = []
    for credit in (Together(), p.credit):
        torch.manual_seed(0)
        found.append(algorithm.gradient(cell, p.x_TBI, p.s_BS, credit, p.resets_TB))
    gradients.assert_near(cell, *found)


def bounded(algorithm: Algorithm, cell: Cell) -> None:
    """The memory does not grow along the stream."""
    p, sizes = problem(cell, LONG, 1), []
    s_BS, memory = p.s_BS, None
    for t in range(LONG):
        part = p.chunk(t, t + 1)
        run = algorithm.run(cell, part.x_TBI, s_BS, part.credit, memory, part.resets_TB)
        s_BS, memory = run.state_BS, run.memory
        sizes.append(len(pickle.dumps(memory)))
    early, late = sizes[24:60], sizes[60:]
    assert max(late) <= 1.02 * max(early), f"{max(early)} bytes become {max(late)}"


def pickled(algorithm: Algorithm, cell: Cell) -> None:
    """A memory that went through pickle goes on bit for bit as one that did not."""
    gradients.pickled_memory(algorithm, cell, rtrl_reference)


def keeps_claim(algorithm: Algorithm, cell: Cell) -> None:
    """Its gradient is what it claims."""
    if algorithm.claim is Claim.ALIGNED:
        gradients.aligned(algorithm, cell)
    elif algorithm.claim is Claim.UNBIASED:
        gradients.unbiased(algorithm, cell, rtrl_reference, _remembers(cell))
    elif algorithm.claim is Claim.ZERO:
        gradients.zero(algorithm, cell, rtrl_reference)
    else:
        gradients.whole_sequence(algorithm, cell, rtrl_reference)
        for each in BY_STEPS if _carries(algorithm, cell) else ():
            each(algorithm, cell, rtrl_reference)


CHECKS: tuple[Callable[[Algorithm, Cell], None], ...] = (
    keeps_claim,
    all_at_once,
    pickled,
    bounded,
)


def _checks(build: Callable[[], Algorithm]) -> Iterator[Check]:
    """Iterate over the checks, cell by cell; cells that the algorithm refuses are skipped."""
    yield check(claims, build)
    taken = [name for name, cell in _cells() if _takes(build(), cell())]
    yield check(lambda _: _some(taken), build)._replace(says="It takes some of the cells")
    for name, cell in _cells():
        if name in taken:
            yield from (check(each, build, cell, on=f"on {name}") for each in CHECKS)


def _some(taken: list[str]) -> None:
    assert taken, "it refuses all of them"


def _cells() -> Iterator[tuple[str, Callable[[], Cell]]]:
    """Iterate over the cells that are built from two sizes and whose steps are fast."""
    for name, kind in CELLS.items():
        if name != "stack" and not issubclass(kind, ForwardCell):
            yield name, lambda kind=kind: kind(3, 4).double()


def _takes(algorithm: Algorithm, cell: Cell) -> bool:
    """Return whether it accepts a cell; only a ValueError of one line is a refusal."""
    p = problem(cell, 2, 1)
    try:
        algorithm.gradient(cell, p.x_TBI, p.s_BS, p.credit)
    except ValueError as error:
        return "\n" in str(error)
    return True


def _carries(algorithm: Algorithm, cell: Cell) -> bool:
    """Return whether it carries a memory from run to run."""
    p = problem(cell, 2, 1)
    return algorithm.run(cell, p.x_TBI, p.s_BS, p.credit).memory is not None


def _remembers(cell: Cell) -> bool:
    """Return whether a cell's next state depends on its state."""
    p = problem(cell, 2, 1)
    zero_BS = torch.zeros_like(p.s_BS)
    return not torch.equal(cell(p.x_TBI[0], p.s_BS), cell(p.x_TBI[0], zero_BS))


CONTRACT = Contract(Algorithm, {}, _checks)
