"""English sentences said in Spanish: what does attention buy, and where?

Words of each side are numbered by training alone. The width of the beam is given; validation
chooses the penalty on length, and the evaluation whose weights are tested; the test part is looked
at once. Scores are of sentences as they are written, by sacreBLEU, whose signature stands beside
them: BLEU and chrF over all of a group's sentences, and the share of those said exactly as the one
reference has it. Groups go by the words of the source; ``unseen`` are pairs whose target no
training pair has, letter by letter.

Beside the networks stand two ways of counting: a dictionary, word by word, and the target of the
training sentence that is nearest.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat

from pipeline.measuring.evidence import above, every, ordered, within
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import DataSet
from pipeline.measuring.transducing import TransducerTraining
from pipeline.studies.sequence_modes import dictionaries, tables
from pipeline.studies.sequence_modes.positions import ATTENTION, PLAIN
from pipeline.studies.sequence_modes.scoring import (
    ALL,
    LENGTHS,
    LONG,
    UNSEEN,
    said,
    samples,
    score,
    scores,
    spread,
)
from pipeline.studies.sequence_modes.tables import BEAM, DICTIONARY, GREEDY, NEAREST, scored_by
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Published,
    Row,
    Rows,
    Table,
    named,
)

if TYPE_CHECKING:
    from pipeline.data.sets._base import PairedText

METHODS = (PLAIN, ATTENTION, DICTIONARY, NEAREST)
COUNTED = {"dictionary": dictionaries.by_dictionary, "nearest": dictionaries.nearest}


class Translated(TransducerTraining):
    """An encoder–decoder, or a way of counting, on pairs of sentences."""

    task: Literal["translation"]  # pyright: ignore[reportIncompatibleVariableOverride]
    # A trial is frozen, so that a field may be narrowed.
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    method: Annotated[str, named(METHODS)]
    counting: Annotated[str, named(COUNTED)] | None = None
    at_least: Count
    """Times that training has a word, to be one of the vocabulary."""
    longest: Count
    """Tokens of a side of the pairs that are trained on."""
    width: Count
    """Of the beam."""
    penalties: Annotated[list[NonNegativeFloat], *AS_TEXT]
    """On length, from which validation chooses."""
    train_size: Count | None = None
    """Pairs of the training part that there are, spread over it; None is all."""
    test_size: Count | None = None
    """Pairs of the test part that are asked for, spread over it; None is all."""
    goal: PositiveFloat | None = None
    """BLEU that is expected with attention; None where nothing is."""

    def measure(self, given: Given) -> Rows:
        """Return evaluations, what validation chose by, and scores of the test part."""
        from pipeline.tasks import TASKS

        text = self._cut(*self.read(given))
        if self.counting is not None:
            return self._by_counting(text)
        source = TASKS[self.task](
            text,
            self.seed,
            self.batch_size,
            at_least=self.at_least,
            longest=self.longest,
            held_out_size=self.held_out_size,
        )
        learner = self.learner_of(source)
        runs = self.learn(learner, source, given)
        if runs.diverged:
            return runs.rows
        network, pairs = learner.network, source.held_out_pairs
        rows, bleu = list(runs.rows), dict[float, float]()
        for penalty in self.penalties:
            scored = score(said(network, source, pairs, self.width, penalty), pairs)
            bleu[penalty] = scored["bleu"]
            rows.append({"record": "validation", "penalty": penalty, **scored})
        chosen = max(bleu, key=lambda penalty: bleu[penalty])
        facts = {
            "step": runs.chosen,
            "penalty": chosen,
            "parameters": sum(w.numel() for w in learner.parameters()),
            "trained": source.trained,
            "words": source.source_size,
            "target_words": source.output_size,
            "teacher_forced_accuracy": learner.evaluate(source.test()).accuracy,
        }
        for search, width, penalty in ((GREEDY, 1, 0.0), (BEAM, self.width, chosen)):
            sentences = said(network, source, text.test, width, penalty)
            rows += [{**row, "search": search, **facts} for row in scores(sentences, text)]
        return [*rows, *samples(sentences, text)]

    def _cut(self, text: "PairedText") -> "PairedText":
        """Return the text with as many pairs as are asked for."""
        of, there, tests = text.provenance, len(text.train), len(text.test)
        train = of.as_many(there, "pairs to learn from", train_size=self.train_size or there)
        test = of.as_many(tests, "pairs to test", test_size=self.test_size or tests)
        tested = spread(test, tests)
        return dataclasses.replace(
            text,
            train=tuple(text.train[i] for i in spread(train, there)),
            test=tuple(text.test[i] for i in tested),
            unseen_N=text.unseen_N[tested],
        )

    def _by_counting(self, text: "PairedText") -> list[Row]:
        """Return the scores of a way of counting, which sees what is held out as well."""
        from pipeline.tasks import _tokeniser

        pairs = [
            (_tokeniser.tokens(pair.source), _tokeniser.tokens(pair.target))
            for pair in (*text.train, *text.valid)
        ]
        asked = [_tokeniser.tokens(pair.source) for pair in text.test]
        told = COUNTED[str(self.counting)](pairs, asked)
        sentences = [_tokeniser.sentence(tokens) for tokens in told]
        rows = [{**row, "search": BEAM} for row in scores(sentences, text)]
        return [*rows, *samples(sentences, text)]


AHEAD = 0.2
"""By how much more than without attention long sentences score with it."""
NEAR = 1.0
"""BLEU by which unseen targets may differ from all."""
SHORT_OF_IT = (
    "minutes on one core are four epochs of a small network, and one reference of a sentence's "
    "several translations counts"
)
FEW_LONG = "one test sentence in twenty-five has twelve words or more"
BAHDANAU = Published(
    row="bahdanau-attention",
    source="Bahdanau, Cho & Bengio (2015), table 1, English–French, 50 words, all sentences",
    value="BLEU 17.82 without and 26.75 with attention: 1.50 times",
    tolerance="English–Spanish, at twelve words and more: at least 1.2 times",
)


def by_method(rows: pd.DataFrame, group: str, of: str = "bleu") -> Mapping[str, pd.Series]:
    """Return a figure of a group by method, by seed: the index."""
    by = scored_by(rows, group).set_index("seed").groupby("method", sort=False)
    return {str(name): pd.to_numeric(runs[of]) for name, runs in by}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold attention to its goal, to the decoder without it, and both to counting."""
    bleu, long = by_method(rows, ALL), by_method(rows, LONG)
    if ATTENTION in bleu and "goal" in rows and rows["goal"].notna().any():
        least = float(rows["goal"].dropna().iloc[0])
        claim = f"{ATTENTION}: at least {least:g} BLEU"
        yield above(claim, bleu[ATTENTION], least, expected=15).if_missed(SHORT_OF_IT)
    if {PLAIN, ATTENTION} <= set(long):
        claim = "twelve words and more: attention scores at least 1.2 times as much"
        both = long[PLAIN], long[ATTENTION]
        found = ordered(claim, *both, by=AHEAD, ratio=True, expected=16).if_missed(FEW_LONG)
        yield found.stands_for(BAHDANAU)
        near = by_method(rows, "4 to 7")
        if {PLAIN, ATTENTION} <= set(near):
            claim = "from 4 to 7 words to 12 and more, more is lost without attention"
            lost = {m: near[m] - long[m] for m in (PLAIN, ATTENTION)}
            yield ordered(claim, lost[ATTENTION], lost[PLAIN], expected=16)
    for name in (DICTIONARY, NEAREST):
        nets = {m: bleu[m] for m in (PLAIN, ATTENTION) if m in bleu}
        if name in bleu and nets:
            bound = float(bleu[name].mean())
            claims = [above(m, of, bound, expected=17) for m, of in nets.items()]
            yield every(f"both networks score above counting, {name}", claims)
    unseen = by_method(rows, UNSEEN)
    if ATTENTION in bleu and ATTENTION in unseen:
        apart = unseen[ATTENTION] - bleu[ATTENTION]
        claim = "targets that training never has score as all do, to one BLEU"
        yield within(claim, apart, -NEAR, NEAR, expected=18)


