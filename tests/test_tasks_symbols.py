"""What the tasks of symbols to be remembered ask for."""

import math
import re

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lightning_modules.interfaces import Batch
from pipeline.tasks.embedded_reber import SYMBOLS, EmbeddedReber
from pipeline.tasks.latching import Latching
from pipeline.tasks.monks import Monks
from pipeline.tasks.temporal_order import TemporalOrder
from pipeline.tasks.temporal_xor import TemporalXor

FROM_3 = "T*V(?:PXT*V)*(?:PS|V)"
"""What may follow from the inner grammar's state 3 on, its end aside."""
STRING = re.compile(rf"B([TP])B(?:TS*X(?:S|X{FROM_3})|P{FROM_3})E\1E")


def test_temporal_order_asks_at_the_end_for_two_symbols_in_their_stretches() -> None:
    batch = TemporalOrder(0, batch_size=4_000, length=20, held_out_size=1).batch(0)
    input_TB = batch.x_TBI.argmax(dim=-1)
    assert (batch.x_TBI.sum(dim=-1) == 1).all()
    at_B2 = (input_TB < 2).T.nonzero()[:, 1].view(4_000, 2)
    assert [sorted(set(at_B.tolist())) for at_B in at_B2.T] == [[2, 3, 4], [8, 9, 10]]
    first_B, second_B = (input_TB[at_B, torch.arange(4_000)] for at_B in at_B2.T)
    assert torch.equal(batch.y_TB[-1], 2 * first_B + second_B)
    # Four classes and nine pairs of places at even odds, within 5 standard errors.
    for outcome_B, ways in ((batch.y_TB[-1], 4), (3 * at_B2[:, 0] + at_B2[:, 1] - 14, 9)):
        expected, share = 4_000 / ways, 1 / ways
        counts = outcome_B.bincount(minlength=ways)
        assert len(counts) == ways
        assert (counts - expected).abs().max() < 5 * (4_000 * share * (1 - share)) ** 0.5
    assert set(input_TB.unique().tolist()) == set(range(6))
    assert batch.mask_TB.sum() == batch.mask_TB[-1].sum() == 4_000


def test_every_third_bit_of_temporal_xor_is_that_of_the_two_before_it() -> None:
    batch = TemporalXor(0, batch_size=500, length=8, held_out_size=1).batch(0)
    bit_TB = torch.cat([batch.x_TBI, batch.y_TB[-1:]])[..., 0].long()
    assert torch.equal(batch.x_TBI[1:], batch.y_TB[:-1]), "the bit to predict comes next"
    for first, second, third in (bit_TB[k : k + 3] for k in (0, 3, 6)):
        assert torch.equal(third, first ^ second)
    free_KB = bit_TB[[0, 1, 3, 4, 6, 7]]
    assert (free_KB.double().mean(dim=1) - 0.5).abs().max() < 5 * 0.5 / 500**0.5
    between = torch.corrcoef(free_KB.double()) - torch.eye(6)
    assert between.abs().max() < 5 / 500**0.5
    long = TemporalXor(0, batch_size=500, length=300, held_out_size=1).batch(0).y_TB[..., 0]
    best_TB = torch.full_like(long, 0.5)
    best_TB[1::3] = long[1::3]  # step t predicts bit t + 1
    assert abs(float((best_TB - long).square().mean()) - TemporalXor.floor_loss) < 1e-6
    assert abs(float((long - 0.5).square().mean()) - TemporalXor.chance_loss) < 1e-6


