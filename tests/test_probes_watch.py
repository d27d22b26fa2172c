"""Probes on a user's own torch.nn layers, against automatic differentiation step by step."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.instruments import InstrumentWarning
from lightning_modules.probes import PROBES
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
    ],
)
def test_a_layer_that_no_cell_is_like_is_refused(options: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        as_cell(nn.LSTM(I, H, 2, **options))


def test_what_cannot_be_watched_is_refused() -> None:
    for model, name, says in (
        (nn.Linear(1, 1), "gates", "Linear has no torch"),
        (nn.GRU(1, 1), "updates", "updates sees updates: use a learner"),
        (nn.GRU(1, 1), "horzon", "did you mean 'horizon'"),
    ):
        with pytest.raises((ValueError, KeyError), match=says), watch(model, [name]):
            pass
    net, packed = nn.GRU(1, 1), nn.utils.rnn.pack_sequence([torch.randn(3, 1)])
    with pytest.warns(InstrumentWarning, match="got a packed sequence"), watch(net, ["gates"]):
        net(packed)
