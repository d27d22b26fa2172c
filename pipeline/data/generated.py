"""Texts generated from grammars of our own: stand-ins, never shown under another name.

Each is written in the file format of the data set that it stands in for, from a fixed seed, the
same bytes on every machine. What is learned from them says nothing of English: they let what reads
a data set run where there is no network.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.data.embedded import Embedded
from pipeline.data.grammar import Grammar, Word, written

SENTENCES = {"train": 2000, "dev": 250, "test": 250}
PAGES = {"train": 500, "valid": 50, "test": 50}
REQUESTS = {"train": 150, "validate": 30}
QUESTIONS = {"train": 600, "test": 200}
PAIRS = 6000
REGULARS = 200
"""Names there are; the training pages tell of each, so a test part has no unknown word."""
DAY = (2000, 1, 1, 0, 0, 0)
"""The time of what has none, in archives."""

FORMS: Mapping[str, Sequence[str]] = {
    "AddToPlaylist": ("add {song} to my {kind} playlist", "put {song} by {name} on {name} list"),
    "BookRestaurant": ("book a table for {number} in {place}", "reserve a {kind} bar near {place}"),
    "GetWeather": ("will it be {weather} in {place}", "what is the weather in {place} {day}"),
    "PlayMusic": ("play {song} by {name}", "i want to hear {kind} music by {name}"),
    "RateBook": ("give {song} {number} stars", "rate the {kind} book {song} {number} of six"),
    "SearchCreativeWork": ("find the show {song}", "where can i see the {kind} book {song}"),
    "SearchScreeningEvent": ("when is {song} playing in {place}", "find {kind} movies {day}"),
}
"""What a request of each intent is made of; a word in brackets is a slot."""
SLOTS: Mapping[str, Sequence[str]] = {
    "kind": ("happy", "quiet", "old", "new", "long", "famous", "local"),
    "number": ("two", "three", "four", "five", "one"),
    "weather": ("cold", "warm", "windy", "rainy", "snowing"),
    "day": ("today", "tomorrow", "on monday", "this evening", "next week"),
}
THINGS = ("card", "account", "transfer", "pin", "refund", "fee", "limit")
BEFORE, AFTER = ("", "Hello, ", "Please help me: "), ("", " Thanks!", " I need it today.")
WISHES: Mapping[str, Sequence[str]] = {
    "cancel": ("How do I cancel my {}?", "I do not want the {} any more, please stop it."),
    "explain": ("Why is there a {} that I do not know?", "What does this {}\nmean?"),
    "late": ("My {} is still not here.", "How long must I wait for the {}?"),
    "wrong": ("Something is wrong with my {}!", "The {} you show, I think, is not right."),
}
"""How each wish is put; the kind of a question is a wish and a thing."""


def _pages(folder: Path) -> int:
    """Write pages as WikiText-2's files; return the number of training tokens, line ends too."""
    grammar = Grammar(1)
    regulars = list(dict.fromkeys(grammar.name() for _ in range(REGULARS)))
    tokens = 0
    for part, pages in PAGES.items():
        lines = [line for page in range(pages) for line in _page(grammar, regulars, page)]
        text = "".join(f" {line} \n" if line else " \n" for line in lines)
        (folder / f"wiki.{part}.tokens").write_bytes(text.encode())
        tokens = tokens or len(text.split()) + len(lines)
    return tokens


def _page(grammar: Grammar, regulars: Sequence[str], page: int) -> Iterator[str]:
    """Iterate over the lines of a page about someone, who is named in it more often than others."""
    hero = regulars[page % len(regulars)]
    grammar.names = (hero, hero, *regulars)
    yield from ("", f"= {hero} =", "")
    for _ in range(1 + grammar.chance(0.5)):
        sentences = [grammar.sentence() for _ in range(3 + 4 * grammar.chance(0.5))]
        yield " ".join(word.text for sentence in sentences for word in sentence.words)


