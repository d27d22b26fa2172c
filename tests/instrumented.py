"""Models that an instrument meets, how each is trained, and what an instrument says of it."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.utils.checkpoint import checkpoint

T, B, I, H, STEPS = 5, 3, 4, 6, 3  # noqa: E741


class Recurrent(nn.Module):
    """An input map, a recurrent layer, dropout and a readout, put together in some way."""

    before: nn.Module

    def __init__(self, forward: Callable[["Recurrent", Tensor], Tensor], net: Any = None):
        super().__init__()
        self.before, self.net = nn.Linear(I, I), net or nn.GRU(I, H)
        self.after, self.readout = nn.Dropout(0.5), nn.Linear(H, 2)
        self.way = [forward]

    def forward(self, x_TBI: Tensor) -> Tensor:
        return self.way[0](self, x_TBI)

    def read(self, h_TBH: Tensor) -> Tensor:
        return self.readout(self.after(h_TBH)).float().square().mean()


def _plain(m: Recurrent, x_TBI: Tensor) -> Tensor:
    return m.read(m.net(m.before(x_TBI))[0])


def _packed(m: Recurrent, x_TBI: Tensor) -> Tensor:
    lengths = [5, 3, 2]
    h, _ = m.net(nn.utils.rnn.pack_padded_sequence(m.before(x_TBI), lengths))
    return m.read(nn.utils.rnn.pad_packed_sequence(h)[0])


def _looped(m: Recurrent, x_TBI: Tensor) -> Tensor:
    h, made = None, []
    for x_BI in m.before(x_TBI):
        out, h = m.net(x_BI[None], h)
        made.append(out)
    return m.read(torch.cat(made))


def _twice(m: Recurrent, x_TBI: Tensor) -> Tensor:
    x_TBI = m.before(x_TBI)
    return m.read(m.net(x_TBI)[0]) + m.read(m.net(x_TBI.flip(0))[0])


def _in_place(m: Recurrent, x_TBI: Tensor) -> Tensor:
    h_TBH, _ = m.net(m.before(x_TBI))
    return m.read(h_TBH.mul_(2.0))


def _view_in_place(m: Recurrent, x_TBI: Tensor) -> Tensor:
    h_TH, _ = m.net(m.before(x_TBI)[:, 0])  # of one sequence torch returns a view
    return m.read(h_TH.mul_(2.0))


def _view_in_place_and_last(m: Recurrent, x_TBI: Tensor) -> Tensor:
    h_TH, last = m.net(m.before(x_TBI)[:, 0])
    return m.read(h_TH.mul_(2.0)) + last.sum()


def _without_samples(m: Recurrent, x_TBI: Tensor) -> Tensor:
    x_TBI = m.before(x_TBI)
    return m.net(x_TBI[:, :0])[0].sum() + x_TBI.square().mean()


def _of_several_shapes(m: Recurrent, x_TBI: Tensor) -> Tensor:
    x_TBI = m.before(x_TBI)
    several = (x_TBI, x_TBI[:2, :1], x_TBI[:, 0])
    return torch.stack([m.read(m.net(x)[0]) for x in several]).sum()


def _from_a_dict(m: Recurrent, x_TBI: Tensor) -> Tensor:
    return m.read(m.net(x_TBI)["h"])


def _copied(m: Recurrent, x_TBI: Tensor) -> Tensor:
    return _plain(m, x_TBI) + copy.deepcopy(m.net)(x_TBI)[0].square().mean()


def _autocast(m: Recurrent, x_TBI: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return _plain(m, x_TBI)


def _checkpointed(reentrant: bool) -> Callable[[Recurrent, Tensor], Tensor]:
    def forward(m: Recurrent, x_TBI: Tensor) -> Tensor:
        x_TBI = m.before(x_TBI)
        return m.read(checkpoint(lambda x: m.net(x)[0], x_TBI, use_reentrant=reentrant))

    return forward


def _lent(m: Recurrent, x_TBI: Tensor) -> Tensor:
    weights = {name: w * 1.0 for name, w in m.net.named_parameters()}
    h_TBH, _ = functional_call(m.net, weights, (m.before(x_TBI),))
    return m.read(h_TBH)


def _unread(m: Recurrent, x_TBI: Tensor) -> Tensor:
    m.net(x_TBI)
    return m.before(x_TBI).square().mean()


def _frozen(names: str) -> Callable[[Recurrent], Any]:
    def prepare(m: Recurrent) -> None:
        for name in names.split():
            m.get_submodule(name).requires_grad_(False)

    return prepare


def _with_batch_norm(m: Recurrent) -> None:
    norm = nn.BatchNorm1d(I).eval().requires_grad_(False)
    m.before = nn.Sequential(m.before, nn.Flatten(0, 1), norm, nn.Unflatten(0, (T, B)))


def _shared(m: Recurrent) -> None:
    m.again = m.net


def _two(m: Recurrent) -> None:
    m.other = nn.GRU(I, H)


def _tied(m: Recurrent) -> None:
    m.other = nn.GRU(I, H)
    m.other.weight_hh_l0 = m.net.weight_hh_l0
    m.way = [lambda m, x: m.read(m.net(m.before(x))[0] + m.other(x)[0])]


class InADict(nn.GRU):
    """A layer that returns a dictionary."""

    def forward(self, x_TBI: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return {"h": super().forward(x_TBI)[0]}


class Doubled(nn.GRU):
    """A layer that returns what no cell does."""

    def forward(self, x_TBI: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        h_TBH, last = super().forward(x_TBI)
        return 2 * h_TBH, last


def _hooked(m: Recurrent) -> None:
    m.net.register_forward_hook(lambda net, args, output: (2 * output[0], output[1]))


def _attending(m: Recurrent) -> None:
    m.attention = nn.MultiheadAttention(H, 2)
    m.way = [lambda m, x: m.read(m.attention(*[m.net(m.before(x))[0]] * 3)[0])]


def _embedding(sparse: bool) -> Callable[[Recurrent], Any]:
    def prepare(m: Recurrent) -> None:
        m.embedding, m.readout = nn.Embedding(7, I, sparse=sparse), nn.Linear(H, I)
        m.words = nn.Linear(I, 7, bias=False)
        if not sparse:
            m.words.weight = m.embedding.weight
        m.way = [lambda m, x: m.words(m.readout(m.net(m.embedding(_ids(x)))[0])).square().mean()]

    return prepare


def _ids(x_TBI: Tensor) -> Tensor:
    return x_TBI[..., 0].abs().clamp(max=6).long()


def _complex_beside(m: Recurrent) -> None:
    m.waves = nn.Linear(H, 2, dtype=torch.cfloat)
    m.way = [lambda m, x: m.waves(m.net(m.before(x))[0].to(torch.cfloat)).abs().square().mean()]


def _one_way_beside_both(m: Recurrent) -> None:
    m.both = nn.GRU(I, H // 2, bidirectional=True)
    m.way = [lambda m, x: m.read(m.net(m.before(x))[0] + m.both(x)[0])]


@dataclasses.dataclass
class Meeting:
    """A model and what is said of it.

    Attributes:
        says: what is said, once; empty where nothing is.
        rows: whether error in its recurrent layer is seen.
        passes: how many backward passes a step of training takes.
        inside: the type of autocast that is on around a whole step.
    """

    way: Callable[[Recurrent, Tensor], Tensor] = _plain
    net: Callable[[], Any] = lambda: nn.GRU(I, H)
    prepare: Callable[[Recurrent], Any] = lambda m: None
    wrap: Callable[[Any], Any] = lambda m: m
    says: str = ""
    rows: bool = True
    passes: int = 1
    inside: bool = False
    dtype: torch.dtype = torch.float32


UNSEEN = "net: no error came back to it"
CHANGED = "net: what it returned is not what its weights make of its input"
MEETINGS: dict[str, Meeting] = {
    "plain": Meeting(),
    "LSTM": Meeting(net=lambda: nn.LSTM(I, H, 2)),
    "RNN": Meeting(net=lambda: nn.RNN(I, H, nonlinearity="relu")),
    "frozen": Meeting(prepare=_frozen("net")),
    "all frozen": Meeting(prepare=_frozen("net before"), says=UNSEEN, rows=False),
    "unused": Meeting(prepare=_two, says="other: no error came back to it"),
    "unread": Meeting(_unread, says=UNSEEN, rows=False),
    "shared": Meeting(prepare=_shared),
    "tied": Meeting(prepare=_tied),
    "looped": Meeting(_looped),
    "looped LSTM": Meeting(_looped, net=lambda: nn.LSTM(I, H)),
    "called twice": Meeting(_twice),
    "one way beside both": Meeting(prepare=_one_way_beside_both, says="both: GRU is bidirectional"),
    "packed": Meeting(_packed, says="net: got a packed sequence", rows=False),
    "BatchNorm frozen": Meeting(prepare=_with_batch_norm),
    "autocast": Meeting(_autocast),
    "autocast LSTM": Meeting(_autocast, net=lambda: nn.LSTM(I, H)),
    "autocast around all": Meeting(inside=True),
    "autocast around all, LSTM": Meeting(net=lambda: nn.LSTM(I, H), inside=True),
    "autocast around all, RNN": Meeting(net=lambda: nn.RNN(I, H), inside=True),
    "bfloat16": Meeting(dtype=torch.bfloat16),
    "float64": Meeting(dtype=torch.float64),
    "compiled": Meeting(wrap=lambda m: torch.compile(m, backend="eager")),
    "functional_call": Meeting(_lent),
    "checkpointed": Meeting(_checkpointed(False)),
    "checkpointed, reentrant": Meeting(_checkpointed(True)),
    "accumulated": Meeting(passes=2),
    "changed in place": Meeting(_in_place),
    "without samples": Meeting(_without_samples, says="net: got no samples", rows=False),
    "of several shapes": Meeting(_of_several_shapes),
    "in a dictionary": Meeting(
        _from_a_dict,
        net=lambda: InADict(I, H),
        says="net: is called otherwise than torch's",
        rows=False,
    ),
    "doubled": Meeting(net=lambda: Doubled(I, H), says=CHANGED, rows=False),
    "doubled by a hook": Meeting(prepare=_hooked, says=CHANGED, rows=False),
    "weight norm": Meeting(net=lambda: weight_norm(nn.GRU(I, H), "weight_hh_l0")),
    "spectral norm": Meeting(net=lambda: spectral_norm(nn.GRU(I, H), "weight_hh_l0")),
    "attention above": Meeting(prepare=_attending),
    "tied embedding": Meeting(prepare=_embedding(sparse=False)),
    "sparse embedding": Meeting(prepare=_embedding(sparse=True)),
    "complex weights above": Meeting(prepare=_complex_beside),
    "copied meanwhile": Meeting(_copied),
    "view changed in place": Meeting(_view_in_place, says=UNSEEN, rows=False),
    "one view of two changed in place": Meeting(
        _view_in_place_and_last,
        says="net: a view that it returned was written to",
        rows=False,
    ),
}


def trained(meeting: Meeting, watching: Callable[[Any], Any]) -> dict[str, Any]:
    """Train a model for some steps and return all that an instrument may not change."""
    torch.manual_seed(0)
    model = Recurrent(meeting.way, meeting.net())
    meeting.prepare(model)
    if meeting.dtype != torch.float32:  # a move would make complex weights real
        model = model.to(meeting.dtype)
    model = meeting.wrap(model)
    weights = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=0.1)
    losses, gradients = [], []
    with watching(model) as record:
        for _ in range(STEPS):
            optimizer.zero_grad()
            for _ in range(meeting.passes):
                x_TBI = torch.randn(T, B, I, dtype=meeting.dtype)
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=meeting.inside):
                    loss = model(x_TBI)
                    loss.backward()
                losses.append(loss.item())
            gradients += [w.grad.to_dense().clone() for w in weights if w.grad is not None]
            optimizer.step()
    state = copy.deepcopy(list(model.state_dict().values()))
    modes = [m.training for m in model.modules()]
    hooks = [bool(m._forward_hooks or m._forward_pre_hooks) for m in model.modules()]
    found = {"losses": losses, "gradients": gradients, "modes": modes, "hooks": hooks}
    return {**found, "state": state, "generator": torch.get_rng_state(), "record": record}
