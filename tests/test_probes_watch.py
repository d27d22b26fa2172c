"""Probes on a user's own torch.nn layers, against automatic differentiation step by step.

Above 300 lines because they share one model, and the by-hand derivatives that it is held to.
"""

import copy
import gc
import io
import warnings
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.instruments import InstrumentWarning
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import guarded
from lightning_modules.training.torch_layers import as_cell
from lightning_modules.training.watch import watch
from tests.probing import near, value

T, B, I, H = 9, 3, 4, 5  # noqa: E741
KINDS: dict[str, Any] = {
    "RNN": (nn.RNN, nn.RNNCell, {}),
    "RNN relu": (nn.RNN, nn.RNNCell, {"nonlinearity": "relu"}),
    "GRU": (nn.GRU, nn.GRUCell, {}),
    "LSTM": (nn.LSTM, nn.LSTMCell, {}),
}


class Model(nn.Module):
    """A model that reads every h of its layer, the last h of each layer, and the last c."""

    def __init__(self, kind: str, layers: int = 1, batch_first: bool = False, bias: bool = True):
        super().__init__()
        layer, _, options = KINDS[kind]
        self.net = layer(I, H, layers, batch_first=batch_first, bias=bias, **options)
        self.readout = nn.Linear(H, 2)

    def forward(self, x: Tensor, start: Any = None) -> Tensor:
        h, last = self.net(x, start)
        ends = last if isinstance(last, tuple) else (last,)
        return self.readout(h).square().mean() + sum(end.sin().mean() for end in ends)


def _by_hand(model: Model, kind: str, x_TBI: Tensor, start: Any) -> list[list[Tensor]]:
    """Return ∂L/∂h_t of each layer, by torch's own cells and automatic differentiation."""
    net, layers = model.net, model.net.num_layers
    cells = []
    for level in range(layers):
        cell = KINDS[kind][1](I if level == 0 else H, H, bias=net.bias, **KINDS[kind][2]).double()
        names = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if net.bias else ()))
        cell.load_state_dict({name: getattr(net, f"{name}_l{level}") for name in names})
        cells.append(cell)
    states: list[Any] = [
        tuple(part[level] for part in start) if isinstance(start, tuple) else start[level]
        for level in range(layers)
    ]
    made: list[list[Tensor]] = [[] for _ in range(layers)]
    for x in x_TBI:
        for level, cell in enumerate(cells):
            states[level] = cell(x, states[level])
            x = states[level][0] if kind == "LSTM" else states[level]
            made[level].append(x)
    ends = zip(*states, strict=True) if kind == "LSTM" else (states,)
    loss = model.readout(torch.stack(made[-1])).square().mean()
    loss = loss + sum(torch.stack(list(end)).sin().mean() for end in ends)
    return [list(torch.autograd.grad(loss, hs, retain_graph=True)) for hs in made]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("layers", "batch_first", "bias"), [(1, False, True), (3, True, False), (2, False, True)]
)
def test_the_total_error_in_a_torch_layer_is_seen_exactly(
    kind: str, layers: int, batch_first: bool, bias: bool
) -> None:
    torch.manual_seed(0)
    model = Model(kind, layers, batch_first, bias).double()
    x_TBI = torch.randn(T, B, I).double()
    parts = torch.randn(2, layers, B, H).double()
    start = tuple(parts) if kind == "LSTM" else parts[0]
    with watch(model, ["error_flow", "horizon", "gates", "noise", "agreement"]) as record:
        model(x_TBI.transpose(0, 1) if batch_first else x_TBI, start).backward()
    for layer, vs in enumerate(_by_hand(model, kind, x_TBI, start)):
        for t, v_BH in enumerate(vs):
            assert value(record.rows, quantity="norm", layer=layer, t=t) == near(v_BH.norm())
    assert value(record.rows, probe="agreement", quantity="cosine") == near(1)
    if bias:
        signal = _gradient(model.net).norm()
        assert value(record.rows, quantity="signal") == near(signal)
    assert {row["module"] for row in record.rows} == {"net"}


