"""Networks that read sentences: padding changes nothing, and each pooling is its equation."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lightning_modules.networks._recurrent import LAYERS, turned
from lightning_modules.networks._words import WordVectors
from lightning_modules.networks.sequence_classifier import POOLINGS, SequenceClassifier
from lightning_modules.networks.tagger import Tagger
from lightning_modules.training.watch import watch
from tests.network_cases import CHANNEL

WORDS, CLASSES, LENGTHS = 9, 3, (6, 1, 4, 2)
EXACT: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-12}


def sentences() -> list[Tensor]:
    """Return sentences of ids with three characters a word, (T, 1, 4), some words the same."""
    torch.manual_seed(1)
    return [torch.randint(1, 7, (T, 1, 4)) for T in LENGTHS]


def padded(alone: list[Tensor], steps: int) -> Tensor:
    """Return them side by side, 0 behind the shorter ones."""
    x_TBI = alone[0].new_zeros(steps, len(alone), 4)
    for b, x_T1I in enumerate(alone):
        x_TBI[: len(x_T1I), b] = x_T1I[:, 0]
    return x_TBI


def classifier(pooling: str, layer: str, *, both: bool) -> nn.Module:
    """Return one whose weights are drawn."""
    torch.manual_seed(2)
    of: dict[str, Any] = {"pooling": pooling, "layer": layer, "both": both}
    return SequenceClassifier(WORDS, CLASSES, word_size=4, hidden_size=5, **of, **CHANNEL).double()


def tagger(layer: str, *, both: bool) -> nn.Module:
    """Return one whose weights are drawn."""
    torch.manual_seed(2)
    return Tagger(
        WORDS, CLASSES, word_size=4, hidden_size=5, layer=layer, both=both, **CHANNEL
    ).double()


def gradient(network: nn.Module, loss: Tensor) -> Tensor:
    """Return that of all weights as one vector."""
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(network.parameters()))])


FORMS: dict[str, Callable[[], nn.Module]] = {
    f"{pooling} {layer} {'both ways' if both else 'one way'}": (
        lambda pooling=pooling, layer=layer, both=both: classifier(pooling, layer, both=both)
    )
    for pooling, layer, both in product(POOLINGS, LAYERS, (False, True))
}


@pytest.mark.parametrize("steps", [max(LENGTHS), max(LENGTHS) + 5])
@pytest.mark.parametrize("form", FORMS)
def test_a_padded_batch_gives_what_each_sentence_gives_alone(form: str, steps: int) -> None:
    network, alone = FORMS[form](), sentences()
    z_BO = network(padded(alone, steps))[0]
    single_BO = torch.cat([network(x)[0] for x in alone])
    torch.testing.assert_close(z_BO, single_BO, **EXACT)
    y_B = torch.tensor([0, 1, 2, 1])
    together = gradient(network, cross_entropy(z_BO, y_B, reduction="sum"))
    one_by_one = gradient(network, cross_entropy(single_BO, y_B, reduction="sum"))
    torch.testing.assert_close(together, one_by_one, **EXACT)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_padded_batch_is_tagged_as_each_sentence_is_alone(layer: str, both: bool) -> None:
    network, alone = tagger(layer, both=both), sentences()
    z_TBO = network(padded(alone, 11))
    for b, x in enumerate(alone):
        torch.testing.assert_close(z_TBO[: len(x), b], network(x)[:, 0], **EXACT)


@pytest.mark.parametrize("both", [False, True])
def test_a_tagger_that_reads_one_way_sees_no_later_word(both: bool) -> None:
    network, x = tagger("lstm", both=both), sentences()[0]
    other = x.clone()
    other[-1] = 7 - other[-1]
    same_T = torch.isclose(network(x), network(other), **EXACT).all(dim=-1).flatten().tolist()
    assert same_T == [not both] * (len(x) - 1) + [False]


def test_each_pooling_is_its_equation() -> None:
    x_TBI = padded(sentences(), 8)
    for pooling in POOLINGS:
        network = classifier(pooling, "lstm", both=True)
        assert isinstance(network, SequenceClassifier)
        e_TBE, _, lengths_B = network.vectors(x_TBI)
        h_TBH = network.states(e_TBE, lengths_B)
        expected = []
        for b, T in enumerate(LENGTHS):
            h_TH = h_TBH[:T, b]
            ends = torch.cat([h_TH[-1, :5], h_TH[0, 5:]])
            of = {"last": ends, "mean": h_TH.mean(dim=0), "maximum": h_TH.max(dim=0).values}
            expected.append(of[pooling])
        torch.testing.assert_close(network(x_TBI)[3], network.classifier(torch.stack(expected)))


def test_both_ways_equal_torch_s_own_bidirectional_layer() -> None:
    network, x = tagger("lstm", both=True), sentences()[0]
    assert isinstance(network, Tagger)
    theirs, ours = nn.LSTM(10, 5, bidirectional=True).double(), network.states
    assert ours.backwards is not None
    weights = [*ours.forwards.parameters(), *ours.backwards.parameters()]
    for into, w in zip(theirs.parameters(), weights, strict=True):
        into.data.copy_(w)
    e_TBE, _, lengths_B = network.vectors(x)
    torch.testing.assert_close(ours(e_TBE, lengths_B), theirs(e_TBE)[0], **EXACT)


def test_only_the_steps_of_a_sentence_are_turned_round() -> None:
    x_TBI = torch.arange(8.0).view(4, 2, 1)
    turned_TB = turned(x_TBI, torch.tensor([3, 1]))[..., 0]
    assert turned_TB.tolist() == [[4, 1], [2, 3], [0, 5], [6, 7]]


def test_a_word_s_characters_are_read_up_to_its_last_one_and_each_spelling_once() -> None:
    torch.manual_seed(0)
    vectors = WordVectors(WORDS, 4, **CHANNEL).double()
    x_TBI = torch.tensor([[[1, 5, 6, 0, 0]], [[2, 5, 6, 0, 0]], [[2, 5, 6, 3, 0]]])
    e_TBE = vectors(x_TBI).e_TBE
    torch.testing.assert_close(vectors(x_TBI[:2, :, :3]).e_TBE, e_TBE[:2], **EXACT)
    assert torch.equal(e_TBE[0, 0, 4:], e_TBE[1, 0, 4:])
    assert not torch.equal(e_TBE[1, 0, 4:], e_TBE[2, 0, 4:])
    assert vectors.spelling is not None
    assert vectors.character is not None
    by_hand, (h_2H, _) = vectors.spelling(vectors.character(torch.tensor([5, 6, 3])))
    torch.testing.assert_close(e_TBE[2, 0, 4:], torch.cat([by_hand[-1, :3], by_hand[0, 3:]]))
    torch.testing.assert_close(e_TBE[2, 0, 4:], h_2H.flatten())


def test_ids_that_their_type_cannot_tell_apart_are_refused() -> None:
    many = WordVectors(2050, 1).half()
    with pytest.raises(ValueError, match="up to 2048, and there are 2050 ids") as refused:
        many(torch.ones(1, 1, 1).half())
    assert len(str(refused.value).splitlines()) == 1
    assert many(torch.ones(1, 1, 1, dtype=torch.long)).e_TBE.dtype == torch.float16


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_recurrent_layers_of_a_classifier_can_be_watched(pooling: str) -> None:
    torch.manual_seed(0)
    network = SequenceClassifier(
        WORDS, CLASSES, pooling=pooling, word_size=4, hidden_size=5, both=True
    )
    x_TBI = torch.randint(1, 7, (6, 2, 1))
    with watch(network, ["error_flow"]) as record:
        cross_entropy(network(x_TBI)[0], torch.tensor([0, 1])).backward()
    assert {row["module"] for row in record.rows} == {"states.forwards", "states.backwards"}
    assert {row["t"] for row in record.rows} == set(range(6))
