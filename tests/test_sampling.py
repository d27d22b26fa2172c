"""``python -m pipeline sample``: which model, where its weights are, what is said where none is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.running import sampling
from pipeline.running.jobs import Fetched, Job
from pipeline.study import key
from tests import toy
from tests.language_study import MEASURED, SECTION

DATA = {"tiny_shakespeare": toy.text(100), "wikitext2": toy.sentences()}
ASKED: dict[str, Any] = {
    "part": "words", "model": "LSTM 3", "length": 4, "temperature": 1.0, "seed": 0, "train": False,
}  # fmt: skip


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Ask for samples of the tiny study's models, kept in a folder of their own."""
    trials = {key(e): e for part in ("characters", "words") for e in MEASURED.trials(part)}
    of = Job("language_model", MEASURED.study, "quick", trials, SECTION)
    of.__dict__["data"] = {
        name: Fetched(name, {}, "of its files", lambda set_=set_: set_)
        for name, set_ in DATA.items()
    }
    monkeypatch.setattr(sampling, "job", lambda settings, name: of)
    monkeypatch.setattr(sampling, "SCRATCH", tmp_path)
    settings: Any = SimpleNamespace(scale="quick")

    def asked(text: str = "w1 w2", **options: Any) -> str:
        return sampling.sample(settings, text, **(ASKED | options))

    asked.of = of  # pyright: ignore[reportFunctionMemberAccess]
    return asked


def test_weights_are_trained_once_and_kept_and_nothing_else_is_left(ask, tmp_path: Path):
    with pytest.raises(
        UserError, match="no weights of words, LSTM 3, scale quick are kept: --train"
    ):
        ask()
    first = ask(train=True)
    assert len(first.split()) <= 4
    (kept,) = (tmp_path / "models").iterdir()
    written = kept.stat().st_mtime_ns
    assert ask() == ask(train=True) == first
    assert kept.stat().st_mtime_ns == written
    assert ask(model="LSTM 5", train=True)
    assert len(list((tmp_path / "models").iterdir())) == 2


def test_words_that_training_lacks_and_no_text_at_all_are_read(ask):
    ask(train=True)
    assert ask("never seen w1\nw2")
    assert ask("")
    assert ask("abc", part="characters", train=True)
    with pytest.raises(UserError, match="is not one of the 100 characters that the model knows"):
        ask("é", part="characters")


def test_the_last_model_is_taken_where_none_is_named(ask, tmp_path: Path):
    with pytest.raises(UserError, match="no weights of characters, LSTM 5"):
        ask(part="characters", model=None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": "LSTM 4"}, "'LSTM 4' is no model of words: did you mean 'LSTM"),
        ({"model": "unigram"}, "'unigram' is no model of words"),
        ({"part": "word"}, "'word' is no part with models: did you mean 'words'"),
    ],
)
def test_an_unknown_model_is_said_in_a_line(ask, options: dict[str, Any], says: str):
    with pytest.raises(UserError, match=says) as caught:
        ask(**options)
    assert "\n" not in str(caught.value)


def test_data_that_are_not_there_are_named(ask):
    ask.of.data["wikitext2"] = Fetched("wikitext2", {}, "", lambda: None)
    with pytest.raises(
        UserError, match="wikitext2 is not there: python -m pipeline fetch wikitext2"
    ):
        ask(train=True)
