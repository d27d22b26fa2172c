"""Credit by whatever function: the same gradient, or one line."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.contracts._streams import Problem, problem
from lightning_modules.interfaces import Algorithm, Credit
from tests.cases import CELL_BUILDS

SEES = {"a step": False, "all steps": True}


def _credit(p: Problem, of: Callable[[Tensor, Tensor], Tensor], together: bool) -> Credit:
    """Return the credit that a function of mask and error makes, step by step or all at once."""

    class Given:
        def __call__(self, t: int, s_BS: Tensor) -> Tensor:
            return of(s_BS, p.mask_TB[t, :, None] * p.target_TBS[t])

    class Together(Given):
        def sequence(self, s_TBS: Tensor) -> Tensor:
            return of(s_TBS, p.mask_TB[..., None] * p.target_TBS)

    return Together() if together else Given()


def _problem(name: str) -> Problem:
    return problem(CELL_BUILDS["elstm" if name == "diagonal_rtrl" else "lstm"](), 7, 2)


def _gradient(rule: Algorithm, p: Problem, credit: Credit) -> Tensor:
    torch.manual_seed(0)
    return rule.gradient(p.cell, p.x_TBI, p.s_BS, credit, p.resets_TB)


def plain(s: Tensor, y: Tensor) -> Tensor:
    return 2 * s * y


def by_autograd(s: Tensor, y: Tensor) -> Tensor:
    s.requires_grad_()
    return torch.autograd.grad((s * s * y).sum(), s, create_graph=True)[0]


@pytest.mark.parametrize("together", SEES.values(), ids=SEES)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_credit_by_autograd_is_the_same(name: str, together: bool) -> None:
    p, rule = _problem(name), ALGORITHMS[name]()
    found = [_gradient(rule, p, _credit(p, of, together)) for of in (plain, by_autograd)]
    assert torch.equal(*found)
    assert not found[1].requires_grad


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_credit_that_hands_back_one_buffer_is_the_same(name: str) -> None:
    p, rule = _problem(name), ALGORITHMS[name]()
    buffer_BS = torch.empty_like(p.s_BS)

    def into(s: Tensor, y: Tensor) -> Tensor:
        return torch.mul(2 * s, y, out=buffer_BS)

    assert torch.equal(*(_gradient(rule, p, _credit(p, of, False)) for of in (plain, into)))


@pytest.mark.parametrize("together", SEES.values(), ids=SEES)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_credit_that_writes_into_the_states_is_refused(name: str, together: bool) -> None:
    p = _problem(name)
    credit = _credit(p, lambda s, y: s.mul_(2).mul_(y), together)
    with pytest.raises(ValueError, match=r"^the credit wrote into the states[^\n]+$"):
        _gradient(ALGORITHMS[name](), p, credit)


@pytest.mark.parametrize("together", SEES.values(), ids=SEES)
@pytest.mark.parametrize("rule", [BPTT(), RTRL()])
def test_a_credit_of_another_shape_is_refused(rule: Algorithm, together: bool) -> None:
    p = _problem("bptt")
    with pytest.raises(ValueError, match=r"^the credit is \(.+\) for states of \(.+\): make them"):
        _gradient(rule, p, _credit(p, lambda s, y: (s * y)[..., :4], together))


def test_inference_mode_counts_nothing_and_hinders_nothing() -> None:
    p = _problem("bptt")
    expected = _gradient(BPTT(), p, p.credit)
    with torch.inference_mode():
        assert torch.equal(_gradient(BPTT(), p, p.credit), expected)