def _gradient(net: Any) -> Tensor:
    """Return the gradient by the weights and the biases that do not merely double others."""
    parts = []
    for level in range(net.num_layers):
        names = ("weight_ih", "weight_hh", "bias_ih")
        parts += [getattr(net, f"{name}_l{level}").grad.flatten() for name in names]
        if isinstance(net, nn.GRU):
            parts.append(getattr(net, f"bias_hh_l{level}").grad[2 * H :])
    return torch.cat(parts)


def test_three_lines_probe_a_training_loop_and_change_nothing() -> None:
    def train(model: Model) -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for step in range(4):
            x_TBI = torch.randn(T, B, I, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            model(x_TBI).backward()
            optimizer.step()
        model(torch.randn(T, B, I))  # no error comes back of this

    finals, records = [], []
    names = [name for name in PROBES if "passages" in PROBES[name].sees]
    for watched in (False, True):
        torch.manual_seed(0)
        model = Model("LSTM", 2)
        with watch(model, names if watched else [], spectrum={"every": 2}) as record:
            train(model)
        records.append(record)
        finals.append(model.state_dict())
    record = records[-1]
    torch.testing.assert_close(finals[0], finals[1], rtol=0, atol=0)
    assert record.steps == 4
    assert {row["probe"] for row in record.rows} == set(names)
    assert {row["step"] for row in record.rows} == {4}


def test_rows_can_be_taken_in_between() -> None:
    model = Model("GRU")
    with watch(model, ["horizon"]) as record:
        for _ in range(2):
            model(torch.randn(T, B, I)).backward()
            record.take()
    assert [row["step"] for row in record.rows] == [1, 2]


def test_a_sequence_without_a_batch_is_one_sample() -> None:
    model = Model("GRU").double()
    x_TI = torch.randn(T, I).double()
    found = []
    for x in (x_TI, x_TI.unsqueeze(1)):
        with watch(model, ["error_flow"]) as record:
            model(x).backward()
        found.append([row["value"] for row in record.rows])
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_h_is_the_same_wherever_it_is_read(kind: str) -> None:
    torch.manual_seed(0)
    net = Model(kind).double().net
    found = []
    for read in (
        lambda: net(torch.ones(T, B, I).double())[0][-1],
        lambda: net(hx=None, input=torch.ones(T, B, I).double())[1],
    ):
        with watch(net, ["error_flow"]) as record:
            last = read()
            (last[0] if isinstance(last, tuple) else last).sum().backward()
        found.append([row["value"] for row in record.rows])
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[0][-1] == near((B * H) ** 0.5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"bidirectional": True}, "bidirectional"),
        ({"proj_size": 2}, "proj_size 2"),
        ({"dropout": 0.5}, "drops out"),
        ({"dtype": torch.cfloat}, "complex weights"),
    ],
)
def test_a_layer_that_no_cell_is_like_is_refused_before_it_runs(options: Any, says: str) -> None:
    net = nn.LSTM(I, H, 2, **options)
    with pytest.raises(ValueError, match=says):
        as_cell(net)
    with pytest.raises(ValueError, match=f"^LSTM .*{says}"), watch(net, ["gates"]):
        pass


def test_a_layer_that_drops_out_is_followed_where_it_does_not() -> None:
    net = nn.LSTM(I, H, 2, dropout=0.5).eval()
    with watch(net, ["horizon"]) as record:
        net(torch.randn(T, B, I))[0].sum().backward()
        net.train()  # what counts is how the call was made
    assert record.rows
    net.eval()
    with pytest.warns(InstrumentWarning, match="drops out"), watch(net, ["horizon"]) as record:
        net.train()(torch.randn(T, B, I))[0].sum().backward()
    assert not record.rows


def test_calls_in_a_loop_are_one_step_and_told_apart() -> None:
    torch.manual_seed(0)
    net, expected = nn.GRU(I, H).double(), ()
    with watch(net, ["error_flow"]) as record:
        for _ in range(2):
            h, made = torch.zeros(1, B, H).double(), []
            for x in torch.randn(T, B, I).double():
                h, _ = net(x[None], h)
                made.append(h)
            loss = torch.cat(made).square().sum()
            expected = torch.autograd.grad(loss, made, retain_graph=True)
            loss.backward()
            record.take()
    assert record.steps == 4  # the first way back took derivatives of the calls, and was one
    assert {row["step"] for row in record.rows} == {2, 4}
    for call, v_BH in enumerate(expected):
        assert value(record.rows, step=4, call=call, t=0) == near(v_BH.norm())