def _tagged(folder: Path) -> int:
    """Write sentences as the treebank's files; return the number for training."""
    grammar = Grammar(2)
    for part, size in SENTENCES.items():
        blocks = "".join(_block(grammar.sentence().words) for _ in range(size))
        (folder / f"en_ewt-ud-{part}.conllu").write_bytes(blocks.encode())
    return SENTENCES["train"]


def _block(words: Sequence[Word]) -> str:
    """Return a sentence in CoNLL-U, its contractions announced as ranges."""
    lines = [f"# text = {written([word.text for word in words])}"]
    for number, (text, tag) in enumerate(words, 1):
        if words[number : number + 1] == [Word("n't", "PART")]:
            lines.append("\t".join([f"{number}-{number + 1}", f"{text}n't", *"________"]))
        lines.append("\t".join([str(number), text, "_", tag, *"______"]))
    return "\n".join([*lines, "", ""])


def _requests(folder: Path) -> int:
    """Write requests as the fourteen files of SNIPS; return the number for training."""
    grammar = Grammar(3)
    for intent, forms in FORMS.items():
        for part, size in REQUESTS.items():
            said = [{"data": _pieces(grammar, grammar.one_of(forms))} for _ in range(size)]
            name = f"{part}_{intent}{'_full' if part == 'train' else ''}.json"
            (folder / name).write_bytes(json.dumps({intent: said}, indent=2).encode())
    return REQUESTS["train"] * len(FORMS)


def _pieces(grammar: Grammar, form: str) -> list[dict[str, str]]:
    """Return a request as pieces of text, those that fill a slot with its name."""
    pieces: list[dict[str, str]] = []
    for place, part in enumerate(form.replace("}", "{").split("{")):
        if place % 2:
            filled = grammar.one_of(SLOTS[part]) if part in SLOTS else grammar.name()
            pieces.append({"text": filled, "entity": part})
        elif part:
            pieces.append({"text": part})
    return pieces


def _questions(folder: Path) -> int:
    """Write questions as the two files of Banking77; return the number for training."""
    grammar = Grammar(4)
    for part, size in QUESTIONS.items():
        table = io.StringIO(newline="")
        lines = csv.writer(table, lineterminator="\r\n")
        lines.writerow(["text", "category"])
        for number in range(size):
            wish, thing = list(WISHES)[number % len(WISHES)], THINGS[number % len(THINGS)]
            asked = grammar.one_of(WISHES[wish]).format(thing)
            text = grammar.one_of(BEFORE) + asked + grammar.one_of(AFTER)
            lines.writerow([text, f"{wish}_{thing}"])
        (folder / f"{part}.csv").write_bytes(table.getvalue().encode())
    return QUESTIONS["train"]


def _pairs(folder: Path) -> int:
    """Write sentences and their translations as the archive of pairs; return how many."""
    grammar, lines = Grammar(5), dict[str, None]()
    while len(lines) < PAIRS:
        sentence = grammar.sentence()
        english = written([word.text for word in sentence.words])
        lines[f"{english}\t{written(sentence.toy)}"] = None
    text = "".join(f"{line}\n" for line in sorted(lines, key=len))
    with zipfile.ZipFile(folder / "spa-eng.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("spa-eng/spa.txt", DAY), text.encode())
    return PAIRS


def _embedded(title: str, unit: str, write: Callable[[Path], int]) -> Embedded:
    return Embedded(
        title=title,
        unit=unit,
        address="pipeline.data.generated",
        licence="MIT, as the laboratory itself",
        citation="Generated by the laboratory from a small grammar, pipeline/data/grammar.py.",
        write=write,
    )


GENERATED_PAGES = _embedded("pages generated from a small grammar", "training tokens", _pages)
GENERATED_TAGS = _embedded(
    "tagged sentences generated from a small grammar", "training sentences", _tagged
)
GENERATED_REQUESTS = _embedded(
    "requests generated from a small grammar", "training requests", _requests
)
GENERATED_QUESTIONS = _embedded(
    "questions generated from a small grammar", "training questions", _questions
)
GENERATED_PAIRS = _embedded(
    "sentences generated from a small grammar and their translations into a toy language",
    "pairs of sentences",
    _pairs,
)
