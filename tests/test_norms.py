"""Norms beside exact arithmetic, wherever the type holds them."""

import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from lightning_modules.norms import cosine, joint, norm

TYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
AXES = (None, -1, (0, 2))


def _powers(dtype: torch.dtype) -> range:
    """Return every k of which 2^k is a number of the type."""
    info = torch.finfo(dtype)
    return range(
        round(math.log2(info.smallest_normal * info.eps)), math.floor(math.log2(info.max)) + 1
    )


def _times(v: Tensor, k: int) -> Tensor:
    """Return 2^k v, rounded once, without leaving float64 on the way."""
    return torch.ldexp(torch.ldexp(v.double(), torch.tensor(k - k // 2)), torch.tensor(k // 2))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_a_vector_of_ordinary_size_has_torchs_own_norm_bit_for_bit(dtype: torch.dtype):
    v = torch.randn(5, 7, 33, generator=torch.Generator().manual_seed(0)).to(dtype)
    for axes in AXES:
        for keepdim in (False, True):
            theirs = torch.linalg.vector_norm(v, dim=axes, keepdim=keepdim)
            assert torch.equal(norm(v, axes, keepdim), theirs)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_two_to_the_k_times_a_vector_has_two_to_the_k_times_its_norm(dtype: torch.dtype):
    v = torch.tensor([[3.0, -4.0, 12.0], [0.0, 0.0, 1.0]], dtype=dtype)
    for k in _powers(dtype):
        scaled = _times(v, k).to(dtype)
        if not torch.equal(_times(scaled, -k), v.double()):
            continue  # the type rounds an entry or does not hold it
        expected = _times(torch.tensor([13.0, 1.0]), k).to(dtype)
        assert torch.equal(norm(scaled, -1), expected), k


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_norms_of_numbers_that_are_rounded_or_subnormal_are_right_to_rounding(dtype: torch.dtype):
    info, generator = torch.finfo(dtype), torch.Generator().manual_seed(1)
    for k in (*_powers(dtype)[:60], *_powers(dtype)[-4:-2]):
        v = _times(torch.randn(9, generator=generator).double(), k).to(dtype)
        squares = sum((Fraction(x) ** 2 for x in v.double().tolist()), Fraction(0))
        right = Fraction(math.isqrt(int(squares * Fraction(2) ** 2400)), 2**1200)
        off = abs(Fraction(float(norm(v))) - right)
        step = Fraction(info.smallest_normal) * Fraction(info.eps)
        assert off <= max(2 * Fraction(info.eps) * right, step), k


def test_what_is_no_number_or_beyond_the_type_is_said_to_be_so():
    inf, nan = float("inf"), float("nan")
    assert norm(torch.tensor([3e38, 3e38])) == inf
    assert norm(torch.tensor([inf, 1.0])) == inf
    assert norm(torch.tensor([nan, 1e38])).isnan()
    assert norm(torch.zeros(3)) == norm(torch.zeros(0)) == joint([]) == 0
    assert norm(torch.zeros(2, 0), -1).tolist() == [0, 0]


def test_the_joint_norm_is_that_of_all_tensors_as_one_vector():
    assert joint([torch.tensor([3e20, 0.0]), torch.tensor([[4e20]])]) == norm(
        torch.tensor([3e20, 4e20])
    )


def test_a_cosine_asks_for_no_length():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([3.0, 4.0])
    for k in (-140, 0, 120):
        for l in (-140, 0, 120):  # noqa: E741
            assert cosine(_times(a, k).float(), _times(b, l).float()) == pytest.approx(0.6)
    assert cosine(torch.zeros(2), b).isnan()
