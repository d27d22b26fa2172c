"""Fetched files are the published ones."""

import dataclasses
import gzip
import hashlib
from pathlib import Path

import pytest

from pipeline.data import downloads, sources
from pipeline.data.provenance import verified
from pipeline.errors import UserError
from tests.servers import refusing, serve, torn
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


def test_fetched_files_are_whole_and_described_and_not_fetched_twice(
    published: Path, root: Path, toy: Toy
):
    with serve(published) as (address, asked):
        toy(address)
        provenance = sources.fetch("toy_set", root)
        assert asked == ["/toy-set/one.bin", "/toy-set/two.bin"]
        assert sources.fetch("toy_set", root) == provenance
        assert len(asked) == 2
    assert {p.name for p in root.iterdir()} == {"toy_set"}
    assert {f: (root / "toy_set" / f).read_bytes() for f in FILES} == FILES
    assert (provenance.served, provenance.embedded, provenance.reason) == ("Toy", False, "")
    assert verified("toy_set", root)[1] == provenance


def test_only_the_missing_file_is_fetched(published: Path, root: Path, toy: Toy):
    with serve(published) as (address, asked):
        toy(address)
        sources.fetch("toy_set", root)
        (root / "toy_set" / "two.bin").unlink()
        sources.fetch("toy_set", root)
    assert asked[2:] == ["/toy-set/two.bin"]


@pytest.mark.parametrize("as_url", [True, False])
def test_the_mirror_is_asked_first_and_alone(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch, as_url: bool
):
    with serve(published) as (mirror, _), serve(published) as (address, asked):
        toy(address)
        monkeypatch.setenv("DATA_MIRROR", mirror if as_url else str(published))
        assert not sources.fetch("toy_set", root).embedded
        assert not asked
        assert address.rpartition(":")[2] not in str(downloads.network.hosts)


def test_what_the_mirror_lacks_comes_from_the_public_address(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "mirror" / "toy-set").mkdir(parents=True)
    (published / "toy-set" / "one.bin").rename(tmp_path / "mirror" / "toy-set" / "one.bin")
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path / "mirror"))
    with serve(published) as (address, asked):
        toy(address)
        assert not sources.fetch("toy_set", root).embedded
    assert asked == ["/toy-set/two.bin"]


@pytest.mark.parametrize("folder", ["toy_set", "toy-set"])
def test_a_data_set_that_is_not_published_comes_from_a_mirror_alone(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch, folder: str
):
    entry = dataclasses.replace(sources.SOURCES["toy_set"], addresses=(), embedded=None)
    monkeypatch.setitem(sources.SOURCES, "toy_set", entry)
    with pytest.raises(UserError, match=r"it is not published, and DATA_MIRROR names no mirror"):
        sources.fetch("toy_set", root)
    (published / "toy-set").rename(published / folder)
    monkeypatch.setenv("DATA_MIRROR", str(published))
    served = sources.fetch("toy_set", root)
    assert (served.served, served.address) == ("Toy", "a mirror: it is not published")


