"""How made pictures are judged, on pictures whose judgement is known."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pipeline.measuring.recognition import (
    Judge,
    Reading,
    as_training_part,
    halves,
    nearest,
    pixels,
    recognised,
    variety,
)
from pipeline.study import Given
from tests import toy


class Brightest(nn.Module):
    """Takes the brightest pixel's number for the class."""

    def forward(self, x_TBI: Tensor) -> Tensor:
        return x_TBI


def test_the_judge_and_who_is_judged_have_no_picture_in_common() -> None:
    images = toy.images(30)
    made, judged = halves(images)
    both = [set(of.train_x_NHW[:, 0, 0].tolist()) for of in (made, judged)]
    assert both[0] | both[1] == set(range(30))
    assert not both[0] & both[1]
    assert torch.equal(made.test_x_NHW, images.test_x_NHW)


def test_what_is_asked_for_is_recognised_class_by_class() -> None:
    y_N = torch.tensor([0, 0, 1, 1, 2, 2])
    x_NI = torch.eye(3)[torch.tensor([0, 0, 1, 2, 1, 1])]
    shares_K = recognised(Judge(Brightest(), 1.0), x_NI, y_N, 3)
    assert shares_K.tolist() == [1.0, 0.5, 0.0]
    swapped_K = recognised(Judge(Brightest(), 1.0), x_NI, (y_N + 1) % 3, 3)
    assert swapped_K.mean() < shares_K.mean(), "what is asked for matters"


def test_variety_is_a_ratio_of_variances_within_a_class() -> None:
    torch.manual_seed(0)
    real_NI, y_N = torch.randn(4_000, 5), torch.arange(4_000) % 2
    made_NI = real_NI * torch.where(y_N == 1, 0.5, 1.0)[:, None] + 7 * y_N[:, None]
    assert variety(made_NI, y_N, real_NI, y_N, 0) == pytest.approx(1.0)
    assert variety(made_NI, y_N, real_NI, y_N, 1) == pytest.approx(0.25)


def test_what_only_remembers_is_nearest_to_what_it_learned_from() -> None:
    torch.manual_seed(0)
    known_NI = torch.rand(300, 4)
    assert nearest(known_NI[:250], known_NI) == pytest.approx(0.0, abs=1e-3)
    x_NI = torch.rand(7, 4)
    by_hand = [min(float((x - k).norm()) for k in known_NI) for x in x_NI]
    assert nearest(x_NI, known_NI) == pytest.approx(sum(by_hand) / 7, rel=1e-4)


def test_pictures_are_drawn_to_a_size_and_made_ones_take_the_training_part_s_place() -> None:
    images = toy.images(20)
    assert torch.equal(pixels(images.train_x_NHW, None)[5], torch.full((6,), 5 / 255))
    drawn_NI = pixels(images.train_x_NHW, 4)
    torch.testing.assert_close(drawn_NI[5], torch.full((16,), 5 / 255))
    made_NI, y_N = torch.rand(3, 16) * 3 - 1, torch.tensor([4, 5, 6])
    made = as_training_part(images, made_NI, y_N, 4)
    torch.testing.assert_close(
        made.train_x_NHW.flatten(1) / 255, made_NI.clamp(0, 1), atol=0.5 / 255, rtol=0
    )
    assert made.test_x_NHW.shape == (20, 4, 4)
    assert int(made.test_x_NHW[7, 2, 3]) == 7


def test_a_reader_learns_and_says_how_often_it_is_right(tmp_path: Path) -> None:
    reading = Reading("mlp", {"hidden": []}, 0.1, 10, 300, 7, None)
    images = toy.images(100)
    x_NHW = (torch.eye(10)[images.train_y_N] * 255).to(torch.uint8).view(-1, 2, 5)
    easy = images.__class__(x_NHW, images.train_y_N, x_NHW, images.train_y_N, 10, images.provenance)
    judge = reading.learned(easy, 0, Given({}, tmp_path), "judge")
    assert judge.accuracy == 1.0
    assert not judge.network.training