def test_every_second_backward_pass_is_looked_at_whole() -> None:
    torch.manual_seed(0)
    net = nn.GRU(I, H)
    with watch(net, ["error_flow"], error_flow={"every": 2}) as record:
        for _ in range(2):
            (net(torch.randn(T, B, I))[0].sum() + net(torch.randn(4, B, I))[0].sum()).backward()
            record.take()
    assert record.steps == 2
    assert {(row["step"], row["call"]) for row in record.rows} == {(1, 0), (1, 1)}
    assert sum(row["call"] == 1 for row in record.rows) == 4


def test_of_networks_that_are_trained_in_turns_each_is_looked_at_every_so_many_of_its_passes() -> (
    None
):
    torch.manual_seed(0)
    model: Any = nn.ModuleDict({"one": nn.GRU(I, H), "other": nn.GRU(I, H)})
    x_TBI, seen = torch.randn(T, B, I), []
    with watch(model, ["horizon"], horizon={"every": 2}) as record:
        for turn in range(8):
            model["one" if turn % 2 else "other"](x_TBI)[0].sum().backward()
            seen.append({row["module"] for row in record.take()})
    assert seen == [{"other"}, {"one"}, set(), set()] * 2
    assert record.steps == 8


def test_a_pass_through_one_call_has_no_field_for_it() -> None:
    net = nn.GRU(I, H)
    with watch(net, ["error_flow"]) as record:
        net(torch.randn(T, B, I))  # no error comes back of this
        net(torch.randn(T, B, I))[0].sum().backward()
    assert not any("call" in row for row in record.rows)


def test_a_pass_that_broke_off_leaves_nothing_to_the_next() -> None:
    net = nn.GRU(I, H)

    def fail(gradient: Tensor) -> None:
        raise RuntimeError("broken off")

    with watch(net, ["error_flow"]) as record:
        x_TBI = torch.randn(T, B, I, requires_grad=True)
        x_TBI.register_hook(fail)
        with pytest.raises(RuntimeError, match="broken off"):
            net(x_TBI)[0].sum().backward()
        net(torch.randn(T, B, I))[0].sum().backward()
    assert record.steps == 1
    assert not any("call" in row for row in record.rows)


@pytest.mark.parametrize("what", ["weights", "input"])
def test_what_changed_between_a_call_and_the_way_back_is_said_and_not_measured(what: str) -> None:
    net, x_TBI = nn.GRU(I, H).requires_grad_(False), torch.randn(T, B, I)
    start = torch.zeros(1, B, H, requires_grad=True)
    frozen: Any = net.weight_ih_l0 if what == "weights" else x_TBI
    says = f"its {what} changed between a call and the way back"
    with watch(net, ["horizon"]) as record:
        h, _ = net(x_TBI, start)
        frozen.mul_(2)
        with pytest.warns(InstrumentWarning, match=says):
            h.sum().backward()
    assert not record.rows


@pytest.mark.parametrize("what", ["weights", "input"])
def test_what_is_written_past_autograd_is_said_and_not_measured(what: str) -> None:
    net, x_TBI = nn.GRU(I, H), torch.randn(T, B, I)
    with watch(net, ["horizon"]) as record:
        h, _ = net(x_TBI)
        written: Any = net.weight_ih_l0 if what == "weights" else x_TBI
        written.data.mul_(2)
        with pytest.warns(InstrumentWarning, match="GRU: what it returned is not what"):
            h.sum().backward()
    assert not record.rows


def test_a_copy_of_a_watched_model_and_a_file_of_it_are_not_watched() -> None:
    net, file = nn.GRU(I, H), io.BytesIO()
    with watch(net, ["horizon"]) as record:
        copied = copy.deepcopy(net)
        torch.save(net, file)
        file.seek(0)
        for other in (copied, torch.load(file, weights_only=False)):
            other(torch.randn(T, B, I))[0].sum().backward()
            hook: Any = next(iter(other._forward_hooks.values()))
            assert not any(isinstance(m, nn.RNNBase) for m in vars(hook.__self__).values())
        net(torch.randn(T, B, I))[0].sum().backward()
    assert record.steps == 1


