"""Language models, counted or learned, on the same text, with the same score: fields and runs.

The score is the mean of -ln p over the tokens of the test part, read as one stream from a zero
state, and its exponential, the perplexity.
"""

import abc
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from pipeline.data.sources import SOURCES
from pipeline.measuring.probing import Probes, build
from pipeline.study import AS_TEXT, Count, Given, Row, Rows, Trial, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_modules.training.stream import StreamLearner

COUNTED = "order", "discounts"
LEARNED = (
    "embedding_size", "hidden_size", "layers", "recurrence", "dropout", "spread", "optimizer",
    "learning_rate", "final_rate", "threshold", "batch_size", "length", "steps", "evaluations",
    "held_out_size",
)  # fmt: skip
"""The fields that a counted model and a learned one must have; the others may be left out."""
READ = 1000
"""Tokens of the test part over which the entropy at each temperature is averaged."""


class LanguageModelling(Trial, abc.ABC):
    """One model of a text."""

    task: Literal["character_ids", "next_word"]
    dataset: Annotated[str, named(SOURCES)]
    kind: Literal["counted", "learned"]
    model: str
    """The model's name."""
    order: Annotated[Count, Field(le=12)] | None = None
    """Kneser–Ney: the number of tokens of an n-gram."""
    discounts: Literal[1, 3] | None = None
    """Kneser–Ney: one discount, or three, which is the modified form."""
    embedding_size: Count | None = None
    hidden_size: Count | None = None
    layers: Count | None = None
    recurrence: Literal["srn", "gru", "lstm"] | None = None
    dropout: Annotated[NonNegativeFloat, Field(lt=1)] | None = None
    """The dropout rate of each layer's output."""
    input_dropout: Annotated[NonNegativeFloat, Field(lt=1)] | None = None
    """The dropout rate of embeddings; None is 0."""
    spread: PositiveFloat | None = None
    """Embeddings are initialised uniformly within ± this."""
    tied: bool | None = None
    cutoffs: Annotated[list[Count], *AS_TEXT] | None = None
    """The cutoffs of an adaptive softmax; None is a plain softmax."""
    divisor: PositiveFloat | None = None
    """Adaptive softmax: by what factor projections shrink from cluster to cluster."""
    optimizer: Literal["adam", "sgd"] | None = None
    learning_rate: PositiveFloat | None = None
    final_rate: NonNegativeFloat | None = None
    """The learning rate at the end, reached along half a cosine."""
    threshold: PositiveFloat | None = None
    """The norm to which the gradient is clipped."""
    batch_size: Count | None = None
    """Parallel streams of text."""
    length: Count | None = None
    """Steps of a batch; error goes back to its first step, no further."""
    steps: Count | None = None
    """Batches of training."""
    evaluations: Count | None = None
    held_out_size: Count | None = None
    """Tokens of the validation part that are evaluated during training."""
    test_size: Count | None = None
    """Tokens of the test part that are scored; None is all."""
    sampled: Count | None = None
    """Tokens of each sample."""
    temperatures: Annotated[list[NonNegativeFloat], *AS_TEXT] | None = None
    """The temperatures of the samples."""
    probes: Probes | None = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> "LanguageModelling":
        counted = self.kind == "counted"
        wanted, other = (COUNTED, LEARNED) if counted else (LEARNED, COUNTED)
        missing = [name for name in wanted if getattr(self, name) is None]
        foreign = [name for name in other if getattr(self, name) is not None]
        if missing or foreign:
            said = [f"lacks {', '.join(missing)}"] if missing else []
            said += [f"takes no {', '.join(foreign)}"] if foreign else []
            raise ValueError(f"a {self.kind} model {' and '.join(said)}")
        if (self.sampled is None) != (self.temperatures is None):
            raise ValueError("sampled and temperatures go together: give both or none")
        return self

    def measure(self, given: Given) -> Rows:
        """Return rows: evaluations (record "curve"), the score ("test"), samples ("sample")."""
        return self._counted(given) if self.kind == "counted" else self._learned(given)

    def source_of(self, given: Given) -> Any:
        """Return the task."""
        sizes = {
            "batch_size": self.batch_size or 1,
            "length": self.length or 1,
            "held_out_size": self.held_out_size or 40,
        }
        return TASKS[self.task](given.data[self.dataset], seed=self.seed, **sizes)

    def learner_of(self, source: Any) -> "StreamLearner":
        """Return the learner, its weights drawn from torch's global generator."""
        from lightning_modules.networks.language_model import LanguageModel
        from lightning_modules.training.clipping import Clip
        from lightning_modules.training.stream import StreamLearner

        sizes: Any = {"embedding_size": self.embedding_size, "hidden_size": self.hidden_size}
        adaptive: Any = {"cutoffs": self.cutoffs, "divisor": self.divisor or 4.0}
        network = LanguageModel(
            source.output_size,
            **sizes,
            layers=self.layers or 1,
            layer=self.recurrence or "lstm",
            dropout=self.dropout or 0.0,
            input_dropout=self.input_dropout or 0.0,
            tied=bool(self.tied),
            spread=self.spread or 0.1,
            **adaptive,
        )
        return StreamLearner(
            network,
            self.optimizer or "",
            self.learning_rate or 0.0,
            Clip("norm", self.threshold or 0.0),
            self.final_rate,
        )

    def fit(self, given: Given) -> tuple["StreamLearner", Any, list[dict[str, Any]]]:
        """Train; return the learner, its task and the rows of its training."""
        import torch

        from lightning_modules.training.fit import fit

        source, steps = self.source_of(given), self.steps or 1
        torch.manual_seed(self.seed)
        learner = self.learner_of(source)
        rows = fit(
            learner,
            source,
            steps=steps,
            evaluate_every=max(1, steps // (self.evaluations or 1)),
            seed=self.seed,
            scratch=given.scratch,
            probes=build(self.probes),
        )
        return learner, source, rows

    def _counted(self, given: Given) -> "Iterator[Row]":
        """Count the training part, and score the model."""
        from pipeline.measuring.kneser_ney import KneserNey

        source, clock = self.source_of(given), time.perf_counter()
        counts: Any = (self.order, source.output_size, self.discounts)
        model = KneserNey(source.train_N.numpy(), *counts)
        nats_N = -model.log_probabilities(source.test_N[: self.test_size].numpy())
        yield self._score(float(nats_N.mean()), len(nats_N), model.entries, clock)

    def _learned(self, given: Given) -> "Iterator[Row]":
        """Train, score, and sample."""
        from pipeline.measuring.sampling import continued, entropy_along

        clock = time.perf_counter()
        learner, source, rows = self.fit(given)
        network = learner.network
        yield from ({"record": "probe" if "probe" in row else "curve", **row} for row in rows)
        last = [row for row in rows if "probe" not in row][-1]
        parameters = sum(weights.numel() for weights in network.parameters())
        scored = len(source.test_N[: self.test_size])
        nats = None if last["diverged"] else learner.evaluate(source.test(size=self.test_size)).loss
        yield self._score(nats, scored, parameters, clock) | {
            "valid_nats": last["held_out_loss"],
            "train_nats": last["train_loss"],
        }
        if last["diverged"]:
            return
        read = source.test_N[:READ].tolist()
        for temperature in self.temperatures or ():
            said = continued(network, read[:100], self.sampled or 1, temperature, self.seed)
            yield {
                "record": "sample",
                "temperature": temperature,
                "entropy": entropy_along(network, read, temperature),
                "text": source.text(said),
            }

    def _score(self, nats: float | None, scored: int, parameters: int, clock: float) -> Row:
        """Return the row of the test part; ``nats`` is None for a model that diverged."""
        import math

        return {
            "record": "test",
            "nats": nats,
            "perplexity": None if nats is None else math.exp(nats),
            "scored": scored,
            "parameters": parameters,
            "seconds": time.perf_counter() - clock,
            "diverged": nats is None,
        }
