"""Generated stand-ins keep to their grammar and to the form of what they stand in for."""

import json
from pathlib import Path

import pytest

from pipeline.data import grammar
from pipeline.data.grammar import Grammar, written
from pipeline.data.provenance import Provenance
from pipeline.data.sets import DATASETS
from pipeline.data.sources import SOURCES

GENERATED = {
    name: entry.embedded
    for name, entry in SOURCES.items()
    if entry.embedded and entry.embedded.address == "pipeline.data.generated"
}
WORDS = (
    *(*grammar.NOUNS, *grammar.ALONE, *grammar.WITH_OBJECT, *grammar.ADJECTIVES, *grammar.ADVERBS),
    *(*grammar.PLACES, *grammar.PRONOUNS, *grammar.SINGULAR, *grammar.PLURAL, *grammar.NUMBERS),
    *(*grammar.JOINING, *grammar.REASONS),
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory):
    """Return what is read from each stand-in."""
    read = {}
    for name, embedded in GENERATED.items():
        folder = tmp_path_factory.mktemp(name)
        count = embedded.write(folder)
        of = Provenance(name, embedded.title, "a test", True, {}, count, embedded.unit, "", "", "")
        read[name] = DATASETS[name]().read(folder, of)
    return read


def test_every_set_of_texts_has_a_generated_stand_in_that_is_called_so():
    assert set(GENERATED) == {"wikitext2", "ewt", "snips", "banking77", "spa_eng"}
    for embedded in GENERATED.values():
        assert "generated from a small grammar" in embedded.title
        assert "grammar.py" in embedded.citation
    assert "toy language" in GENERATED["spa_eng"].title


def test_no_two_english_words_have_one_stem_in_the_toy_language():
    words = sorted(set(WORDS))
    assert len({grammar.stem(word) for word in words}) == len(words)


def test_the_same_seed_draws_the_same_sentences_and_another_does_not():
    drawn = [[of.sentence() for _ in range(3)] for of in map(Grammar, (1, 1, 2))]
    assert drawn[0] == drawn[1] != drawn[2]
    assert [written([word.text for word in sentence.words]) for sentence in drawn[0][:2]] == [
        "Do some gardens near the cat want Nulela slowly?",
        "The dogs hear Sozito here.",
    ]


def test_verbs_agree_with_the_first_noun_of_their_subject_over_what_stands_between():
    of, met = Grammar(7), 0
    for _ in range(2000):
        words = of.sentence().words
        tags = [tag for _, tag in words]
        if tags[:5] != ["DET", "NOUN", "ADP", "DET", "NOUN"] or tags[5] != "VERB":
            continue
        met += 1
        assert words[1].text.endswith("s") != words[5].text.endswith("s")
    assert met > 20


def test_the_toy_language_puts_verbs_last_and_has_one_translation_of_each_sentence():
    of, translations = Grammar(8), dict[str, str]()
    for _ in range(500):
        sentence = of.sentence()
        english, toy = written([w.text for w in sentence.words]), written(sentence.toy)
        assert translations.setdefault(english, toy) == toy
        assert toy.rstrip(".?")[-1] in "éá"
        assert toy.startswith("¿") == toy.endswith("?") == english.endswith("?")


def test_the_pages_have_lines_of_their_form_and_no_word_of_a_test_part_is_unknown(loaded):
    words = loaded["wikitext2"]
    assert not (set(words.valid) | set(words.test)) - set(words.train)
    assert words.provenance.count == len(words.train)
    assert "<unk>" not in words.train
    assert words.train[:2] == ("<eos>", "=")


def test_the_tagged_sentences_have_words_of_two_tags_and_unknown_words(loaded):
    text = loaded["ewt"]
    pairs = {pair for s in text.train for pair in zip(s.words, s.tags, strict=True)}
    assert {("walk", "NOUN"), ("walk", "VERB"), ("light", "ADJ"), ("light", "NOUN")} <= pairs
    known = {word for word, _ in pairs}
    tested = [word for sentence in text.test for word in sentence.words]
    assert 0.02 < sum(word not in known for word in tested) / len(tested) < 0.1


def test_contractions_are_ranges_whose_words_are_read_one_by_one(loaded):
    sentence = next(s for s in loaded["ewt"].train if "n't" in s.words)
    place = sentence.words.index("n't")
    assert sentence.words[place - 1] in {"do", "does"}
    assert sentence.tags[place - 1 : place + 1] == ("AUX", "PART")
    assert not any("n't" in word for s in loaded["ewt"].train for word in s.words if word != "n't")


def test_the_requests_slots_are_marked_as_in_the_published_files(tmp_path: Path):
    GENERATED["snips"].write(tmp_path)
    said = json.loads((tmp_path / "train_GetWeather_full.json").read_text())["GetWeather"]
    pieces = [piece for request in said for piece in request["data"]]
    assert {piece.get("entity") for piece in pieces} == {None, "weather", "place", "day"}


def test_the_questions_have_quoted_line_breaks_and_a_kind_for_each_wish_and_thing(loaded):
    text = loaded["banking77"]
    assert any("\n" in sentence.text for sentence in text.train)
    assert len(text.labels) == 28


def test_the_pairs_are_split_in_three_without_a_sentence_of_either_side_in_two_parts(loaded):
    pairs = loaded["spa_eng"]
    assert min(len(pairs.valid), len(pairs.test)) > 200
    assert any("¿" in pair.target for pair in pairs.test)
    assert any("á" in pair.target for pair in pairs.test)