def sentence(rows: pd.DataFrame) -> str:
    """Say what each way of translating scores."""
    if not len(rows):
        return ""
    bleu = by_method(rows, ALL)
    told = [f"{with_interval(of, 1)} {method}" for method, of in bleu.items()]
    return f"Translations into Spanish score, in BLEU: {', '.join(told)}."


LABELS = {
    "step": "batches",
    "bleu": "BLEU",
    "method": "translated",
    "group": "words of the source",
    "teacher_forced_accuracy": "teacher-forced accuracy",
}
PART = Part(
    __doc__,
    Translated,
    expects,
    speaks_of={"method": METHODS},
    figures=(
        Table(
            name="translated",
            title="Translations, by words of the source",
            caption="Means over seeds, of sentences as they are written, one reference each. "
            "Counting searches nothing.",
            build=tables.table,
        ),
        Table(
            name="chosen",
            title="What validation chose",
            caption="The evaluation whose weights are tested, and the penalty on length.",
            build=tables.chosen,
        ),
        Table(
            name="signatures",
            title="How scores were computed",
            caption="sacreBLEU's signatures.",
            build=tables.signatures,
        ),
        Table(
            name="samples",
            title="Some sentences",
            caption="Spread over the test part, none picked; the first seed's.",
            build=tables.sampled,
        ),
        Figure(
            name="bleu",
            title="BLEU, by words of the source",
            caption="The beam's translations, mean and range over seeds.",
            x="group",
            y="bleu",
            where={"record": "test", "search": BEAM, "group": tuple(LENGTHS)},
            hue="method",
            kind="bar",
            labels=LABELS,
        ),
        Figure(
            name="training",
            title="Teacher-forced accuracy along training",
            caption="On what is held out, mean and range over seeds.",
            x="step",
            y="teacher_forced_accuracy",
            where={"record": "curve"},
            hue="method",
            labels=LABELS,
        ),
    ),
)
