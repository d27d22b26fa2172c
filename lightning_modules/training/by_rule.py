"""Learning by a learning rule (``rules/``), example by example, without an optimizer.

The rule goes through a batch's examples in order: all samples of the first time step, then of the
next. Classes become targets of 1 for the class and 0 for the others; values are taken as they are.
Losses are the rule's own. Once the rule has settled, further batches change nothing;
``rule.settled_at`` says after how many examples that was, None before.

Probes see a batch as one update, whose gradient is its whole move divided by -η N. For probes of
modules the network runs forward once more, before the batch is learned. Probes of errors, for rules
that have them, see those of the batch's mean loss; each example's error is by the weights of its
own moment.
"""

from collections.abc import Iterable, Iterator
from typing import Any, final

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from lightning_modules.instruments import Instrument, Update
from lightning_modules.interfaces import Batch, Task
from lightning_modules.rules._rule import Rule, Seen
from lightning_modules.training.learner import Learner, Score
from lightning_modules.training.losses import counted_only


@final
class RuleLearner(Learner):
    """A network from x_TBI to outputs, (T, B, O), moved by a rule."""

    shows = frozenset({"modules", "outputs", "updates"})

    def __init__(self, network: nn.Module, rule: Rule, loss: str):
        """``loss`` is the task's: it says whether targets are classes or values."""
        super().__init__(loss, "sgd", rule.rate)
        self.automatic_optimization = False
        self.network, self.rule = network, rule

    def begin(self, task: Task) -> None:
        """Refuse a task that streams, and forget what the rule went through before."""
        super().begin(task)
        if task.streams:
            raise ValueError("the task streams, but a network keeps no state: use SequenceLearner")
        self.rule.begin()
        self._classes = task.output_size

    def described(self) -> dict[str, Any]:
        """Add the network and the rule."""
        return {**super().described(), "network": self.network, "rule": self.rule}

    def attach(self, probe: Instrument) -> None:
        """Refuse, too, a probe that sees errors alone if the rule has none."""
        if probe.sees & self.shows == {"outputs"} and not self.rule.has_errors:
            raise ValueError(f"{probe.name} sees errors, but {type(self.rule).__name__} has none")
        super().attach(probe)

    @torch.no_grad()
    def training_step(self, batch: Batch, index: int) -> None:
        """Have the rule go through the batch."""
        due = self.due() if self.probes else []
        if any("modules" in probe.sees for probe in due):  # the rule itself calls none
            self.network(batch.x_TBI)
        outputs = [probe for probe in due if "outputs" in probe.sees and self.rule.has_errors]
        updates = [probe for probe in due if "updates" in probe.sees]
        named = zip(self.names, self.moved, strict=True)
        trained = {name: w for name, w in named if w.requires_grad} if updates else {}
        before = [w.detach().clone() for w in trained.values()]
        rate, (x_NI, t_NO) = self.rule.rate_now, self._examples(batch)
        seen = self.rule.learn(self.network, x_NI, t_NO, bool(outputs))
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        optimizer.step()  # of weights without gradients: it moves nothing, and counts the batch
        if seen.errors:
            errors = {k: [e / seen.examples] for k, e in seen.errors.items()}
            for probe in outputs:
                probe.gone_back(errors)
        if trained:
            self._show(updates, trained, before, rate * max(1, seen.examples))
        loss = x_NI.new_tensor(seen.loss)
        self.books.note(batch.x_TBI.shape[1], loss, seen.examples)

    def _show(
        self,
        probes: list[Instrument],
        trained: dict[str, nn.Parameter],
        before: list[Tensor],
        rates: float,
    ) -> None:
        """Show the whole move of a batch."""
        after = [w.detach() for w in trained.values()]
        gradients = [(b - a) / rates for b, a in zip(before, after, strict=True)]
        update = Update(list(trained), before, after, gradients, gradients, None)
        for probe in probes:
            probe.updated(update)

    def _examples(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the counted steps' inputs and targets, (N, I) and (N, O)."""
        x_NI, y_N = counted_only(batch.x_TBI, batch.y_TB, batch.mask_TB)
        return x_NI, self._targets(y_N, x_NI)

    def _targets(self, y_N: Tensor, like: Tensor) -> Tensor:
        """Return targets as outputs should be, (N, O)."""
        if not self.loss.classifies:
            return y_N
        return nn.functional.one_hot(y_N, self._classes).to(like.dtype)

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Return the outputs from which the rule reads answers."""
        for batch in batches:
            yield batch, self.rule.outputs(self.network, batch.x_TBI)

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Return the score on held-out batches, the loss being the rule's."""
        total, correct = Seen(), 0
        here = (self.transfer_batch_to_device(batch, self.device) for batch in batches)
        for batch, z_TBO in self.outputs(here):
            z_NO, y_N = counted_only(z_TBO, batch.y_TB, batch.mask_TB)
            if self.loss.classifies:
                correct += int((z_NO.argmax(dim=-1) == y_N).sum())
            total = total.followed_by(self.rule.judge(z_NO, self._targets(y_N, z_NO)))
        if not total.examples:
            return Score(None, None)
        accuracy = correct / total.examples if self.loss.classifies else None
        return Score(total.loss / total.examples, accuracy)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add how far the rule has come."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["rule"] = self.rule.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Have it go on from there."""
        super().on_load_checkpoint(checkpoint)
        self.rule.resume(checkpoint["rule"])
