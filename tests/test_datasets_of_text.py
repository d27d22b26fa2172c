"""What is read of texts, pairs and dated series, and that no damaged file is read as data."""

import io
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets import DATASETS
from pipeline.data.sets._base import BadFileError, LabelledSentence, Pair, TaggedSentence
from pipeline.data.sources import SOURCES, fetch

OF = Provenance("a", "A test", "", True, {}, 1, "items", "", "", "")
NAMES = sorted(set(SOURCES) - {"mnist", "tiny_shakespeare", "sunspots"})
PLAY, ADD = "train_PlayMusic_full.json", "train_AddToPlaylist_full.json"


def read(name: str, folder: Path) -> Any:
    """Return what is read from the files of a folder."""
    return DATASETS[name]().read(folder, OF)


def packed(text: bytes, member: str = "spa-eng/spa.txt") -> bytes:
    """Return an archive of one text."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, text)
    return file.getvalue()


def conllu(*rows: str) -> bytes:
    """Return a sentence of words with tags."""
    pairs = [row.split("/") for row in rows]
    lines = [f"{i}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_" for i, (word, tag) in enumerate(pairs, 1)]
    return "\n".join([*lines, "", ""]).encode()


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a root folder with files of every data set of this kind, most of them generated."""
    root = tmp_path_factory.mktemp("stand_ins")
    for name in NAMES:
        (root / name).mkdir()
        if embedded := SOURCES[name].embedded:
            embedded.write(root / name)
        else:
            fetch(name, root)
    return root


