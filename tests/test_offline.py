"""Without network: decided in time, said loudly, undone by the next fetch."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.data import downloads, sources
from pipeline.data.provenance import verified
from pipeline.errors import UserError
from tests.servers import half, refusing, serve
from tests.toy_set import FILES, Toy, publish, snapshot


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


def test_a_stand_in_says_loudly_that_it_is_one(root: Path, capsys: pytest.CaptureFixture[str]):
    provenance = sources.fetch("toy_set", root)
    said = capsys.readouterr().err
    assert "WARNING: toy_set IS NOT Toy: A stand-in" in said
    assert "no-such-host.invalid/toy-set/one.bin: no such host" in said
    assert "python -m pipeline fetch toy_set" in said
    assert provenance.embedded
    assert provenance.reason == "no address of Toy could be reached"
    assert (provenance.requested, provenance.served, provenance.count) == (
        "toy_set",
        "A stand-in",
        7,
    )
    assert json.loads((root / "toy_set" / "provenance.json").read_text())["embedded"] is True
    assert verified("toy_set", root)[1] == provenance


def test_the_real_files_replace_a_stand_in_at_the_next_fetch(
    published: Path, root: Path, toy: Toy, capsys: pytest.CaptureFixture[str]
):
    sources.fetch("toy_set", root)
    with serve(published) as (address, _):
        toy(address)
        capsys.readouterr()
        assert not sources.fetch("toy_set", root).embedded
    assert "wrong checksum" not in capsys.readouterr().err
    assert {f: (root / "toy_set" / f).read_bytes() for f in FILES} == FILES


@pytest.mark.parametrize("name", [n for n, of in sources.SOURCES.items() if of.embedded])
def test_a_stand_in_is_the_same_whenever_it_is_fetched(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for address in sources.SOURCES[name].addresses:
        downloads.network.hosts[address.split("/")[2]] = "kept away by a test"
    sources.fetch(name, tmp_path / "a")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    sources.fetch(name, tmp_path / "b")
    sources.fetch(name, tmp_path / "b")
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b")
    assert set(sources.SOURCES[name].files) < {p.name for p in (tmp_path / "a").rglob("*")}


def test_offline_error_names_the_file_the_addresses_and_the_way_on(root: Path, toy: Toy):
    away = refusing()
    toy("http://no-such-host.invalid", away)
    with pytest.raises(UserError) as caught:
        sources.fetch("toy_set", root, offline="error")
    message = str(caught.value)
    assert message.startswith(f"{root / 'toy_set' / 'one.bin'}: no address has it")
    assert "http://no-such-host.invalid/toy-set/one.bin: no such host" in message
    assert f"{away}/toy-set/one.bin: connection refused" in message
    assert "set DATA_MIRROR to a folder or URL that holds toy_set/one.bin" in message
    assert "data.offline: embedded" in message
    assert "\n" not in message
    assert not snapshot(root)


def test_a_data_set_without_a_stand_in_is_an_error_offline(root: Path, toy: Toy):
    toy(refusing(), embedded=None)
    with pytest.raises(UserError, match="no address has it"):
        sources.fetch("toy_set", root)


def test_an_unknown_answer_to_offline_is_refused(root: Path):
    with pytest.raises(UserError, match="offline: 'maybe' is not one of: embedded, error"):
        sources.fetch("toy_set", root, offline="maybe")


def test_a_password_in_the_mirrors_address_is_not_shown(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("DATA_MIRROR", refusing().replace("://", "://me:secret@"))
    sources.fetch("toy_set", root)
    said = capsys.readouterr().err
    assert "connection refused" in said
    assert "secret" not in said


KILLED = """
import sys
from pathlib import Path
from pipeline.data import sources
from tests.toy_set import source
sources.SOURCES["toy_set"] = source(sys.argv[1])
sources.fetch("toy_set", Path(sys.argv[2]))
"""


def test_a_killed_download_leaves_nothing_that_passes_for_a_file(
    published: Path, root: Path, toy: Toy
):
    environment = {k: v for k, v in os.environ.items() if k != "DATA_MIRROR"}
    with serve(published, half) as (address, asked):
        command = [sys.executable, "-c", KILLED, address, str(root)]
        process = subprocess.Popen(command, env=environment)
        while not any(snapshot(root).values()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert asked == ["/toy-set/one.bin"]
    assert not (root / "toy_set").exists()
    with pytest.raises(UserError, match="missing"):
        verified("toy_set", root)
    with serve(published) as (address, _):
        toy(address)
        sources.fetch("toy_set", root)
    assert {p.name for p in root.iterdir()} == {"toy_set"}
    assert set(snapshot(root)) == {"toy_set/one.bin", "toy_set/two.bin", "toy_set/provenance.json"}


def test_what_a_fetch_with_nothing_to_do_imports_is_cheap():
    heavy = "{'pooch', 'requests', 'tqdm', 'numpy', 'sklearn', 'torch', 'pandas'}"
    code = f"import sys, pipeline.data.sources; print({heavy} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
