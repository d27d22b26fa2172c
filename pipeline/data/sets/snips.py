"""SNIPS: 13,784 + 700 requests to a voice assistant, of seven intents.

A file an intent and part: ``{intent: [{"data": [{"text": …, "entity": …}, …]}, …]}``. A request is
the ``text`` of its pieces in a row; those with ``entity`` are slots. What the publisher calls
validation is the test part, as in the literature.

The files are UTF-8 but for one character, in train_PlayMusic_full.json: an emoji written as the two
halves of its UTF-16 (CESU-8). That makes tools take the file for ISO-8859-1; read so, all its other
accents would be broken ("MÃºsica").

References:
    Coucke et al. (2018), Snips Voice Platform: an embedded Spoken Language Understanding system for
    private-by-design voice interfaces, arXiv:1805.10190.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, LabelledSentence, LabelledText
from pipeline.data.sets._files import decoded

INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
HALVES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
"""A character written as the two halves of its UTF-16, each as if it were one."""


class SNIPS(Dataset[LabelledText]):
    """The fourteen files as published, or others of the same form."""

    def read(self, folder: Path, provenance: Provenance) -> LabelledText:
        """Return both parts, intent after intent."""
        train = tuple(s for i in INTENTS for s in _part(folder / f"train_{i}_full.json", i))
        test = tuple(s for i in INTENTS for s in _part(folder / f"validate_{i}.json", i))
        return LabelledText(train, test, INTENTS, provenance)


def _part(path: Path, intent: str) -> Iterator[LabelledSentence]:
    """Iterate over the requests of a file."""
    try:
        content = json.loads(decoded(HALVES.sub(_joined, path.read_bytes()), path))
    except json.JSONDecodeError as error:
        wrong = f"{error.msg.lower()} in line {error.lineno}"
        raise BadFileError(f"{path}: no sound JSON, {wrong}") from None
    if not isinstance(content, dict) or list(content) != [intent]:
        raise BadFileError(f"{path}: not the requests of {intent}")
    if not isinstance(content[intent], list) or not content[intent]:
        raise BadFileError(f"{path}: no list of requests in it")
    for number, request in enumerate(content[intent], 1):
        try:
            text = "".join(piece["text"] for piece in request["data"])
        except (KeyError, TypeError):
            raise BadFileError(f"{path}: request {number} is no list of pieces of text") from None
        if not text.strip():
            raise BadFileError(f"{path}: request {number} is empty")
        yield LabelledSentence(text, intent)


def _joined(halves: re.Match[bytes]) -> bytes:
    """Return the character of which these are the halves."""
    text = halves[0].decode("utf-8", "surrogatepass")
    return text.encode("utf-16", "surrogatepass").decode("utf-16").encode()
