"""What is read of texts, pairs and dated series, and what the real ones of them hold."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.data.sets import DATASETS
from pipeline.data.sets._base import LabelledSentence, Pair, TaggedSentence
from pipeline.data.sources import fetch
from tests.texts import Whole, packed, read


def test_a_line_end_is_a_token_and_an_empty_line_has_one(whole: Whole):
    folder = whole("wikitext2")
    text = " \n = Robert <unk> = \n \n Teddy 's @-@ role\u2028on \x85 é . \n"
    (folder / "wiki.test.tokens").write_bytes(text.encode())
    expected = "<eos> = Robert <unk> = <eos> <eos> Teddy 's @-@ role on é . <eos>"
    assert read("wikitext2", folder).test == tuple(expected.split())


def test_ranges_and_empty_nodes_are_no_words(whole: Whole):
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


def test_words_and_tags_are_those_that_the_library_for_conllu_reads(whole: Whole):
    import conllu as library

    folder = whole("ewt")
    mirrored = Path(os.environ.get("DATA_MIRROR", ""), "ud-english-ewt")
    if mirrored.is_dir():
        folder = mirrored
    for part, name in (("valid", "dev"), ("test", "test")):
        text = (folder / f"en_ewt-ud-{name}.conllu").read_text(encoding="utf-8")
        expected = [
            [(token["form"], token["upos"]) for token in sentence if isinstance(token["id"], int)]
            for sentence in library.parse(text, fields=["id", "form", "lemma", "upos"])
        ]
        got = getattr(read("ewt", folder), part)
        assert [list(zip(s.words, s.tags, strict=True)) for s in got] == expected


def test_requests_are_their_pieces_in_a_row_and_halves_of_a_character_are_joined(
    whole: Whole,
):
    folder = whole("snips")
    text = '{"PlayMusic": [{"data": [{"text": "play "}, {"text": "Música ?", "entity": "x"}]}]}'
    (folder / "train_PlayMusic_full.json").write_bytes(
        text.encode().replace(b"?", b"\xed\xa0\xbc\xed\xbd\x95")
    )
    requests = read("snips", folder)
    assert LabelledSentence("play Música \N{SLICE OF PIZZA}", "PlayMusic") in requests.train
    assert len(requests.labels) == 7


def test_a_question_may_go_over_lines_and_has_commas_and_quotes(whole: Whole):
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


def test_the_dated_series_are_cut_where_the_literature_cuts_them(whole: Whole):
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
