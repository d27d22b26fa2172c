"""Sequences turned into others by an encoder–decoder, or by counting: the run, and its accuracies.

    teacher_forced_accuracy    share of a target's tokens that are the likeliest after those before
                               them in the target
    free_running_accuracy      share of a target's tokens that stand at their place in what the
                               decoder says when it hears itself alone
    exact                      share of targets that are said whole

The end of a target is one of its tokens. The weights that are measured are those of the evaluation
with the highest teacher-forced accuracy on what is held out.
"""

import abc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import model_validator

from lightning_modules.networks import NETWORKS
from pipeline.measuring.probing import build
from pipeline.measuring.training import Training
from pipeline.study import Given, Options, Row, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Batch
    from lightning_modules.networks._search import Ends
    from lightning_modules.networks._transducer import Transducer
    from lightning_modules.training.backprop import BackpropLearner


class Runs(NamedTuple):
    """What came of a training run, whose learner was left with the weights that were chosen."""

    rows: list[Row]
    """Its evaluations, record "curve", and what its probes told."""
    chosen: int
    """The step of these weights."""
    diverged: bool


class TransducerTraining(Training, abc.ABC):
    """An encoder–decoder, or a way of counting, by the name of ``method``."""

    method: str
    network: Annotated[str, named(NETWORKS)] | None = None
    counting: str | None = None
    """Either a network, or a way of counting."""
    options: Options | None = None
    """What the network is built with beside its numbers of tokens."""
    anneal: bool | None = None
    """Whether the rate falls to 0 over the run, as half a cosine does."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "TransducerTraining":
        if (self.network is None) == (self.counting is None):
            raise ValueError("give one of network and counting")
        return self

    def learner_of(self, source: Any) -> "BackpropLearner":
        """Return the network in what trains it, its weights drawn by the trial's seed."""
        import torch

        from lightning_modules.training.backprop import BackpropLearner

        torch.manual_seed(self.seed)
        sizes = source.source_size, source.output_size
        network = NETWORKS[str(self.network)](*sizes, **(self.options or {}))
        of: dict[str, Any] = {"learning_rate": self.learning_rate, "clip": self.clipped()}
        of["anneal"] = bool(self.anneal)
        return BackpropLearner(network, source.loss, self.optimizer, **of)

    def learn(self, learner: "BackpropLearner", source: Any, given: Given) -> Runs:
        """Train."""
        from lightning_modules.training.best import Best
        from lightning_modules.training.fit import fit

        best: Any = Best()
        told = fit(
            learner,
            source,
            steps=self.steps,
            evaluate_every=self.every,
            seed=self.seed,
            scratch=given.scratch,
            probes=[*build(self.probes), best],
        )
        last = [row for row in told if "probe" not in row][-1]
        best.take_back()
        return Runs([_recorded(row) for row in told], best.step, last["diverged"])


def _recorded(row: Row) -> Row:
    """Say which record a row is of, and of which kind its accuracy is."""
    if "probe" in row:
        return {**row, "record": "probe"}
    told = {"record": "curve", **row}
    told["teacher_forced_accuracy"] = told.pop("held_out_accuracy")
    return told


class Counted(NamedTuple):
    """Tokens and targets, and how many of them are right; what is added up, not means of means."""

    tokens: int = 0
    teacher_forced: int = 0
    free_running: int = 0
    targets: int = 0
    exact: int = 0

    def accuracies(self) -> Row:
        """Return shares by their names."""
        return {
            "teacher_forced_accuracy": self.teacher_forced / self.tokens,
            "free_running_accuracy": self.free_running / self.tokens,
            "exact": self.exact / self.targets,
        }


def counted(network: "Transducer", batches: "Iterable[Batch]", ends: "Ends") -> Counted:
    """Count what is right of targets, teacher-forced and free-running, greedily."""
    import torch

    from lightning_modules.networks._search import greedy
    from lightning_modules.training.modes import evaluating

    total = Counted()
    at = next(network.parameters()).device
    with evaluating(network), torch.no_grad():
        for batch in batches:
            x_TBI, y_TB, is_token_TB = (of.to(at) for of in batch[:3])
            forced_TB = network(x_TBI).argmax(dim=-1)
            said_TB = greedy(network, x_TBI[..., 0], ends).said_TB
            forced = int(((forced_TB == y_TB) & is_token_TB).sum())
            free, exact = said_right(said_TB, y_TB, is_token_TB)
            more = int(is_token_TB.sum()), forced, free, y_TB.shape[1], exact
            total = Counted(*(a + b for a, b in zip(total, more, strict=True)))
    return total


def said_right(said_TB: "Tensor", y_TB: "Tensor", is_token_TB: "Tensor") -> tuple[int, int]:
    """Count the tokens of targets that were said at their place, and the targets said whole."""
    from torch.nn.functional import pad

    longer = len(y_TB) - len(said_TB)
    said_TB = pad(said_TB, (0, 0, 0, longer)) if longer > 0 else said_TB[: len(y_TB)]
    right_TB = (said_TB == y_TB) & is_token_TB
    return int(right_TB.sum()), int((right_TB | ~is_token_TB).all(dim=0).sum())


def error_by_position(network: "Transducer", batch: "Batch") -> list[Row]:
    """Return how much error comes to each step of the encoder that reads forwards.

    Sources are of one length. ``direct`` is ‖∂L/∂m_s‖ at fixed other states: what the decoder
    itself sends; ``total`` is ‖dL/dm_s‖, what comes back through later states among it. L is the
    mean over the targets' tokens, norms are over the samples together.
    """
    import copy

    import torch
    from torch.nn.functional import cross_entropy

    from lightning_modules.norms import norm
    from lightning_modules.probes import error_flow
    from lightning_modules.training.watch import watch

    # A copy, so that neither gradients nor modes of what is trained are touched.
    looked_at = copy.deepcopy(network).eval()
    at = next(looked_at.parameters()).device
    x_TBI, y_TB, is_token_TB = (of.to(at) for of in batch[:3])
    S = int((x_TBI[..., 0] != 0).sum(dim=0).max())
    probe = error_flow.__name__.rpartition(".")[2]
    # cuDNN's layers go back in training mode alone.
    with watch(looked_at, [probe]) as record, torch.backends.cudnn.flags(enabled=False):
        encoded = looked_at.encode(x_TBI[:S, :, 0])
        encoded.memory_SBM.retain_grad()
        z_TBO = looked_at.decode(x_TBI[..., 1], encoded)
        cross_entropy(z_TBO[is_token_TB], y_TB[is_token_TB]).backward()
    direct_SBM = encoded.memory_SBM.grad
    assert direct_SBM is not None
    total = [row["value"] for row in record.rows if row["module"] == "reader.forwards"]
    direct = norm(direct_SBM.flatten(1), -1).tolist()
    return [{"position": s + 1, "direct": direct[s], "total": total[s]} for s in range(S)]
