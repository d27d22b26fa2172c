"""What is read from the files, and that no damaged file is read as data."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lightning_modules.registry import UnknownNameError
from pipeline.data.embedded import DIGITS, HELP_TEXTS, YEARLY_SUNSPOTS, Embedded
from pipeline.data.provenance import Provenance, digest, folder_of, record
from pipeline.data.sets import DATASETS
from pipeline.data.sources import SOURCES, fetch
from pipeline.errors import UserError

LABELS = "train-labels-idx1-ubyte.gz"
IMAGES = "train-images-idx3-ubyte.gz"
real = pytest.mark.skipif(
    "DATA_MIRROR" not in os.environ, reason="DATA_MIRROR names no copy of the real data"
)


def seal(name: str, root: Path) -> None:
    """Record the files as they are now as what was fetched."""
    folder = folder_of(name, root)
    files = {file: digest(folder / file) for file in SOURCES[name].files}
    record(folder, Provenance(name, "a test", "", True, files, 1, "items", "", "", ""))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root folder with the embedded stand-ins."""
    stand_ins: dict[str, Embedded] = {
        "mnist": DIGITS,
        "tiny_shakespeare": HELP_TEXTS,
        "sunspots": YEARLY_SUNSPOTS,
    }
    for name, embedded in stand_ins.items():
        folder_of(name, tmp_path).mkdir()
        embedded.write(folder_of(name, tmp_path))
        seal(name, tmp_path)
    return tmp_path


def test_every_data_set_has_a_source_and_every_source_a_data_set():
    assert set(DATASETS) == set(SOURCES)


def test_an_unknown_data_set_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="did you mean 'mnist'"):
        DATASETS["mnits"]


def test_the_digits_are_read_as_the_library_has_them(root: Path):
    from sklearn.datasets import load_digits

    x_NHW, y_N = load_digits(return_X_y=True)
    images = DATASETS["mnist"]().load(root)
    read_x_NHW = torch.cat([images.train_x_NHW, images.test_x_NHW])
    assert images.train_x_NHW.shape == (1500, 8, 8)
    assert images.test_x_NHW.shape == (297, 8, 8)
    assert read_x_NHW.dtype == torch.uint8
    np.testing.assert_allclose(read_x_NHW.reshape(-1, 64) / 255 * 16, x_NHW, atol=0.04)
    assert torch.equal(torch.cat([images.train_y_N, images.test_y_N]), torch.as_tensor(y_N))
    assert images.classes == 10


def test_the_text_is_cut_in_order_and_its_alphabet_spells_it(root: Path):
    text = DATASETS["tiny_shakespeare"]().load(root)
    written = (root / "tiny_shakespeare" / "input.txt").read_text(encoding="utf-8")
    ids_N = torch.cat([text.train_N, text.valid_N, text.test_N])
    assert "".join(text.alphabet[i] for i in ids_N) == written
    assert text.alphabet == "".join(sorted(set(written)))
    assert len(text.train_N) == len(written) * 90 // 100
    assert abs(len(text.valid_N) - len(text.test_N)) <= 1
    assert text.provenance.embedded


def damage_cut_short(packed: bytes) -> bytes:
    return packed[:-20]


def damage_no_gzip(packed: bytes) -> bytes:
    return gzip.decompress(packed)


def damage_magic(packed: bytes) -> bytes:
    return gzip.compress(b"\0\0\x09\x01" + gzip.decompress(packed)[4:])


def damage_count(packed: bytes) -> bytes:
    data = gzip.decompress(packed)
    return gzip.compress(data[:4] + (1501).to_bytes(4, "big") + data[8:])


def damage_fewer(packed: bytes) -> bytes:
    data = gzip.decompress(packed)
    return gzip.compress(data[:4] + (1499).to_bytes(4, "big") + data[8:-1])


def damage_header(packed: bytes) -> bytes:
    return gzip.compress(gzip.decompress(packed)[:5])


