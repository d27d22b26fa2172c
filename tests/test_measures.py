"""What is measured of tensors."""

import math

import pytest
import torch

from pipeline.measuring.measures import compare


def test_a_gradient_equals_itself():
    g_P = torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    measured = compare(g_P, g_P)
    assert measured["cosine"] == pytest.approx(1, abs=1e-15)
    assert measured["norm_ratio"] == 1
    assert measured["relative_error"] == 0


def test_by_hand_a_right_angle_and_twice_the_length():
    measured = compare(torch.tensor([0.0, 2.0]).double(), torch.tensor([1.0, 0.0]).double())
    assert measured == {"cosine": 0, "norm_ratio": 2, "relative_error": pytest.approx(5**0.5)}


def test_the_opposite_direction_has_cosine_minus_one():
    g_P = torch.tensor([3.0, 4.0]).double()
    assert compare(-g_P, g_P) == {"cosine": pytest.approx(-1), "norm_ratio": 1, "relative_error": 2}


@pytest.mark.parametrize("scale", [1e-9, 1e-30, 1e9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_vanished_gradient_keeps_its_direction(scale: float, dtype: torch.dtype):
    g_P = torch.tensor([3.0, -4.0], dtype=dtype)
    measured = compare(scale * g_P, g_P)
    assert measured["cosine"] == pytest.approx(1)
    assert measured["norm_ratio"] == pytest.approx(scale, rel=1e-6)
    assert compare(scale * g_P, scale * g_P)["cosine"] == pytest.approx(1)


def test_against_a_zero_reference_an_error_is_infinite():
    zero_P, g_P = torch.zeros(2).double(), torch.ones(2).double()
    assert compare(g_P, zero_P)["relative_error"] == math.inf
    assert compare(zero_P, zero_P)["relative_error"] == 0
    assert compare(zero_P, g_P) == {"cosine": 0, "norm_ratio": 0, "relative_error": 1}