def test_a_mirror_may_call_a_folder_otherwise_and_an_address_a_file(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (published / "toy-set").rename(published / "toys")
    with serve(published) as (address, asked):
        toy(address)
        entry = dataclasses.replace(
            sources.SOURCES["toy_set"],
            addresses=(f"{address}/{{file}}",),
            published_as={file: f"toys/{file}" for file in FILES},
            folder="toys",
        )
        monkeypatch.setitem(sources.SOURCES, "toy_set", entry)
        assert not sources.fetch("toy_set", root).embedded
        assert asked == ["/toys/one.bin", "/toys/two.bin"]
        monkeypatch.setenv("DATA_MIRROR", str(published))
        assert not sources.fetch("toy_set", tmp_path / "other").embedded
        assert len(asked) == 2


def test_an_installed_package_that_has_the_same_files_serves_before_the_public_address(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    package = tmp_path / "packages" / "a_package_of_toys"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (published / "toy-set").rename(package / "sets")
    monkeypatch.syspath_prepend(package.parent)
    with serve(published) as (address, asked):
        toy(address)
        entry = dataclasses.replace(
            sources.SOURCES["toy_set"], package="a_package_of_toys/sets", embedded=None
        )
        monkeypatch.setitem(sources.SOURCES, "toy_set", entry)
        of = sources.fetch("toy_set", root)
        assert not of.embedded
        assert not asked
        assert of.origins == dict.fromkeys(FILES, "the installed package: a_package_of_toys/sets")
        (package / "sets" / "two.bin").write_bytes(b"of another version")
        with pytest.raises(UserError, match=r"two\.bin: no address has it \(http"):
            sources.fetch("toy_set", tmp_path / "other")
    assert asked[-1] == "/toy-set/two.bin"


def test_a_package_that_is_not_installed_serves_nothing(
    root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
):
    entry = dataclasses.replace(sources.SOURCES["toy_set"], package="no_such_package/toys")
    monkeypatch.setitem(sources.SOURCES, "toy_set", entry)
    assert sources.fetch("toy_set", root).embedded


def test_who_served_each_file_is_written_down_without_secrets_and_changes_no_fact(
    published: Path, tmp_path: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
):
    with serve(published) as (mirror, _), serve(published) as (address, _):
        toy(address)
        mirrors = "", str(published), mirror.replace("://", "://me:secret@")
        for place, given in enumerate(mirrors):
            monkeypatch.setenv("DATA_MIRROR", given)
            sources.fetch("toy_set", tmp_path / str(place))
    held = [verified("toy_set", tmp_path / str(place))[1] for place in range(len(mirrors))]
    origins = [of.origins for of in held]
    assert origins[0] == {file: f"{address}/toy-set/{file}" for file in FILES}
    assert origins[1] == dict.fromkeys(FILES, "a mirror in a folder")
    assert origins[2] == {file: f"{mirror}/toy-set/{file}" for file in FILES}
    assert held[0] == held[1] == held[2]
    assert held[0].facts() == held[1].facts() == held[2].facts()
    assert not {"origins", "files"} & set(held[0].facts())
    assert held[0].address == f"{address}/toy-set"


def test_what_was_there_keeps_its_origin_when_a_file_is_fetched_again(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
):
    with serve(published) as (address, _):
        toy(address)
        sources.fetch("toy_set", root)
    (root / "toy_set" / "two.bin").unlink()
    monkeypatch.setenv("DATA_MIRROR", str(published))
    for _ in range(2):
        sources.fetch("toy_set", root)
        of = verified("toy_set", root)[1].origins
        assert of == {
            "one.bin": f"{address}/toy-set/one.bin",
            "two.bin": "a mirror in a folder",
        }


def test_the_next_address_serves_where_one_hangs_up_or_has_nothing_or_another_file(
    published: Path, root: Path, toy: Toy, tmp_path: Path
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other" / "toy-set").mkdir(parents=True)
    (tmp_path / "other" / "toy-set" / "one.bin").write_bytes(b"a login page")
    bad = serve(tmp_path / "empty"), serve(tmp_path / "other"), serve(published, torn)
    with (
        bad[0] as (one, _),
        bad[1] as (two, _),
        bad[2] as (three, _),
        serve(published) as (good, _),
    ):
        toy(refusing(), one, two, three, good)
        assert not sources.fetch("toy_set", root).embedded
    assert {f: (root / "toy_set" / f).read_bytes() for f in FILES} == FILES


def test_a_server_may_pack_files_on_their_way_or_call_them_packed(
    root: Path, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packed = {name: gzip.compress(data, mtime=0) for name, data in FILES.items()}
    for pack, files in ((gzip.compress, FILES), (bytes, packed)):
        folder = tmp_path / pack.__name__
        (folder / "toy-set").mkdir(parents=True)
        for name, data in files.items():
            (folder / "toy-set" / name).write_bytes(data)
        with serve(folder, encoding="gzip", pack=pack) as (address, _):
            toy(address)
            entry = dataclasses.replace(
                sources.SOURCES["toy_set"],
                files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
            )
            monkeypatch.setitem(sources.SOURCES, "toy_set", entry)
            assert not sources.fetch("toy_set", root / pack.__name__).embedded
        assert {n: (root / pack.__name__ / "toy_set" / n).read_bytes() for n in files} == files


@pytest.mark.parametrize("where", ["mirror", "public"])
def test_a_wrong_checksum_is_an_error_and_no_reason_for_a_stand_in(
    published: Path, root: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch, where: str
):
    (published / "toy-set" / "two.bin").write_bytes(b"damaged")
    with serve(published) as (address, _):
        toy(address)
        if where == "mirror":
            monkeypatch.setenv("DATA_MIRROR", str(published))
        with pytest.raises(UserError, match=r"two\.bin: wrong checksum.*mend the file") as caught:
            sources.fetch("toy_set", root)
    assert str(caught.value).startswith(str(published) if where == "mirror" else address)
    assert "\n" not in str(caught.value)
    assert not snapshot(root)


def test_a_damaged_file_is_replaced_and_named(
    published: Path, root: Path, toy: Toy, capsys: pytest.CaptureFixture[str]
):
    with serve(published) as (address, _):
        toy(address)
        sources.fetch("toy_set", root)
        (root / "toy_set" / "one.bin").write_bytes(b"damaged")
        sources.fetch("toy_set", root)
    assert (root / "toy_set" / "one.bin").read_bytes() == FILES["one.bin"]
    assert f"{root / 'toy_set' / 'one.bin'}: wrong checksum" in capsys.readouterr().err


def test_a_damaged_file_is_not_silently_replaced_by_a_stand_in(root: Path):
    (root / "toy_set").mkdir(parents=True)
    (root / "toy_set" / "one.bin").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"one\.bin: wrong checksum.*or delete it"):
        sources.fetch("toy_set", root)
    assert snapshot(root) == {"toy_set/one.bin": b"damaged"}


def test_an_unknown_data_set_is_answered_with_the_nearest_name(root: Path):
    with pytest.raises(UserError, match="'mnits' is not a data set: did you mean 'mnist'"):
        sources.fetch("mnits", root)


def test_a_folder_that_cannot_be_written_is_named(published: Path, tmp_path: Path, toy: Toy):
    (tmp_path / "file").write_bytes(b"")
    with serve(published) as (address, _):
        toy(address)
        with pytest.raises(UserError, match=f"{tmp_path / 'file'}.*: Not a directory; make it"):
            sources.fetch("toy_set", tmp_path / "file")


def test_a_mirror_that_does_not_exist_is_the_users_mistake(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"DATA_MIRROR=.*none: no such folder"):
        sources.fetch("toy_set", root)


def test_every_source_is_complete():
    for name, entry in sources.SOURCES.items():
        assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in entry.files.values())
        assert len(entry.addresses) >= 2 or name == "toy_set"
        assert all("{file}" in address for address in entry.addresses)
        assert entry.licence
        assert entry.citation
