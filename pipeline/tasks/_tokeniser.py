"""Sentences as tokens and back: words and marks of punctuation, in their own case.

    tokens     letters and digits joined by apostrophes or hyphens are one word, as are numbers with
               points, commas or colons in them, and abbreviations such as ``a.m.``; every other
               character that is not blank is a token of its own
    sentence   tokens with blanks between, but none before closing marks (. , ? ! …) or after
               opening ones (¿ ¡ ( …); straight quotes open and close in turn

Characters are composed (NFC), so that an accented letter is always the same character. Scores such
as BLEU are computed of sentences, not of tokens.
"""

import re
import unicodedata
from collections.abc import Iterable

TOKEN = re.compile(
    r"(?:[^\W\d_]\.){2,}"  # a.m.
    r"|\w+(?:(?:(?<=\d)[.,:](?=\d)|[-'’])\w+)*"  # o'clock, ex-wife, 3,000, 2:30
    r"|[^\w\s]"
)
CLOSES = frozenset(".,;:?!)]}»”…%°")
OPENS = frozenset("¿¡([{«“")
QUOTE = '"'


def composed(sentence: str) -> str:
    """Return a sentence in composed characters, without blanks around it."""
    return unicodedata.normalize("NFC", sentence).strip()


def tokens(sentence: str) -> list[str]:
    """Return its tokens."""
    return TOKEN.findall(composed(sentence))


def words(sentence: str) -> int:
    """Count those of its tokens that hold a letter or a digit."""
    return sum(any(map(str.isalnum, token)) for token in tokens(sentence))


def sentence(said: Iterable[str]) -> str:
    """Return tokens as a sentence is written."""
    text, glued, quoted = "", True, False
    for token in said:
        closes = token in CLOSES or (token == QUOTE and quoted)
        text += token if glued or closes else f" {token}"
        quoted ^= token == QUOTE
        glued = token in OPENS or (token == QUOTE and quoted)
    return text
