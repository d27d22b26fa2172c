"""The language model and its learner: streams, resets, softmaxes, resumption, what probes see."""

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.instruments import Row, Update
from lightning_modules.interfaces import Batch, Task
from lightning_modules.networks.language_model import LanguageModel
from lightning_modules.probes._base import Probe
from lightning_modules.probes.clipping import Clipping
from lightning_modules.probes.error_flow import ErrorFlow
from lightning_modules.probes.horizon import Horizon
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from lightning_modules.training.stream import StreamLearner
from lightning_modules.training.watch import watch
from pipeline.tasks.character_ids import CharacterIds
from tests.toy import text

TYPES, T, B = 11, 9, 3
FORMS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "two layers": {"layers": 2},
    "GRU": {"layer": "gru"},
    "RNN": {"layer": "srn", "layers": 2},
    "tied": {"tied": True},
    "adaptive": {"cutoffs": [3, 6], "divisor": 2.0},
}


def model(**options: Any) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(TYPES, 5, 5, **options).double()


def ids(seed: int = 0) -> Tensor:
    return torch.randint(TYPES, (T, B, 1), generator=torch.Generator().manual_seed(seed))


class Streams(Task):
    """Streams of random tokens, each of which starts over now and then, or at every batch."""

    loss, input_size, output_size = "cross_entropy", 1, TYPES
    broken_at: ClassVar[int | None] = None

    def __init__(self, streams: bool = True, often: float = 0.1):
        self.streams, self._often = streams, often

    def batch(self, index: int) -> Batch:
        if index == self.broken_at:
            raise RuntimeError("killed")
        x_TBI, y_TB = ids(index), ids(index + 1000)[..., 0]
        resets_TB = torch.rand(T, B, generator=torch.Generator().manual_seed(index)) < self._often
        return Batch(x_TBI, y_TB, torch.ones(T, B, dtype=torch.bool), resets_TB)

    def held_out(self):
        return (self.batch(index) for index in range(5000, 5003))


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_the_losses_are_those_of_the_probabilities_and_these_sum_to_one(options) -> None:
    network, x_TBI, y_TB = model(**options), ids(), ids(1)[..., 0]
    log_TBV = network(x_TBI)
    torch.testing.assert_close(log_TBV.exp().sum(-1), torch.ones(T, B, dtype=torch.float64))
    nats = network.nats(network.read(x_TBI)[0].flatten(0, 1), y_TB.flatten())
    picked = -log_TBV.gather(-1, y_TB.unsqueeze(-1)).sum()
    torch.testing.assert_close(nats, picked, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_a_text_read_in_pieces_with_the_state_carried_is_read_as_a_whole(options) -> None:
    network, x_TBI = model(**options), ids()
    whole_TBH, end = network.read(x_TBI)
    state, pieces = None, []
    for piece_TBI in x_TBI.split([1, 4, 2, 2]):
        h_TBH, state = network.read(piece_TBI, state)
        pieces.append(h_TBH)
    torch.testing.assert_close(torch.cat(pieces), whole_TBH, rtol=1e-12, atol=1e-12)
    assert state is not None
    torch.testing.assert_close(state, end, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_a_sample_that_is_reset_before_a_step_is_read_from_there_as_from_the_start(options) -> None:
    network, x_TBI = model(**options), ids()
    resets_TB = torch.zeros(T, B, dtype=torch.bool)
    resets_TB[0, 0] = resets_TB[4, 1] = resets_TB[7, 1] = resets_TB[4, 2] = True
    _, before = network.read(ids(5))
    h_TBH, _ = network.read(x_TBI, before, resets_TB)
    carried = [tuple(part[:, 1:2] for part in layer) for layer in before]
    expected = [
        network.read(x_TBI[:, :1])[0],
        torch.cat(
            [
                network.read(x_TBI[:4, 1:2], carried)[0],
                network.read(x_TBI[4:7, 1:2])[0],
                network.read(x_TBI[7:, 1:2])[0],
            ]
        ),
        network.read(x_TBI[4:, 2:3])[0],
    ]
    torch.testing.assert_close(h_TBH[:, :1], expected[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(h_TBH[:, 1:2], expected[1], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(h_TBH[4:, 2:3], expected[2], rtol=1e-12, atol=1e-12)


def test_tied_weights_are_one_tensor_that_both_ends_move() -> None:
    network = model(tied=True)
    assert isinstance(network.softmax, nn.Linear)
    assert network.softmax.weight is network.embedding.weight
    assert len(list(network.parameters())) == 6
    network.nats(network.read(ids())[0].flatten(0, 1), ids(1).flatten()).backward()
    assert network.embedding.weight.grad is not None


def test_dropout_is_drawn_in_training_alone() -> None:
    network = model(dropout=0.5, layers=2)
    assert not torch.equal(network.read(ids())[0], network.read(ids())[0])
    network.eval()
    assert torch.equal(network.read(ids())[0], network.read(ids())[0])


def learner(**options: Any) -> StreamLearner:
    clip = options.pop("clip", None)
    final_rate = options.pop("final_rate", None)
    rate = options.pop("rate", 0.1)
    return StreamLearner(model(**options), options.pop("optimizer", "sgd"), rate, clip, final_rate)


RUN: dict[str, Any] = {"steps": 6, "evaluate_every": 2, "seed": 3}


@pytest.mark.parametrize("streams", [True, False])
def test_a_batch_moves_the_weights_as_truncated_bptt_by_hand_does(streams: bool) -> None:
    task, plain = Streams(streams), model()
    moving = learner()
    fit(moving, task, **RUN)
    state = None
    for index in range(RUN["steps"]):
        batch = task.batch(index)
        if state is not None:
            state = [tuple(part.detach() for part in layer) for layer in state]
        h_TBH, state = plain.read(batch.x_TBI, state if streams else None, batch.resets_TB)
        plain.zero_grad()
        (plain.nats(h_TBH.flatten(0, 1), batch.y_TB.flatten()) / (T * B)).backward()
        with torch.no_grad():
            for w in plain.parameters():
                assert w.grad is not None
                w -= 0.1 * w.grad
    torch.testing.assert_close(
        moving.network.state_dict(), plain.state_dict(), rtol=1e-12, atol=1e-12
    )


def test_the_rate_falls_to_the_last_one_as_half_a_cosine_does() -> None:
    falling, rates = learner(final_rate=0.02), []

    class Rates(Probe):
        sees = frozenset({"updates"})

        def updated(self, seen: Update) -> None:
            rates.append(falling.trainer.optimizers[0].param_groups[0]["lr"])

        def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
            return iter(())

    fit(falling, Streams(), **RUN, probes=[Rates()])
    expected = [0.02 + 0.08 * (1 + math.cos(math.pi * k / 6)) / 2 for k in range(6)]
    assert rates == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match=r"final_rate is 0\.2"):
        learner(final_rate=0.2)


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "layers": 2, "final_rate": 0.0}])
def test_a_run_that_broke_off_and_resumed_gives_the_same_rows_bit_for_bit(options, tmp_path):
    def probes() -> list[Any]:
        return [ErrorFlow(every=2), Horizon(), Clipping()]

    made = {"clip": Clip("norm", 0.1), **options}
    whole, resumed = learner(**made), learner(**made)
    expected = fit(whole, Streams(), **RUN, probes=probes())
    kept: dict[str, Any] = {"scratch": tmp_path, "checkpoint_every_seconds": 0.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Streams, "broken_at", 3)
        with pytest.raises(RuntimeError, match="killed"):
            fit(learner(**made), Streams(), **RUN, **kept, probes=probes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Streams, "broken_at", 2)  # what was trained on is not trained on again
        assert fit(resumed, Streams(), **RUN, **kept, probes=probes()) == expected
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict(), rtol=0, atol=0)