@pytest.fixture
def whole(stand_ins: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies the files of a data set."""
    return lambda name: Path(shutil.copytree(stand_ins / name, tmp_path / name))


def test_a_line_end_is_a_token_and_an_empty_line_has_one(whole: Callable[[str], Path]):
    folder = whole("wikitext2")
    text = " \n = Robert <unk> = \n \n Teddy 's @-@ role\u2028on \x85 é . \n"
    (folder / "wiki.test.tokens").write_bytes(text.encode())
    expected = "<eos> = Robert <unk> = <eos> <eos> Teddy 's @-@ role on é . <eos>"
    assert read("wikitext2", folder).test == tuple(expected.split())


def test_ranges_and_empty_nodes_are_no_words(whole: Callable[[str], Path]):
    folder = whole("ewt")
    lines = [
        "# text = I don't",
        "1\tI\ti\tPRON\t_\t_\t3\tnsubj\t_\t_",
        "2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_",
        "2\tdo\tdo\tAUX\t_\t_\t0\troot\t_\t_",
        "3\tn't\tnot\tPART\t_\t_\t2\tadvmod\t_\t_",
        "3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_",
    ]
    (folder / "en_ewt-ud-test.conllu").write_text("\n".join([*lines, "", ""]) * 2)
    sentence = TaggedSentence(("I", "do", "n't"), ("PRON", "AUX", "PART"))
    assert read("ewt", folder).test == (sentence, sentence)


def test_words_and_tags_are_those_that_the_library_for_conllu_reads(whole: Callable[[str], Path]):
    import conllu as library

    folder = whole("ewt")
    if mirror := os.environ.get("DATA_MIRROR"):
        folder = Path(mirror, "ud-english-ewt")
    for part, name in (("valid", "dev"), ("test", "test")):
        text = (folder / f"en_ewt-ud-{name}.conllu").read_text(encoding="utf-8")
        expected = [
            [(token["form"], token["upos"]) for token in sentence if isinstance(token["id"], int)]
            for sentence in library.parse(text, fields=["id", "form", "lemma", "upos"])
        ]
        got = getattr(read("ewt", folder), part)
        assert [list(zip(s.words, s.tags, strict=True)) for s in got] == expected


def test_requests_are_their_pieces_in_a_row_and_halves_of_a_character_are_joined(
    whole: Callable[[str], Path],
):
    folder = whole("snips")
    text = '{"PlayMusic": [{"data": [{"text": "play "}, {"text": "Música ?", "entity": "x"}]}]}'
    (folder / PLAY).write_bytes(text.encode().replace(b"?", b"\xed\xa0\xbc\xed\xbd\x95"))
    requests = read("snips", folder)
    assert LabelledSentence("play Música \N{SLICE OF PIZZA}", "PlayMusic") in requests.train
    assert len(requests.labels) == 7


def test_a_question_may_go_over_lines_and_has_commas_and_quotes(whole: Callable[[str], Path]):
    folder = whole("banking77")
    (folder / "test.csv").write_bytes(
        b'text,category\r\n"Why, oh ""why""?\nHelp!",late_card\r\nWhere?,late_pin\r\n'
    )
    assert read("banking77", folder).test == (
        LabelledSentence('Why, oh "why"?\nHelp!', "late_card"),
        LabelledSentence("Where?", "late_pin"),
    )


def test_pairs_that_share_a_side_over_others_go_into_one_part(tmp_path: Path):
    groups = [
        [f"a{i}\tx{i}", f"a{i}\ty{i}", f"b{i}\ty{i}", f"b{i}\tz{i}", f"c{i}\tz{i}"]
        for i in range(200)
    ]
    lines = [line for lines in zip(*groups, strict=True) for line in lines]
    (tmp_path / "spa-eng.zip").write_bytes(packed("".join(f"{x}\n" for x in lines).encode()))
    pairs = read("spa_eng", tmp_path)
    for part in (pairs.train, pairs.valid, pairs.test):
        assert set(Counter(pair.source[1:] for pair in part).values()) == {5}
        assert list(part) == [
            Pair(*line.split("\t")) for line in lines if Pair(*line.split("\t")) in set(part)
        ]
    assert sum(map(len, (pairs.train, pairs.valid, pairs.test))) == 1000
    assert len(pairs.train) > 800


def test_a_groups_part_depends_on_the_group_alone(tmp_path: Path):
    def part_of_each(numbers: range) -> dict[str, str]:
        text = "".join(f"english {i}\tspanish {i}\n" for i in numbers)
        (tmp_path / "spa-eng.zip").write_bytes(packed(text.encode()))
        pairs = read("spa_eng", tmp_path)
        return {p.source: part for part in ("train", "test") for p in getattr(pairs, part)}

    few, all_of_them = part_of_each(range(200)), part_of_each(range(400))
    assert few.items() <= all_of_them.items()


def test_a_target_is_unseen_where_no_training_pair_has_its_letters(tmp_path: Path):
    numbers = range(400)
    lines = [f"Go {i}!\t¡Ve {'tú' if i % 2 else i}{'.' * (i + 1)}\n" for i in numbers]
    (tmp_path / "spa-eng.zip").write_bytes(packed("".join(lines).encode()))
    pairs = read("spa_eng", tmp_path)
    expected = ["tú" not in pair.target for pair in pairs.test]
    assert pairs.unseen_N.tolist() == expected
    assert {True, False} == set(expected)


def test_the_dated_series_are_cut_where_the_literature_cuts_them(whole: Callable[[str], Path]):
    spots = read("yearly_sunspots", whole("yearly_sunspots"))
    assert (spots.first, spots.per_year) == (1700, 1)
    assert (len(spots.train_N), len(spots.held_out_N)) == (221, 88)
    assert (spots.train_N[0], spots.train_N[-1], spots.held_out_N[0]) == (5, 37.6, 26.1)
    assert spots.held_out_N[-1].item() == pytest.approx(2.9)
    sea = read("el_nino", whole("el_nino"))
    assert (sea.first, sea.per_year) == (1950, 12)
    assert (len(sea.train_N), len(sea.held_out_N)) == (51 * 12, 10 * 12)
    assert (sea.train_N[0], sea.train_N[12]) == (23.11, 24.19)
    assert sea.train_N.dtype == torch.float64


def test_the_series_are_statsmodels_own_copy_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from statsmodels.datasets import elnino, sunspots

    monkeypatch.delenv("DATA_MIRROR", raising=False)
    for name, module in (("yearly_sunspots", sunspots), ("el_nino", elnino)):
        of = fetch(name, tmp_path, offline="error")
        assert not of.embedded
        assert all("statsmodels" in origin for origin in of.origins.values())
        series = DATASETS[name]().load(tmp_path)
        table = module.load_pandas().data.drop(columns="YEAR").to_numpy()
        together_N = torch.cat([series.train_N, series.held_out_N])
        assert torch.equal(together_N, torch.as_tensor(table.reshape(-1).copy()))


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
        "en_ewt-ud-test.conllu",
        conllu("caf\xe9/NOUN").decode().encode("latin-1"),
        "not UTF-8",
    ),
    ("ewt", "en_ewt-ud-test.conllu", b"1\tI\tPRON\n\n", "line 1 has 3 columns, not 10"),
    ("ewt", "en_ewt-ud-test.conllu", b"# nothing\n\n", "no sentences in it"),
    (
        "ewt",
        "en_ewt-ud-test.conllu",
        conllu("a/DET", "b/GERUND"),
        "tag 'GERUND', which en_ewt-ud-t",
    ),
    (
        "ewt",
        "en_ewt-ud-test.conllu",
        conllu("a/DET", "b/NOUN").replace(b"2\t", b"3\t"),
        "line 2: word 3 comes after word 1",
    ),
    ("snips", ADD, b"", "no sound JSON, expecting value in line 1"),
    ("snips", ADD, lambda f: f[:-40], "no sound JSON"),
    ("snips", ADD, '{"AddToPlaylist": "é"}'.encode("latin-1"), "not UTF-8, byte 19 is 0xe9"),
    ("snips", PLAY, lambda f: f[:-40], "no sound JSON"),
    ("snips", PLAY, b'{"PlayMusic": "\xed\xa0\xbc"}', "not UTF-8, byte 15 is 0xed"),
    ("snips", PLAY, b'{"RateBook": []}', "not the requests of PlayMusic"),
    ("snips", "validate_RateBook.json", b"[1]", "not the requests of RateBook"),
    ("snips", "validate_RateBook.json", b'{"RateBook": []}', "no list of requests in it"),
    ("snips", "validate_RateBook.json", b'{"RateBook": 7}', "no list of requests in it"),
    (
        "snips",
        "validate_RateBook.json",
        b'{"RateBook": [{"data": [{"text": "a"}]}, {"data": [{"txt": "a"}]}]}',
        "request 2 is no list of pieces of text",
    ),
    (
        "snips",
        "validate_RateBook.json",
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
    whole: Callable[[str], Path],
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
    tried = {name: " ".join(says for of, *_, says in DAMAGE if of == name) for name in SOURCES}
    for name in NAMES:
        assert "UTF-8" in tried[name], "mis-encoded"
        assert sum(of == name for of, *_ in DAMAGE) >= 3, "empty, cut short, altered"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Return a function that fetches a data set from the mirror and loads it, once."""
    if not os.environ.get("DATA_MIRROR"):
        pytest.skip("DATA_MIRROR names no copy of the real data")
    root, known = tmp_path_factory.mktemp("real"), dict[str, Any]()

    def load(name: str) -> Any:
        if name not in known:
            of = fetch(name, root, offline="error")
            known[name] = DATASETS[name]().load(root)
            assert known[name].provenance == of
        return known[name]

    return load


def test_the_real_wikitext_2_has_the_tokens_that_perplexity_is_taken_over(real):
    words = real("wikitext2")
    sizes = [len(part) for part in (words.train, words.valid, words.test)]
    assert sizes == [2_088_628, 217_646, 245_569]
    assert len(set(words.train)) == 33_278
    assert not (set(words.valid) | set(words.test)) - set(words.train)
    assert round(words.test.count("<unk>") / sizes[2], 3) == 0.062
    assert words.provenance.count == sizes[0]


def test_the_real_treebank_has_the_words_that_its_readme_counts(real):
    text = real("ewt")
    parts = text.train, text.valid, text.test
    assert [len(part) for part in parts] == [12_544, 2_001, 2_077]
    assert [sum(len(s.words) for s in part) for part in parts] == [204_577, 25_147, 25_094]
    known = {word for sentence in text.train for word in sentence.words}
    tested = [word for sentence in text.test for word in sentence.words]
    assert len(known) == 19_674
    assert round(100 * sum(word not in known for word in tested) / len(tested), 2) == 9.13
    sentences = {sentence.words for sentence in text.train}
    assert sum(sentence.words in sentences for sentence in text.test) == 94
    assert len(text.tags) == 17


def test_the_real_snips_has_seven_hundred_requests_to_test_on(real):
    text = real("snips")
    assert (len(text.train), len(text.test), len(text.labels)) == (13_784, 700, 7)
    assert text.provenance.count == len(text.train)
    assert set(Counter(sentence.label for sentence in text.test).values()) == {100}
    played = " ".join(sentence.text for sentence in text.train if sentence.label == "PlayMusic")
    assert "Música Da Série" in played
    assert "Pop Punk Perfection \N{SLICE OF PIZZA}" in played
    assert "Ã" not in played


def test_the_real_banking77_has_seventy_seven_kinds_and_line_breaks_in_quotes(real):
    text = real("banking77")
    assert (len(text.train), len(text.test), len(text.labels)) == (10_003, 3_080, 77)
    assert any("\n" in sentence.text for sentence in text.train)
    assert set(Counter(sentence.label for sentence in text.test).values()) == {40}


def test_the_real_pairs_share_no_sentence_of_either_side_between_the_parts(real):
    pairs = real("spa_eng")
    parts = pairs.train, pairs.valid, pairs.test
    assert sum(map(len, parts)) == pairs.provenance.count == 118_964
    assert len({pair.source for part in parts for pair in part}) == 102_904
    for side in ("source", "target"):
        train, valid, test = ({getattr(pair, side) for pair in part} for part in parts)
        assert not test & train
        assert not valid & train
        assert not test & valid
    assert min(len(pairs.valid), len(pairs.test)) > 5_000
    assert len(pairs.unseen_N) == len(pairs.test)
    assert 0 < (~pairs.unseen_N).sum() < 100


def test_the_real_series_have_the_years_that_the_literature_has(real):
    assert len(real("yearly_sunspots").train_N) + len(real("yearly_sunspots").held_out_N) == 309
    assert len(real("el_nino").train_N) + len(real("el_nino").held_out_N) == 61 * 12
    assert real("yearly_sunspots").provenance.count == 309
    assert real("el_nino").provenance.count == 732