def _zero(w: Tensor) -> None:
    with torch.no_grad():
        w.zero_()


def test_weights_that_move_on_the_way_back_are_taken_before_they_do() -> None:
    found = []
    for moved in (False, True):
        torch.manual_seed(0)
        net = nn.GRU(I, H).double()
        if moved:
            for w in net.parameters():
                w.register_post_accumulate_grad_hook(_zero)
        with watch(net, ["error_flow"]) as record:
            net(torch.ones(T, B, I).double())[0].sum().backward()
        found.append([row["value"] for row in record.rows])
    assert found[0] == found[1]


def test_no_output_outlives_its_pass_and_forward_passes_keep_nothing() -> None:
    net, x_TBI, outputs = nn.GRU(I, H), torch.randn(T, B, I), []
    gc.collect()
    gc.disable()  # nothing may need to be looked for
    try:
        with watch(net, ["error_flow"]):
            for step in range(50):
                h, last = net(x_TBI)
                outputs += [weakref.ref(h), weakref.ref(last)]
                if step % 2:
                    h.sum().backward()
                del h, last
            assert not any(one() is not None for one in outputs)
    finally:
        gc.enable()


def test_a_graph_that_outlives_the_block_is_not_looked_at() -> None:
    net = nn.GRU(I, H)
    x_TBI = torch.randn(T, B, I)
    with watch(net, ["error_flow"]) as record:
        net(x_TBI)[0].sum().backward()
        later = net(x_TBI)[0].sum()
    rows = list(record.rows)
    later.backward()
    assert (record.rows, record.steps) == (rows, 1)


def test_low_precision_is_followed_in_float32() -> None:
    torch.manual_seed(0)
    net, x_TBI = nn.LSTM(I, H), torch.randn(T, B, I)
    found = []
    for cast in (False, True):
        casting = torch.autocast("cpu", dtype=torch.bfloat16, enabled=cast)
        with watch(net, ["error_flow", "spectrum"]) as record, casting:
            net(x_TBI)[0].float().sum().backward()
        found.append([row["value"] for row in record.rows])
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_a_probe_that_fails_on_a_layer_says_so_once_and_the_others_go_on() -> None:
    net = nn.GRU(I, H)

    def fail(self: Any, seen: Any) -> None:
        raise StopIteration

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        patch.setattr(PROBES["horizon"], "passed", guarded(fail))
        with watch(net, ["horizon", "error_flow"]) as record:
            for _ in range(3):
                (net(torch.ones(T, B, I))[0].sum() + net(torch.ones(T, B, I))[0].sum()).backward()
    assert [str(one.message) for one in said] == ["horizon stands aside: StopIteration"]
    assert {row["probe"] for row in record.rows} == {"error_flow"}
    assert record.steps == 3


def test_what_cannot_be_watched_is_refused() -> None:
    for model, name, says in (
        (nn.Linear(1, 1), "gates", "Linear has no torch"),
        (nn.GRU(1, 1), "updates", "updates sees updates: use a learner"),
        (nn.GRU(1, 1), "horzon", "did you mean 'horizon'"),
        (nn.Sequential(nn.GRU(1, 1, bidirectional=True)), "gates", "^0: GRU is bidirectional"),
    ):
        with pytest.raises((ValueError, KeyError), match=says), watch(model, [name]):
            pass
    for options, says in (
        ({"spectum": {"every": 2}}, "options for 'spectum', no probe: did you mean 'spectrum'"),
        ({"spectrum": {"evry": 2}}, "spectrum takes no option 'evry': did you mean 'every'"),
        ({"spectrum": {"every": 2.5}}, "every is 2.5: it must be a whole number"),
    ):
        given: Any = options
        with (
            pytest.raises((ValueError, KeyError, TypeError), match=says),
            watch(nn.GRU(1, 1), ["spectrum"], **given),
        ):
            pass
    net, packed = nn.GRU(1, 1), nn.utils.rnn.pack_sequence([torch.randn(3, 1)])
    with pytest.warns(InstrumentWarning, match="got a packed sequence"), watch(net, ["gates"]):
        net(packed)