def test_latching_shows_a_sign_at_three_steps_and_noise_after_them() -> None:
    batch = Latching(0, batch_size=4_000, length=13, held_out_size=1).batch(0)
    sign_B = 2.0 * batch.y_TB[-1] - 1
    assert (batch.x_TBI[:3, :, 0] == sign_B).all()
    assert abs(sign_B.mean()) < 5 / 4_000**0.5
    noise_N = batch.x_TBI[3:].flatten().double()
    # Mean and variance within 5 standard errors; none of it tells the sign.
    assert abs(noise_N.mean()) < 5 * (0.2 / len(noise_N)) ** 0.5
    assert abs(noise_N.var() - 0.2) < 5 * 0.2 * (2 / len(noise_N)) ** 0.5
    told_B = batch.x_TBI[3:, :, 0].mean(dim=0) * sign_B
    assert abs(told_B.mean()) < 5 * (0.2 / 10 / 4_000) ** 0.5
    assert batch.mask_TB.sum() == batch.mask_TB[-1].sum() == 4_000


def strings(batch: Batch) -> list[str]:
    """Spell a batch's strings, the last target included."""
    spelled = []
    for b, count in enumerate(batch.mask_TB.sum(dim=0).tolist()):
        symbols = [*batch.x_TBI[:count, b].argmax(dim=-1), batch.y_TB[count - 1, b]]
        spelled.append("".join(SYMBOLS[int(symbol)] for symbol in symbols))
    return spelled


@pytest.fixture(scope="module")
def drawn() -> list[Batch]:
    return list(EmbeddedReber(1, 1, held_out_size=10_000).held_out())


def test_strings_of_the_embedded_grammar_repeat_their_second_symbol(drawn: list[Batch]) -> None:
    seen = [string for batch in drawn for string in strings(batch)]
    assert len(seen) == 10_000
    assert all(STRING.fullmatch(string) for string in seen)
    for start in "TP":
        # The two shortest inner strings have three choices of even odds each.
        for inner, odds in (("BTXSE", 1 / 16), ("BPVVE", 1 / 16), ("BTSXSE", 1 / 32)):
            share = seen.count(f"B{start}{inner}{start}E") / len(seen)
            assert abs(share - odds) < 5 * (odds * (1 - odds) / len(seen)) ** 0.5


def test_what_is_drawn_of_the_grammar_is_read_symbol_by_symbol(drawn: list[Batch]) -> None:
    for batch in drawn[:2]:
        inside_TB = batch.mask_TB[:-1] & batch.mask_TB[1:]
        following_TB = batch.x_TBI[1:].argmax(dim=-1)
        assert torch.equal(following_TB[inside_TB], batch.y_TB[:-1][inside_TB])
        assert (batch.x_TBI.sum(dim=-1)[batch.mask_TB] == 1).all()
        assert batch.mask_TB.any(dim=1).all(), "no step is there for nobody"
        ended_TB = ~batch.mask_TB[:-1]
        assert not batch.mask_TB[1:][ended_TB].any()
        assert (batch.x_TBI[1:][ended_TB] == 0).all()


def test_the_grammar_costs_what_is_said(drawn: list[Batch]) -> None:
    y_N = torch.cat([batch.y_TB[batch.mask_TB] for batch in drawn])
    length_B = torch.cat([batch.mask_TB.sum(dim=0) for batch in drawn]).double()
    assert abs(length_B.mean() - 11) < 4 * length_B.std() / len(length_B) ** 0.5
    share_O = y_N.bincount(minlength=7) / len(y_N)
    entropy = -float(share_O.xlogy(share_O).sum())
    assert abs(entropy - EmbeddedReber.chance_loss) < 0.005
    # A choice has two legal symbols: their logarithm is the grammar's own uncertainty.
    legal_N = torch.cat([EmbeddedReber.legal(b.x_TBI)[b.mask_TB] for b in drawn]).sum(dim=-1)
    assert set(legal_N.tolist()) == {1, 2}
    assert abs(float(legal_N.double().log().mean()) - EmbeddedReber.floor_loss) < 0.003
    assert math.isclose(EmbeddedReber.forgetful_loss - EmbeddedReber.floor_loss, math.log(2) / 11)


def knowing(batch: Batch) -> Tensor:
    """Return the outputs of who knows the grammar."""
    return EmbeddedReber.legal(batch.x_TBI).float()