def damage_label(packed: bytes) -> bytes:
    return gzip.compress(gzip.decompress(packed)[:-1] + b"\x0b")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_cut_short, "cut short"),
        (damage_no_gzip, "not a sound gzip file"),
        (damage_magic, "its magic number is 2305, expected 2049"),
        (damage_count, "its header says 1501 items, 1500 follow"),
        (damage_fewer, "1499 labels for 1500 pictures"),
        (damage_header, "5 bytes, shorter than an IDX header of 8"),
        (damage_label, "label 11, expected 0 to 9"),
    ],
)
def test_a_damaged_idx_file_is_named_with_what_is_wrong_and_the_remedy(
    root: Path, damage: Callable[[bytes], bytes], says: str
):
    path = root / "mnist" / LABELS
    path.write_bytes(damage(path.read_bytes()))
    seal("mnist", root)
    with pytest.raises(UserError, match=says) as caught:
        DATASETS["mnist"]().load(root)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.endswith("delete it and fetch again: python -m pipeline fetch mnist")
    assert "\n" not in message


def test_labels_under_the_name_of_images_are_refused(root: Path):
    (root / "mnist" / IMAGES).write_bytes((root / "mnist" / LABELS).read_bytes())
    seal("mnist", root)
    with pytest.raises(UserError, match="its magic number is 2049, expected 2051"):
        DATASETS["mnist"]().load(root)


def test_a_text_that_is_not_utf_8_is_named_with_the_place(root: Path):
    path = root / "tiny_shakespeare" / "input.txt"
    path.write_bytes(b"To be or not t\xf6 be, that is the question")
    seal("tiny_shakespeare", root)
    with pytest.raises(UserError, match="not UTF-8, byte 14 is 0xf6; delete it and fetch again"):
        DATASETS["tiny_shakespeare"]().load(root)


def test_an_empty_text_is_refused(root: Path):
    (root / "tiny_shakespeare" / "input.txt").write_bytes(b"")
    seal("tiny_shakespeare", root)
    with pytest.raises(UserError, match="0 characters, too few"):
        DATASETS["tiny_shakespeare"]().load(root)


def test_a_data_set_that_was_not_fetched_says_how_to_fetch_it(tmp_path: Path):
    with pytest.raises(UserError, match="python -m pipeline fetch mnist") as caught:
        DATASETS["mnist"]().load(tmp_path)
    assert str(tmp_path / "mnist" / "provenance.json") in str(caught.value)


def test_a_file_that_changed_since_it_was_fetched_is_refused(root: Path):
    path = root / "mnist" / LABELS
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(UserError, match="not what was fetched; fetch it: python -m") as caught:
        DATASETS["mnist"]().load(root)
    assert str(caught.value).startswith(f"{path}: ")


def test_provenance_has_one_digest_that_any_file_changes(root: Path):
    provenance = DATASETS["mnist"]().load(root).provenance
    other = replace(provenance, files={**provenance.files, LABELS: "0" * 64})
    assert provenance.sha256 != other.sha256
    assert replace(provenance, licence="another").sha256 == provenance.sha256


@real
def test_the_real_mnist_has_its_published_size_mean_and_deviation(tmp_path: Path):
    assert fetch("mnist", tmp_path).count == 60_000
    images = DATASETS["mnist"]().load(tmp_path)
    x_NHW = images.train_x_NHW.double() / 255
    assert images.train_x_NHW.shape == (60_000, 28, 28)
    assert images.test_x_NHW.shape == (10_000, 28, 28)
    assert (round(float(x_NHW.mean()), 4), round(float(x_NHW.std()), 4)) == (0.1307, 0.3081)
    assert not images.provenance.embedded


@real
def test_the_real_tiny_shakespeare_has_its_published_size(tmp_path: Path):
    assert fetch("tiny_shakespeare", tmp_path).count == 1_115_394
    text = DATASETS["tiny_shakespeare"]().load(tmp_path)
    assert len(text.train_N) + len(text.valid_N) + len(text.test_N) == 1_115_394
    assert len(text.alphabet) == 65
    assert "".join(text.alphabet[i] for i in text.train_N[:14]) == "First Citizen:"
