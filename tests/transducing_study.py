"""The parts of the study of sequences that say other sequences, at a size of seconds."""

import dataclasses
from typing import Any

import torch

from pipeline.data.sets._base import Pair, PairedText
from pipeline.studies.sequence_modes import transduction, translation
from pipeline.study import join
from tests.measured import Measured
from tests.toy import NOWHERE

TRAINED: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 0.01,
    "clip": "norm",
    "threshold": 1.0,
    "anneal": True,
    "batch_size": 4,
    "steps": 6,
    "evaluations": 2,
    "held_out_size": 3,
    "seeds": 1,
}
SIZES = {"hidden_size": 6, "embedding_size": 4}
NETWORKS = {
    "without attention": {"network": "encoder_decoder", "options": SIZES},
    "with attention": {"network": "attention_decoder", "options": SIZES},
}
SECTION: dict[str, dict[str, Any]] = {
    "transduction": {
        **TRAINED,
        "task": "transduction",
        "method": {**NETWORKS, "word by word": {"counting": "dictionary"}},
        "order": ["copy", "reverse"],
        "symbols": 5,
        "longest": 4,
        "lengths": [1, 3, 4, 9],
        "asked": 20,
        "counted_batches": 40,
    },
    "translation": {
        **TRAINED,
        "task": "translation",
        "dataset": "spa_eng",
        "method": {
            **NETWORKS,
            "word by word": {"counting": "dictionary"},
            "nearest sentence": {"counting": "nearest"},
        },
        "at_least": 1,
        "longest": 20,
        "width": 2,
        "penalties": [0.0, 1.0],
        "goal": 25.0,
    },
}
WORDS = {"the": "el", "dog": "perro", "cat": "gato", "sees": "ve", "hears": "oye", "a": "un"}


def paired() -> PairedText:
    """Return sentences of a few words, translated word by word; two to test are long."""
    nouns, verbs = ("dog", "cat"), ("sees", "hears")
    short = [
        f"the {a} {v} {d} {b}" for a in nouns for v in verbs for d in ("a", "the") for b in nouns
    ]
    long = [" ".join(of) for of in zip(short, short[1:], short[2:], strict=False)]

    def pairs(sentences: list[str]) -> tuple[Pair, ...]:
        said = [" ".join(WORDS[word] for word in of.split()) for of in sentences]
        return tuple(
            Pair(f"{a}.".capitalize(), f"{b}.".capitalize())
            for a, b in zip(sentences, said, strict=True)
        )

    tests = pairs([*short[12:], *long[-2:]])
    unseen_N = torch.arange(len(tests)) > 0
    return PairedText(pairs(short[:9]), pairs(short[9:12]), tests, unseen_N, NOWHERE)


STUDY = join(
    "Says it what it should?",
    lambda rows: transduction.sentence(rows) + translation.sentence(rows),
    transduction=transduction.PART,
    translation=translation.PART,
)
MEASURED = Measured(STUDY, SECTION, {"spa_eng": paired()})
REAL = dataclasses.replace(NOWHERE, embedded=False, served="English–Spanish")
