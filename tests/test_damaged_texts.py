"""No damaged file of a text or a dated series is read as data."""

from collections.abc import Callable

import pytest

from pipeline.data.sets._base import BadFileError
from tests.texts import NAMES, Whole, packed, read

PLAY, ADD = "train_PlayMusic_full.json", "train_AddToPlaylist_full.json"
RATED = "validate_RateBook.json"
TESTED = "en_ewt-ud-test.conllu"


def conllu(*rows: str) -> bytes:
    """Return a sentence of words with tags."""
    pairs = [row.split("/") for row in rows]
    lines = [f"{i}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_" for i, (word, tag) in enumerate(pairs, 1)]
    return "\n".join([*lines, "", ""]).encode()


DAMAGE: list[tuple[str, str, bytes | Callable[[bytes], bytes], str]] = [
    ("wikitext2", "wiki.train.tokens", b"", "cut short, its last line has no end"),
    ("wikitext2", "wiki.test.tokens", lambda f: f[:-30], "cut short, its last line has no end"),
    ("wikitext2", "wiki.test.tokens", b" a \n \xe9 \n", "not UTF-8, byte 5 is 0xe9"),
    ("wikitext2", "wiki.valid.tokens", b" \n \n", "no words in it"),
    ("ewt", "en_ewt-ud-train.conllu", b"", "cut short, its last line has no end"),
    ("ewt", "en_ewt-ud-dev.conllu", lambda f: f[:-8], "cut short, its last line has no end"),
    ("ewt", "en_ewt-ud-dev.conllu", lambda f: f[:-1], "cut short, no empty line ends its last"),
    (
        "ewt",
        TESTED,
        conllu("caf\xe9/NOUN").decode().encode("latin-1"),
        "not UTF-8",
    ),
    ("ewt", TESTED, b"1\tI\tPRON\n\n", "line 1 has 3 columns, not 10"),
    ("ewt", TESTED, b"# nothing\n\n", "no sentences in it"),
    (
        "ewt",
        TESTED,
        conllu("a/DET", "b/GERUND"),
        "tag 'GERUND', which en_ewt-ud-t",
    ),
    (
        "ewt",
        TESTED,
        conllu("a/DET", "b/NOUN").replace(b"2\t", b"3\t"),
        "line 2: word 3 comes after word 1",
    ),
    ("snips", ADD, b"", "no sound JSON, expecting value in line 1"),
    ("snips", ADD, lambda f: f[:-40], "no sound JSON"),
    ("snips", ADD, '{"AddToPlaylist": "é"}'.encode("latin-1"), "not UTF-8, byte 19 is 0xe9"),
    ("snips", PLAY, lambda f: f[:-40], "no sound JSON"),
    ("snips", PLAY, b'{"PlayMusic": "\xed\xa0\xbc"}', "not UTF-8, byte 15 is 0xed"),
    ("snips", PLAY, b'{"RateBook": []}', "not the requests of PlayMusic"),
    ("snips", RATED, b"[1]", "not the requests of RateBook"),
    ("snips", RATED, b'{"RateBook": []}', "no list of requests in it"),
    ("snips", RATED, b'{"RateBook": 7}', "no list of requests in it"),
    (
        "snips",
        RATED,
        b'{"RateBook": [{"data": [{"text": "a"}]}, {"data": [{"txt": "a"}]}]}',
        "request 2 is no list of pieces of text",
    ),
    (
        "snips",
        RATED,
        b'{"RateBook": [{"data": [{"text": " "}]}]}',
        "request 1 is empty",
    ),
    ("banking77", "train.csv", b"", "its header is '', not 'text,category'"),
    ("banking77", "test.csv", b"text,category\n", "no questions in it"),
    ("banking77", "test.csv", b"a,late_card\nb,late_pin\n", "its header is 'a,late_card'"),
    ("banking77", "test.csv", b"text,category\na,late_card\nb\n", "line 3 is no text and its cat"),
    ("banking77", "test.csv", b"text,category\na,late_card\n,late_pin\n", "line 3 is no text and"),
    ("banking77", "test.csv", b'text,category\na,late_card\n"b', "line 3: unexpected end of data"),
    (
        "banking77",
        "test.csv",
        b"text,category\n\x93a\x94,late_card\n",
        "not UTF-8, byte 14 is 0x93",
    ),
    ("banking77", "test.csv", b"text,category\na,lost\n", "category 'lost', which train.csv lacks"),
    ("spa_eng", "spa-eng.zip", b"", "not a sound zip file"),
    ("spa_eng", "spa-eng.zip", lambda f: f[:-30], "not a sound zip file"),
    (
        "spa_eng",
        "spa-eng.zip",
        lambda f: f.replace(b"dog", b"god", 1),
        "not a sound zip file .Bad C",
    ),
    ("spa_eng", "spa-eng.zip", packed(b"a\tb\n", "fra.txt"), "there is no spa-eng/spa.txt in it"),
    ("spa_eng", "spa-eng.zip", packed(b"Go.\tVe.\nGo."), "cut short, its last line has no end"),
    ("spa_eng", "spa-eng.zip", packed(b"Go.\tVe.\nGo.\n"), "line 2 is no pair of sentences"),
    ("spa_eng", "spa-eng.zip", packed(b"Go.\t\n"), "line 1 is no pair of sentences"),
    ("spa_eng", "spa-eng.zip", packed(b"Go.\tVet\xe9.\n"), "not UTF-8, byte 7 is 0xe9"),
    ("spa_eng", "spa-eng.zip", packed(b"Go.\tVe.\n"), "1 pairs, too few to be cut in three"),
    ("yearly_sunspots", "sunspots.csv", b"", "its header is '', not 'YEAR,SUNACTIVITY'"),
    (
        "yearly_sunspots",
        "sunspots.csv",
        lambda f: f[:-90],
        "is not .* and its values|years, not tho",
    ),
    (
        "yearly_sunspots",
        "sunspots.csv",
        lambda f: f.replace(b"1701,11", b"1701,1l"),
        "line 3 is not",
    ),
    (
        "yearly_sunspots",
        "sunspots.csv",
        lambda f: f.replace(b"1701,11", b"1701,nan"),
        "line 3 is n",
    ),
    (
        "yearly_sunspots",
        "sunspots.csv",
        lambda f: f.replace(b"1701,", b"1702,"),
        "line 3 is not 1701",
    ),
    ("yearly_sunspots", "sunspots.csv", lambda f: f + b"\xff", "not UTF-8"),
    ("yearly_sunspots", "sunspots.csv", lambda f: f + b'"2009', "line 311: unexpected end of data"),
    ("el_nino", "elnino.csv", lambda f: f[:-7], "line 62 is not 2010 and its values"),
    ("el_nino", "elnino.csv", lambda f: f[: f.index(b"2009")], "59 years, not those from 1950 to"),
    ("el_nino", "elnino.csv", lambda f: f.replace(b"23.1", b"\xbd", 1), "not UTF-8"),
    ("el_nino", "elnino.csv", lambda f: f.replace(b"DEC", b"DIC"), "its header is 'YEAR,JAN"),
]


@pytest.mark.parametrize(("name", "file", "damage", "says"), DAMAGE)
def test_a_damaged_file_is_named_with_what_is_wrong_in_one_line(
    whole: Whole,
    name: str,
    file: str,
    damage: bytes | Callable[[bytes], bytes],
    says: str,
):
    path = whole(name) / file
    path.write_bytes(damage if isinstance(damage, bytes) else damage(path.read_bytes()))
    with pytest.raises(BadFileError, match=says) as caught:
        read(name, path.parent)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_damage_of_every_kind_is_tried_on_every_set():
    tried = {name: " ".join(says for of, *_, says in DAMAGE if of == name) for name in NAMES}
    for name in NAMES:
        assert "UTF-8" in tried[name], "mis-encoded"
        assert sum(of == name for of, *_ in DAMAGE) >= 3, "empty, cut short, altered"
