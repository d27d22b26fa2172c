"""Sequence to sequence by an encoder–decoder, or by counting: the fields, the run, its accuracies.

    teacher_forced_accuracy    share of the targets' tokens that the decoder finds likeliest, given
                               the target's tokens before them
    free_running_accuracy      share of the targets' tokens that the decoder's output has at the
                               same place, given its own earlier outputs
    exact                      share of targets for which all of the output is right

The end-of-sequence token counts. The weights that are measured are those with the highest
teacher-forced accuracy on the held-out part during training.
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
    """The result of a training run; its learner was left with the chosen weights."""

    rows: list[Row]
    """The rows of its evaluations, record "curve", and of its probes."""
    chosen: int
    """The step at which the chosen weights were taken."""
    diverged: bool


class TransducerTraining(Training, abc.ABC):
    """An encoder–decoder, or a way of counting; ``method`` is its name in figures."""

    method: str
    network: Annotated[str, named(NETWORKS)] | None = None
    counting: str | None = None
    """Either a network, or a way of counting."""
    options: Options | None = None
    """The network's constructor arguments beside its numbers of tokens."""
    anneal: bool | None = None
    """Whether the learning rate falls to 0 over the run, along half a cosine."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "TransducerTraining":
        if (self.network is None) == (self.counting is None):
            raise ValueError("give one of network and counting")
        return self

    def learner_of(self, source: Any) -> "BackpropLearner":
        """Return the learner of the network, its weights drawn from the trial's seed."""
        import torch

        from lightning_modules.training.backprop import BackpropLearner

        torch.manual_seed(self.seed)
        sizes = source.source_size, source.output_size
        network = NETWORKS[str(self.network)](*sizes, **(self.options or {}))
        of: dict[str, Any] = {"learning_rate": self.learning_rate, "clip": self.clipped()}
        of["anneal"] = bool(self.anneal)
        return BackpropLearner(network, source.loss, self.optimizer, **of)

    def learn(self, learner: "BackpropLearner", source: Any, given: Given) -> Runs:
        """Train, and leave the learner with the weights that did best on the held-out part."""
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
    """Return a row with its kind, ``record``, and its accuracy under the name of its kind."""
    if "probe" in row:
        return {**row, "record": "probe"}
    told = {"record": "curve", **row}
    told["teacher_forced_accuracy"] = told.pop("held_out_accuracy")
    return told


class Counted(NamedTuple):
    """Numbers of tokens and targets, and of right ones: sums over batches, not means of means."""

    tokens: int = 0
    teacher_forced: int = 0
    free_running: int = 0
    targets: int = 0
    exact: int = 0

    def accuracies(self) -> Row:
        """Return the three accuracies by name."""
        return {
            "teacher_forced_accuracy": self.teacher_forced / self.tokens,
            "free_running_accuracy": self.free_running / self.tokens,
            "exact": self.exact / self.targets,
        }


def counted(network: "Transducer", batches: "Iterable[Batch]", ends: "Ends") -> Counted:
    """Count right tokens and targets, teacher-forced and free-running with greedy decoding."""
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
    """Return how many target tokens are right at their place, and how many whole targets."""
    from torch.nn.functional import pad

    longer = len(y_TB) - len(said_TB)
    said_TB = pad(said_TB, (0, 0, 0, longer)) if longer > 0 else said_TB[: len(y_TB)]
    right_TB = (said_TB == y_TB) & is_token_TB
    return int(right_TB.sum()), int((right_TB | ~is_token_TB).all(dim=0).sum())


def error_by_position(network: "Transducer", batch: "Batch") -> list[Row]:
    """Return the error at each step s of the forward encoder, a row for each.

    Sources have one length. ``direct`` is ‖∂L/∂m_s‖ with the other states fixed: the error that
    the decoder sends straight to that state; ``total`` is ‖dL/dm_s‖, which includes what comes back
    through later states. L is the mean over the targets' tokens; norms are over all samples.
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
    # cuDNN's layers can be differentiated in training mode alone.
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
