"""Classifying and tagging sentences without a network, as a baseline.

Classes: TF-IDF of words, or of words and character n-grams, under a linear classifier. Tags: the
most frequent tag of the word; for an unknown word the tag of its ending, or the most frequent tag
of all. An ending's tag is that of most of the words with that ending; each word counts once, since
unknown words are mostly rare ones.
scikit-learn is imported where it is used.

References:
    Joachims (1998), Text categorization with support vector machines, ECML.
    Brants (2000), TnT, a statistical part-of-speech tagger, ANLP: suffixes of unknown words.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pipeline.data.sets._base import LabelledText, TaggedSentence, TaggedText

SUFFIX = 3
"""The number of letters of an ending."""
WORDS, CHARACTERS = (1, 2), (2, 5)
"""The least and largest n of the n-grams, of words and of characters."""


def logistic_of_words(text: "LabelledText") -> float:
    """Return the test accuracy of logistic regression on words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    return _right(text, TfidfVectorizer(ngram_range=WORDS), LogisticRegression(max_iter=1000))


def machine_of_words(text: "LabelledText") -> float:
    """Return the test accuracy of a linear support vector machine on words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    return _right(text, TfidfVectorizer(ngram_range=WORDS, sublinear_tf=True), LinearSVC())


def machine_of_characters(text: "LabelledText") -> float:
    """Return that accuracy for the same machine on words and character n-grams."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=WORDS, sublinear_tf=True)
    runs = TfidfVectorizer(analyzer="char_wb", ngram_range=CHARACTERS, sublinear_tf=True)
    return _right(text, make_union(words, runs), LinearSVC())


CLASSIFIERS: Mapping[str, Callable[["LabelledText"], float]] = {
    "words, logistic regression": logistic_of_words,
    "words, support vectors": machine_of_words,
    "words and characters, support vectors": machine_of_characters,
}


def _right(text: "LabelledText", features: Any, classifier: Any) -> float:
    """Fit to the training part and return the test accuracy."""
    from sklearn.pipeline import make_pipeline

    train, test = (
        ([s.text for s in part], [s.label for s in part]) for part in (text.train, text.test)
    )
    return float(make_pipeline(features, classifier).fit(*train).score(*test))


class Tagged(NamedTuple):
    """Shares of the test part's words whose tag is right."""

    all: float
    known: float
    """Of the words that occur in the training part."""
    unknown: float


def frequent_tags(text: "TaggedText") -> Tagged:
    """Give each word its most frequent tag, and unknown words the most frequent tag of all."""
    return _tagged(text, lambda word, of_endings, of_all: of_all)


def frequent_tags_by_ending(text: "TaggedText") -> Tagged:
    """As ``frequent_tags``, but an unknown word gets the tag of its ending, in any case."""
    return _tagged(text, lambda word, of_endings, of_all: of_endings.get(_ending(word), of_all))


TAGGERS: Mapping[str, Callable[["TaggedText"], Tagged]] = {
    "most frequent tag": frequent_tags,
    "most frequent tag, by ending": frequent_tags_by_ending,
}


def _tagged(text: "TaggedText", guess: Callable[[str, Mapping[str, str], str], str]) -> Tagged:
    """Return the accuracies if ``guess(word, tags of endings, tag of all)`` tags unknown words."""
    seen = list(_pairs(text.train))
    of_words = _most_frequent(seen)
    of_endings = _most_frequent((_ending(word), tag) for word, tag in of_words.items())
    of_all = _most_frequent(("", tag) for _, tag in seen)[""]
    right: dict[bool, list[bool]] = {True: [], False: []}
    for word, tag in _pairs(text.test):
        said = of_words.get(word) or guess(word, of_endings, of_all)
        right[word in of_words].append(said == tag)
    return Tagged(*map(_share, (right[True] + right[False], right[True], right[False])))


def _pairs(sentences: "Iterable[TaggedSentence]") -> Iterable[tuple[str, str]]:
    return (pair for s in sentences for pair in zip(s.words, s.tags, strict=True))


def _most_frequent(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the most frequent tag of each key; of equally frequent tags the first to occur."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, tag in pairs:
        counts[key][tag] += 1
    return {key: of.most_common(1)[0][0] for key, of in counts.items()}


def _ending(word: str) -> str:
    return word[-SUFFIX:].lower()


def _share(right: list[bool]) -> float:
    """Return the share that is true; 0 of none."""
    return sum(right) / max(1, len(right))
