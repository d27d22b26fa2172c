"""That there is no network is decided in time, and never of a download that moves."""

import socket
import threading
import time
from pathlib import Path

import pytest

from pipeline.data import downloads, sources
from tests.servers import black_hole, half, refusing, serve, trickle
from tests.toy_set import Toy, publish


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return a folder with the right files."""
    return publish(tmp_path / "published")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where data sets go."""
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    """Make ``toy_set`` a data set."""
    return Toy(monkeypatch)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all waiting be a fifth of what it is."""
    for name in ("ANSWER_SECONDS", "STALL_SECONDS", "SILENCE_SECONDS"):
        monkeypatch.setattr(downloads, name, getattr(downloads, name) / 5)
    monkeypatch.setattr(downloads, "network", downloads.Network(downloads.SILENCE_SECONDS))


def test_hosts_that_never_answer_are_given_up_together_in_a_few_seconds(root: Path, toy: Toy):
    with black_hole() as one, black_hole() as two, black_hole() as three:
        toy(one, two, three, "http://no-such-host.invalid", refusing())
        start = time.monotonic()
        assert sources.fetch("toy_set", root).embedded
        assert time.monotonic() - start < 8


def test_a_name_that_is_looked_up_for_ever_is_given_up(
    root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
):
    done = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        done.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "given up")

    toy("http://one.invalid", "http://two.invalid")
    hurry(monkeypatch)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    start = time.monotonic()
    assert sources.fetch("toy_set", root).embedded
    assert time.monotonic() - start < 5
    done.set()


def test_all_waiting_in_vain_ends_within_20_seconds_even_where_downloads_stall(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
):
    with (
        black_hole() as mirror,
        black_hole() as silent,
        serve(published, half) as (one, _),
        serve(published, half) as (two, _),
    ):
        toy(silent, one, two)
        hurry(monkeypatch)
        monkeypatch.setenv("DATA_MIRROR", mirror)
        start = time.monotonic()
        assert sources.fetch("toy_set", root).embedded
        assert time.monotonic() - start < 20 / 5
        start = time.monotonic()
        assert sources.fetch("toy_set", root).embedded
        assert time.monotonic() - start < 5 / 5, "the decision holds for the next data set"


def test_a_slow_download_that_moves_is_not_cut(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
):
    with serve(published, trickle) as (address, _):
        toy(address)
        hurry(monkeypatch)
        start = time.monotonic()
        assert not sources.fetch("toy_set", root).embedded
        assert time.monotonic() - start > downloads.SILENCE_SECONDS