def test_probes_of_passages_see_what_watch_sees_of_the_topmost_layer() -> None:
    run = {**RUN, "evaluate_every": RUN["steps"]}
    seen = fit(learner(layers=2), Streams(often=0), **run, probes=[ErrorFlow(), Horizon()])
    watched = learner(layers=2)
    with watch(watched.network, ["error_flow", "horizon"]) as record:
        fit(watched, Streams(often=0), **run)
    top = [row for row in record.rows if row["module"] == "layers.1"]
    own = [row for row in seen if "probe" in row]
    assert len(own) == len(top) == T + 1
    for one, other in zip(own, top, strict=True):
        assert other["value"] is not None
        assert one == {k: v for k, v in other.items() if k != "module"}


def test_what_is_evaluated_does_not_depend_on_how_it_is_cut_into_batches() -> None:
    task = CharacterIds(text(), 0, batch_size=4, length=7, held_out_size=300)
    torch.manual_seed(0)
    network = LanguageModel(task.output_size, 4, 6).double()
    scored = StreamLearner(network, "sgd", 1.0)
    scored.begin(task)
    losses = [scored.evaluate(task.test(chunk)).loss for chunk in (7, 35, 70, 10_000)]
    assert losses[0] is not None
    assert losses == pytest.approx([losses[0]] * 4, rel=1e-12)
    before = int(text().train_N[-1])
    x_TBI = torch.tensor([before, *range(500), 0])[:, None, None]
    log_TBV = network.eval()(x_TBI[:-1])
    picked = -log_TBV[:, 0].gather(-1, x_TBI[1:, 0]).mean()
    assert losses[0] == pytest.approx(float(picked.detach()), rel=1e-12)


def test_frozen_weights_are_said_and_a_batch_that_counts_nothing_is_refused() -> None:
    frozen = learner()
    frozen.network.requires_grad_(False)
    with pytest.raises(ValueError, match="no weight of the network trains"):
        fit(frozen, Streams(), **RUN)

    class Nothing(Streams):
        def batch(self, index: int) -> Batch:
            batch = super().batch(index)
            return batch._replace(mask_TB=torch.zeros_like(batch.mask_TB))

    with pytest.raises(ValueError, match="batch 0 counts no output"):
        fit(learner(), Nothing(), **RUN)
