"""What is measured of tensors, and what is said of the rows of several seeds."""

import math

import pandas as pd
import pytest
import torch

from pipeline.measuring.costs import multiplications
from pipeline.measuring.gradients import compare
from pipeline.measuring.statistics import (
    apart,
    difference,
    half_width,
    median_and_range,
    share_in_words,
    share_interval,
    with_interval,
)


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


def test_success_rates_have_the_interval_of_wilson_by_hand():
    z, n, p = 1.959964, 5, 0.2
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    expected = [(centre + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    one_of_five = pd.Series([True, False, False, False, False])
    assert share_interval(one_of_five) == pytest.approx(expected, rel=1e-5)
    assert share_in_words(one_of_five) == "1 of 5 (4% to 62%)"


def test_means_have_the_interval_of_student_by_hand():
    three = pd.Series([1.5, 2.5, 3.5])
    assert half_width(three) == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    assert with_interval(three, 2) == "2.50 ± 2.48"
    assert with_interval(three / 1000, 2) == "0.003 ± 0.002", "an interval is not shown as 0"
    assert with_interval(0 * three, 2) == "0.00 ± 0.00", "but where it is 0"


def test_a_median_stands_between_the_least_and_the_largest():
    assert median_and_range(pd.Series([28, 7, 10, 4.9])) == "8.5 (4.9 to 28)"


def test_a_single_run_has_no_interval():
    one = pd.Series([1.5])
    assert math.isnan(half_width(one))
    assert (with_interval(one), with_interval(one, 2)) == ("1.500", "1.50")


def test_means_are_told_apart_as_a_claim_would_in_pairs_where_seeds_are_shared():
    less = pd.Series([1.0, 2.0, 3.0])
    assert apart(less, less + pd.Series([0.1, 0.12, 0.1])), "each seed's is larger"
    others = pd.Series([1.1, 2.2, 3.1], [7, 8, 9])
    assert not apart(less, others), "of other seeds they are alike"
    assert difference(less, less + pd.Series([0.1, 0.12, 0.1])) == "0.11 ± 0.03"
    near = less + pd.Series([0.0010, 0.0012, 0.0010])
    assert difference(less, near) == "0.0011 ± 0.0003", "an interval is not shown as 0"
    assert difference(less[:1], near[:1]) == "0.00"
    assert apart(less, others + 5)
    assert not apart(others + 5, less)
    assert not apart(less[:1], less[:1] + 5), "one seed tells nothing"
    assert not apart(less, pd.Series([5.0, 6.0, math.inf])), "nor does a mean that is infinite"


def test_products_of_matrices_are_counted_by_their_sizes_in_place_or_not():
    a, b, into = torch.ones(2, 3), torch.ones(3, 5), torch.zeros(2, 5)
    assert multiplications(lambda: a @ b) == 2 * 3 * 5
    assert multiplications(lambda: into.addmm_(a, b)) == 2 * 3 * 5
    assert multiplications(lambda: into[None].baddbmm_(a[None], b[None])) == 2 * 3 * 5
    assert multiplications(lambda: torch.mm(a, b, out=into)) == 2 * 3 * 5
    assert multiplications(lambda: a.tanh()) == 0
