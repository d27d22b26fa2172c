"""A small grammar of English with tags, and a toy language into which its sentences translate.

    sentence  clause . | clause CCONJ clause . | clause SCONJ clause . | question
    clause    subject verb object | subject verb | subject do n't verb object | subject do n't verb
    question  do subject verb object ? | do subject verb ?
    subject   noun phrase | noun phrase ADP noun phrase
    object    noun phrase, and ADV after it in a third of all cases, as after a verb without one
    noun phrase  DET NOUN | DET ADJ NOUN | NUM NOUN | PRON | PROPN

The verb agrees with the subject's first noun, over whatever stands between; some words are nouns
and verbs; names are made of syllables, so that some are met for the first time in a test part. It
is no good English: there is no "an", and "he" is an object too.

The toy language is nobody's. Its verbs come last, after their adverb and object; its adjectives
follow their noun and end as it does (-o or -a, in the plural -on or -an); its verbs end in -é, in
the plural in -á; questions stand between ¿ and ?; names stay. A stem is made of syllables by a hash
of the English word. Every sentence has one translation.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

NOUNS = (
    *("dog", "girl", "teacher", "boat", "river", "cat", "farmer", "window", "letter", "sailor"),
    *("garden", "boy", "horse", "tree", "song", "doctor", "bird", "king", "stone", "market"),
    *("walk", "dance", "dream", "talk", "paint", "plan", "visit", "light"),
)
ALONE = ("sleep", "wait", "walk", "dance", "dream", "talk", "sing", "run")
WITH_OBJECT = ("see", "like", "find", "follow", "paint", "help", "visit", "plan", "want", "hear")
ADJECTIVES = ("old", "small", "red", "quiet", "happy", "young", "long", "green", "light", "cold")
ADVERBS = ("often", "slowly", "here", "quietly", "again", "today", "gladly")
PLACES = ("near", "behind", "under", "with", "from")
PRONOUNS = {"she": False, "he": False, "they": True, "we": True, "you": True}
"""Whether each is followed by a verb in the plural."""
SINGULAR, PLURAL = ("the", "a", "every", "this"), ("the", "some", "these", "many")
NUMBERS = ("two", "three", "seven")
JOINING, REASONS = ("and", "but", "or"), ("because", "while", "when")
ONSETS, VOWELS = "bdfgklmnprstvz", "aeiou"


class Word(NamedTuple):
    """A word and its universal tag."""

    text: str
    tag: str


@dataclass
class Phrase:
    """A phrase in English and in the toy language."""

    words: list[Word] = field(default_factory=list)
    toy: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Subject:
    """A noun phrase and what agrees with it."""

    phrase: Phrase
    plural: bool


class Grammar:
    """Sentences drawn one after another; the same ones for the same seed on every machine."""

    def __init__(self, seed: int):
        """Begin to draw."""
        self._random = random.Random(seed)
        self.names: Sequence[str] = ()
        """The names to draw from, the first ones most often; none makes new ones from syllables."""

    def chance(self, share: float) -> bool:
        """Be true in this share of all cases."""
        return self._random.random() < share

    def one_of(self, words: Sequence[str]) -> str:
        """Draw a word, the first ones more often: the n-th in proportion to 1 / (n + 2)."""
        weights = [1 / (rank + 3) for rank in range(len(words))]
        left = self._random.random() * sum(weights)
        for word, weight in zip(words, weights, strict=True):
            left -= weight
            if left < 0:
                return word
        return words[-1]

    def name(self) -> str:
        """Make a name."""
        syllables = [self._syllable() for _ in range(2 + self.chance(0.4))]
        return "".join(syllables).capitalize()

    def sentence(self) -> Phrase:
        """Draw a sentence, its full stop or question mark included."""
        if self.chance(0.2):
            asked = self._clause("question")
            return _capital(Phrase([*asked.words, Word("?", "PUNCT")], ["¿", *asked.toy, "?"]))
        said = self._clause()
        if self.chance(0.3):
            joined = self.chance(0.5)
            joining = self.one_of(JOINING if joined else REASONS)
            other = self._clause()
            said = Phrase(
                [*said.words, Word(joining, "CCONJ" if joined else "SCONJ"), *other.words],
                [*said.toy, stem(joining), *other.toy],
            )
        return _capital(Phrase([*said.words, Word(".", "PUNCT")], [*said.toy, "."]))

    def _clause(self, kind: str = "") -> Phrase:
        """Draw a clause, or a question without its mark."""
        subject = self._subject()
        denied = not kind and self.chance(0.15)
        with_object = self.chance(0.6)
        verb = self.one_of(WITH_OBJECT if with_object else ALONE)
        after = self._noun_phrase().phrase if with_object else Phrase()
        adverb = self.one_of(ADVERBS) if self.chance(1 / 3) else ""
        bare = subject.plural or denied or bool(kind)
        do = Word("do" if subject.plural else "does", "AUX")
        helped = [do, Word("n't", "PART")] if denied else []
        return Phrase(
            [
                *([do] if kind else []),
                *subject.phrase.words,
                *helped,
                Word(verb if bare else f"{verb}s", "VERB"),
                *after.words,
                *([Word(adverb, "ADV")] if adverb else []),
            ],
            [
                *subject.phrase.toy,
                *([stem(adverb)] if adverb else []),
                *after.toy,
                *(["nel"] if denied else []),
                stem(verb) + ("á" if subject.plural else "é"),
            ],
        )

    def _subject(self) -> Subject:
        """Draw a noun phrase, and in a quarter of all cases where it is."""
        of = self._noun_phrase()
        if not self.chance(0.25):
            return of
        place, there = self.one_of(PLACES), self._noun_phrase().phrase
        words = [*of.phrase.words, Word(place, "ADP"), *there.words]
        return Subject(Phrase(words, [*of.phrase.toy, *there.toy, stem(place)]), of.plural)

    def _noun_phrase(self) -> Subject:
        """Draw a noun phrase."""
        if self.chance(0.15):
            pronoun = self.one_of(tuple(PRONOUNS))
            word = Word(pronoun, "PRON")
            return Subject(Phrase([word], [stem(pronoun)]), PRONOUNS[pronoun])
        if self.chance(0.2):
            name = self.one_of(self.names) if self.names else self.name()
            return Subject(Phrase([Word(name, "PROPN")], [name]), plural=False)
        plural = self.chance(0.4)
        counted = plural and self.chance(0.3)
        first = self.one_of(NUMBERS if counted else PLURAL if plural else SINGULAR)
        noun, adjective = self.one_of(NOUNS), self.one_of(ADJECTIVES) if self.chance(0.35) else ""
        end = ending(noun) + ("n" if plural else "")
        return Subject(
            Phrase(
                [
                    Word(first, "NUM" if counted else "DET"),
                    *([Word(adjective, "ADJ")] if adjective else []),
                    Word(f"{noun}s" if plural else noun, "NOUN"),
                ],
                [
                    stem(first),
                    stem(noun) + end,
                    *([stem(adjective) + end] if adjective else []),
                ],
            ),
            plural,
        )

    def _syllable(self) -> str:
        return "".join(of[int(self._random.random() * len(of))] for of in (ONSETS, VOWELS))


def stem(word: str) -> str:
    """Return the toy language's stem for an English word."""
    digest = hashlib.sha256(word.encode()).digest()
    pattern = (ONSETS, VOWELS, ONSETS, VOWELS, ONSETS)
    return "".join(of[byte % len(of)] for byte, of in zip(digest, pattern, strict=False))


def ending(noun: str) -> str:
    """Return the vowel in which the toy language's word for a noun, and its adjective, end."""
    return "oa"[hashlib.sha256(noun.encode()).digest()[-1] % 2]


def written(words: Sequence[str]) -> str:
    """Return words as they are written: with spaces between, but not before ``n't`` and marks."""
    text = " ".join(words)
    for mark in (".", "?", "n't"):
        text = text.replace(f" {mark}", mark)
    return text.replace("¿ ", "¿")


def _capital(phrase: Phrase) -> Phrase:
    """Return a sentence with a capital letter at its beginning, in both languages."""
    (text, tag), *words = phrase.words
    toy, first = list(phrase.toy), int(phrase.toy[0] == "¿")
    toy[first] = toy[first][0].upper() + toy[first][1:]
    return Phrase([Word(text[0].upper() + text[1:], tag), *words], toy)