def test_the_next_symbol_is_always_legal_and_all_legal_ones_come(drawn: list[Batch]) -> None:
    for batch in drawn:
        of_next_TB = knowing(batch).gather(-1, batch.y_TB.unsqueeze(-1)).squeeze(-1)
        assert (of_next_TB[batch.mask_TB] == 1).all()
    spelled = [string for batch in drawn for string in strings(batch)]
    for b, string in enumerate(spelled[:20]):
        for t in range(1, 6):  # as far as enough strings begin alike
            after = {other[t] for other in spelled if other[:t] == string[:t]}
            legal_O = knowing(drawn[0])[t - 1, b]
            assert after == {SYMBOLS[k] for k in range(7) if legal_O[k]}


def test_who_knows_the_grammar_is_right_at_every_step(drawn: list[Batch]) -> None:
    right = EmbeddedReber.legality((batch, knowing(batch)) for batch in drawn)
    assert right == {"strings_right": 1, "last_but_one_right": 1, "steps_right": 1}


def test_who_forgets_the_second_symbol_is_wrong_at_the_last_but_one_alone(
    drawn: list[Batch],
) -> None:
    def forgetful(batch: Batch) -> Tensor:
        """Answer T at the last symbol but one."""
        z_TBO, count_B = knowing(batch), batch.mask_TB.sum(dim=0)
        z_TBO[count_B - 2, torch.arange(len(count_B))] = one_hot(torch.tensor(1), 7).float()
        return z_TBO

    right = EmbeddedReber.legality((batch, forgetful(batch)) for batch in drawn)
    of_t = sum(string[1] == "T" for batch in drawn for string in strings(batch)) / 10_000
    steps = sum(int(batch.mask_TB.sum()) for batch in drawn)
    assert right["strings_right"] == right["last_but_one_right"] == of_t
    assert math.isclose(right["steps_right"], 1 - (1 - of_t) * 10_000 / steps)
    assert abs(of_t - 0.5) < 0.02


def test_a_legal_symbol_that_is_no_more_likely_than_an_illegal_one_is_wrong(
    drawn: list[Batch],
) -> None:
    flat = EmbeddedReber.legality((batch, torch.zeros_like(batch.x_TBI)) for batch in drawn)
    assert set(flat.values()) == {0.0}
    batch = drawn[0]
    z_TBO = knowing(batch)
    z_TBO[~batch.mask_TB] = 0
    assert set(EmbeddedReber.legality([(batch, z_TBO)]).values()) == {1.0}
    z_TBO[3, 0] = -z_TBO[3, 0]
    right = EmbeddedReber.legality([(batch, z_TBO)])
    assert right["strings_right"] == 1 - 1 / 500
    assert right["last_but_one_right"] == 1


@pytest.mark.parametrize(
    ("problem", "yes", "trained"), [(1, 216, 124), (2, 142, 169), (3, 228, 122)]
)
def test_the_monks_problems_are_those_of_the_report(problem: int, yes: int, trained: int) -> None:
    task = Monks(0, problem)
    (everyone,) = task.held_out()
    assert everyone.x_TBI.shape == (1, 432, 17)
    assert (everyone.x_TBI.sum(-1) == 6).all()
    assert everyone.x_TBI[0].unique(dim=0).shape == (432, 17)
    assert int(everyone.y_TB.sum()) == yes
    shown = task.batch(0)
    truth = {
        tuple(x.tolist()): int(y) for x, y in zip(everyone.x_TBI[0], everyone.y_TB[0], strict=True)
    }
    answers = [
        int(y) == truth[tuple(x.tolist())]
        for x, y in zip(shown.x_TBI[0], shown.y_TB[0], strict=True)
    ]
    assert len(answers) == trained
    assert answers.count(False) == (6 if problem == 3 else 0)


def test_a_monks_problem_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="problem is 4, must be one of: 1, 2, 3"):
        Monks(0, 4)
    with pytest.raises(ValueError, match="batch_size is 125, there are 124 robots"):
        Monks(0, 1, batch_size=125)
