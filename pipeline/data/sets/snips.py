"""SNIPS: 13,784 + 700 requests to a voice assistant, of seven intents.

A file an intent and part: ``{intent: [{"data": [{"text": …, "entity": …}, …]}, …]}``. A request is
the ``text`` of its pieces in a row; those with ``entity`` are slots. Everything is UTF-8 but for
one file, ISO-8859-1. What the publisher calls validation is the test part, as in the literature.

References:
    Coucke et al. (2018), Snips Voice Platform: an embedded Spoken Language Understanding system for
    private-by-design voice interfaces, arXiv:1805.10190.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, LabelledSentence, LabelledText
from pipeline.data.sets._files import text_of

INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
LATIN = "train_PlayMusic_full.json"
"""The file in ISO-8859-1."""


class SNIPS(Dataset[LabelledText]):
    """The fourteen files as published, or others of the same form."""

    def read(self, folder: Path, provenance: Provenance) -> LabelledText:
        """Return both parts, intent after intent."""
        train = tuple(s for i in INTENTS for s in _part(folder / f"train_{i}_full.json", i))
        test = tuple(s for i in INTENTS for s in _part(folder / f"validate_{i}.json", i))
        return LabelledText(train, test, INTENTS, provenance)


def _part(path: Path, intent: str) -> Iterator[LabelledSentence]:
    """Iterate over the requests of a file."""
    text = text_of(path, "iso-8859-1" if path.name == LATIN else "utf-8")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        wrong = f"{error.msg.lower()} in line {error.lineno}"
        raise BadFileError(f"{path}: no sound JSON, {wrong}") from None
    if not isinstance(content, dict) or list(content) != [intent]:
        raise BadFileError(f"{path}: not the requests of {intent}")
    if not content[intent]:
        raise BadFileError(f"{path}: no requests in it")
    for number, request in enumerate(content[intent], 1):
        try:
            text = "".join(piece["text"] for piece in request["data"])
        except (KeyError, TypeError):
            raise BadFileError(f"{path}: request {number} is no list of pieces of text") from None
        if not text.strip():
            raise BadFileError(f"{path}: request {number} is empty")
        yield LabelledSentence(text, intent)
