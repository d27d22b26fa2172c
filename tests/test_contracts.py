"""Contracts hold the laboratory's own methods, a stranger's, and catch what is wrong with these."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lightning_modules.contracts import CONTRACTS
from lightning_modules.contracts.probes import learner_for
from lightning_modules.probes import PROBES
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.sequence import SequenceLearner
from tests.commanded import Project, Said

STRANGERS = '''
import torch
from torch import nn

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells._forward import ForwardCell
from lightning_modules.interfaces import Algorithm, Claim
from lightning_modules.probes._base import Probe


class Mine(ForwardCell):
    """A cell of a stranger's."""

    def __init__(self, input_size, hidden_size, scale=1.0):
        super().__init__(input_size, hidden_size)
        self.W, self.scale = nn.Linear(input_size + hidden_size, hidden_size), scale

    def forward(self, x_BI, s_BS):
        return (self.scale * self.W(torch.cat([x_BI, s_BS], -1))).tanh()


class Batched(Mine):
    def forward(self, x_BI, s_BS):
        return super().forward(x_BI, s_BS) - s_BS.mean(0)


class Louder(Algorithm):
    claim = Claim.EXACT
    factor = 1.5

    def run(self, *args, **kwargs):
        run = BPTT().run(*args, **kwargs)
        return run._replace(gradient_P=self.factor * run.gradient_P)


class AsLoud(Louder):
    factor = 1


class Net(nn.Module):
    def __init__(self, input_size, output_size, width):
        super().__init__()
        self.layer, self.bias = nn.Linear(input_size, output_size), width

    def forward(self, x_TBI):
        return self.layer(x_TBI)


class Normed(Net):
    def forward(self, x_TBI):
        return super().forward(x_TBI) - x_TBI.mean()


class Size(Probe):
    sees = frozenset({"updates"})

    def updated(self, seen):
        self.keep(size_P=torch.stack([g.square().mean() for g in seen.clipped]))

    def tell(self, means):
        yield {"quantity": "size", "value": float(means["size_P"].mean())}


class Meddling(Size):
    def updated(self, seen):
        super().updated(seen)
        with torch.no_grad():
            for w in seen.after:
                w.mul_(0.5)


class Forgetful(Size):
    count = 0

    def updated(self, seen):
        Forgetful.count += 1
        self.keep(size_P=torch.tensor([float(Forgetful.count)]))


class Blind(Size):
    sees = frozenset({"auras"})


def net():
    return Net(3, 2, 1)


def broken():
    raise RuntimeError("of its\\nown")


number = 3
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    made = Project(tmp_path, monkeypatch)
    made.write("strangers.py", STRANGERS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield made
    sys.modules.pop("strangers", None)


def wrong(done: Said) -> dict[str, str]:
    """Return the checks that failed, and why."""
    return {each["check"]: each["error"] for each in json.loads(done.out) if not each["good"]}


@pytest.mark.parametrize(
    "method",
    ["Mine --with scale=0.5", "AsLoud", "Net --with width=1", "net", "Size"],
)
def test_a_method_of_a_stranger_is_held_to_all_of_its_contract(project: Project, method: str):
    name, *given = method.split()
    done = project.run("test-method", f"strangers.{name}", *given, "--json")
    assert wrong(done) == {}
    assert done.code == 0
    assert len(json.loads(done.out)) >= 3


@pytest.mark.parametrize(
    ("method", "check"),
    [
        ("Batched", "Samples of a batch do not see each other"),
        ("Louder", "Its gradient is what it claims, on lstm"),
        ("Normed --with width=1", "Samples of a batch do not see each other"),
        ("Forgetful", "A run that is killed and goes on from its checkpoint tells the same"),
        ("Meddling", "A run that draws at random is under it what it is without it"),
        ("Blind", "It tells rows of plain values, of itself and of a quantity"),
    ],
)
def test_what_is_wrong_with_a_method_is_named(project: Project, method: str, check: str):
    name, *given = method.split()
    done = project.run("test-method", f"strangers.{name}", *given, "--json")
    assert done.code == 1
    assert any(said.startswith(check) and why for said, why in wrong(done).items())


def test_people_are_told_a_line_for_each_check(project: Project):
    lines = project.run("test-method", "strangers.Batched").out.splitlines()
    assert {line[:6] for line in lines} == {"ok    ", "wrong "}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["Cell"], "'Cell' names no class: give package.module.Class"),
        (["nowhere.Cell"], "nowhere: ModuleNotFoundError: No module named 'nowhere'"),
        (["strangers.Mien"], "strangers has no 'Mien': did you mean 'Mine'?"),
        (["strangers.number"], "strangers.number is neither a class nor a function"),
        (["strangers.Net"], "missing 1 required positional argument: 'width'): give --with name="),
        (["strangers.broken"], "strangers.broken is not built (RuntimeError: of its own)"),
        (["json.JSONDecoder"], "json.JSONDecoder derives from none of: Algorithm, Cell, Module"),
        (["strangers.Mine", "--with", "scale"], "--with 'scale': give name=value"),
    ],
)
def test_what_is_no_method_is_refused_in_one_line(project: Project, given: list[str], says: str):
    done = project.run("test-method", *given)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


LEARNERS = SequenceLearner, BackpropLearner
SEEN = [
    name
    for name, kind in PROBES.items()
    if any(kind.sees & of.shows and kind.needs <= of.shows for of in LEARNERS)
]


@pytest.mark.parametrize("name", SEEN)
def test_a_probe_keeps_what_every_probe_is_held_to(name: str):
    for check in CONTRACTS["probes"].checks(PROBES[name]):
        check.hold()


def test_a_probe_that_no_learner_shows_anything_is_told_what_there_is_to_see():
    (name, *_) = (name for name in PROBES if name not in SEEN)
    with pytest.raises(AssertionError, match="learners here show losses, modules, outputs, pass"):
        learner_for(PROBES[name]())
